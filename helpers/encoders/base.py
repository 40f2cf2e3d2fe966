"""What all encoders have in common: items in, L2-normalised vectors out."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from helpers.inputs.files import open_file


class Encoder(ABC):
    """Turns items into L2-normalised vectors.

    Attributes:
        name: the name it was loaded by.
        dim: the length of its vectors.
        metric: the Milvus metric its vectors are made for.
        batch_size: how many items its model takes at once.
    """

    name: str
    dim: int
    metric: str = "COSINE"
    batch_size: int = 8

    def content(self, item: Any) -> Any:
        """What an item consists of, which its id is made from: the bytes of a file, or itself.

        Raises:
            BadItem: the file cannot be read.
        """
        if not isinstance(item, Path):
            return item
        with open_file(item) as file:
            return file.read()

    @abstractmethod
    def prepare(self, item: Any) -> Any:
        """Read one item into what the model takes; safe to call from several threads.

        Raises:
            BadItem: the item cannot be read.
        """

    @abstractmethod
    def embed(self, prepared: Sequence[Any]) -> np.ndarray:
        """Run the model once over prepared items: float32, (n, dim), not yet normalised."""

    def encode_prepared(self, prepared: Iterable[Any]) -> np.ndarray:
        """Vectors of prepared items: float32, (n, dim), each of length 1."""
        left, parts = iter(prepared), [np.empty((0, self.dim), np.float32)]
        while batch := list(islice(left, self.batch_size)):
            vectors = self.embed(batch).astype(np.float32, copy=False)
            if vectors.shape != (len(batch), self.dim):
                raise ValueError(
                    f"The encoder {self.name} made an array of {vectors.shape} from {len(batch)} "
                    f"items, not of {len(batch), self.dim}: correct its embed."
                )
            parts.append(
                vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
            )
        return np.concatenate(parts)

    def encode(self, items: Iterable[Any]) -> np.ndarray:
        """Vectors of items: float32, (n, dim), each of length 1.

        Give a generator where the items together are large, such as opened photos: only a batch of
        them is held at a time.

        For many files use ``helpers.ingest.encode_batches``: it reads ahead and skips bad ones.

        Raises:
            BadItem: one of the items cannot be read.
        """
        return self.encode_prepared(map(self.prepare, items))


class PictureEncoder(Encoder):
    """What all encoders of pictures share: a string is the path of a picture's file."""

    def content(self, item: Path | str | bytes) -> bytes:
        """The bytes of a picture's file."""
        return super().content(Path(item) if isinstance(item, str) else item)
