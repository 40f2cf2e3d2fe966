"""ConSE: photos in a space of sentences, by way of the things a network can name.

Source: Norouzi et al., Zero-Shot Learning by Convex Combination of Semantic Embeddings, ICLR 2014.
The paper takes vectors of class names; here a sentence that describes the class is added to each.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from safetensors.torch import load_file
from scipy.special import softmax

from helpers.assets import fetch
from helpers.encoders import load_encoder
from helpers.encoders.base import Encoder, PictureEncoder
from helpers.inputs.tables import own_table

_CLASSIFIER, _TEXTS = "resnet18", "minilm"
TOP = 10  # classes that make up a photo's vector, as in the paper


class ImageNetClass(NamedTuple):
    """One of the 1,000 kinds of things that ImageNet's networks tell apart.

    Attributes:
        name: such as ``"goldfish"``.
        description: one sentence on what it looks like, written for this project.
    """

    name: str
    description: str


def imagenet_classes() -> list[ImageNetClass]:
    """The 1,000 classes, in the order of a network's outputs."""
    rows = own_table("imagenet_classes.csv")
    return [ImageNetClass(row["name"], row["description"]) for row in rows]


def combine(probabilities: np.ndarray, class_vectors: np.ndarray, count: int = TOP) -> np.ndarray:
    """Average the vectors of each photo's likeliest classes, weighted by their probabilities.

    Args:
        probabilities: (n, classes), how likely each class is for each photo.
        class_vectors: (classes, dim), one text vector per class.
        count: how many of the likeliest classes to take.

    Returns:
        float32, (n, dim), each of length 1.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    weights = np.take_along_axis(probabilities, order, axis=1)
    vectors = np.einsum("nc,ncd->nd", weights, class_vectors[order])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class ConseEncoder(PictureEncoder):
    """Turns a photo into a vector among those of a text encoder.

    Attributes:
        classes: what the classifier can name.
    """

    def __init__(self, texts: Encoder) -> None:
        self.name, self.dim = "conse", texts.dim
        self.classes = imagenet_classes()
        self._images = load_encoder(_CLASSIFIER)
        self.batch_size = self._images.batch_size
        weights = load_file(fetch(_CLASSIFIER))
        # The last layer, which the image encoder leaves out: from 512 features to 1,000 classes.
        self._weight, self._bias = weights["fc.weight"].numpy(), weights["fc.bias"].numpy()
        self._class_vectors = texts.encode(f"{name}: {text}" for name, text in self.classes)

    def prepare(self, item: Any) -> np.ndarray:
        """Read a picture and cut its central square: uint8, (224, 224, 3)."""
        return self._images.prepare(item)

    def embed(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        """Classify the pictures and average the vectors of their likeliest classes."""
        return combine(self._classify(prepared), self._class_vectors)

    def probabilities(self, items: Iterable[Any]) -> np.ndarray:
        """How likely each class is for each picture: float32, (n, 1000), rows sum to 1.

        Raises:
            BadItem: one of the pictures cannot be read.
        """
        rows = [self._classify([self.prepare(item)]) for item in items]
        return np.concatenate([np.empty((0, len(self.classes)), np.float32), *rows])

    def explain(self, item: Any, count: int = 5) -> dict[str, float]:
        """What the classifier sees in a picture: class name -> probability, likeliest first.

        Raises:
            BadItem: the picture cannot be read.
        """
        chances = self.probabilities([item])[0]
        best = np.argsort(-chances, kind="stable")[:count]
        return {self.classes[i].name: float(chances[i]) for i in best}

    def _classify(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        return softmax(self._images.embed(prepared) @ self._weight.T + self._bias, axis=1)


def load(name: str) -> tuple[ConseEncoder, Encoder]:
    """Build the pair; ``helpers.scenarios.multimodal.joint.load_joint`` calls this."""
    texts = load_encoder(_TEXTS)
    return ConseEncoder(texts), texts
