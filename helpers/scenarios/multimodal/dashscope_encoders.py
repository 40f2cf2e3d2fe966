"""Photos and sentences as vectors, computed by DashScope, a service of Alibaba Cloud."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from helpers.encoders.base import PictureEncoder
from helpers.encoders.text import TextEncoder, check_text
from helpers.errors import BadItem, HelpfulError
from helpers.scenarios.multimodal.dashscope import DashScope, data_uri

_MODEL = "multimodal-embedding-v1"


class DashScopeImages(PictureEncoder):
    """Photos as vectors, computed by the service."""

    def __init__(self, service: DashScope, model: str, dim: int) -> None:
        self.name, self.dim = model, dim
        self._service = service

    def prepare(self, item: Any) -> np.ndarray:
        """Send a picture, as a JPEG without its EXIF data, and get its vector."""
        vector = self._service.embed(self.name, {"image": data_uri(item)})
        return _checked(vector, self.dim)

    def embed(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        """Stack the vectors."""
        return np.stack(prepared)


class DashScopeTexts(TextEncoder):
    """Sentences as vectors, computed by the service, which cuts long ones."""

    batch_size = 8

    def __init__(self, service: DashScope, model: str, dim: int) -> None:
        self.name, self.dim = model, dim
        self._service = service

    def prepare(self, item: str) -> np.ndarray:
        """Send a text and get its vector."""
        return _checked(self._service.embed(self.name, {"text": check_text(item)}), self.dim)

    def embed(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        """Stack the vectors."""
        return np.stack(prepared)


def load(name: str) -> tuple[DashScopeImages, DashScopeTexts]:
    """Build the pair; ``helpers.scenarios.multimodal.joint.load_joint`` calls this.

    One call is made, to see that the key is right and how long the vectors are.

    Raises:
        HelpfulError: no call can succeed: no key, a wrong one, no network.
    """
    model = name.partition(":")[2] or _MODEL
    service = DashScope()
    try:
        dim = len(service.embed(model, {"text": "a photo"}))
    except BadItem as error:
        raise HelpfulError(f"DashScope's model {model} cannot be used: {error}.") from None
    return DashScopeImages(service, model, dim), DashScopeTexts(service, model, dim)


def _checked(vector: np.ndarray, dim: int) -> np.ndarray:
    if len(vector) != dim:
        raise BadItem(f"the service sent {len(vector)} numbers instead of {dim}")
    return vector
