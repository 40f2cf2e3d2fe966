"""Photos and sentences in one space: pairs of encoders from elsewhere; notebook 10 has its own."""

import importlib
from typing import NamedTuple

from helpers.encoders.base import Encoder
from helpers.errors import HelpfulError

_MODULES = ("clip", "dashscope")  # of this package; their ``load(name)`` builds a pair


class Joint(NamedTuple):
    """Two encoders whose vectors can be compared with each other.

    Attributes:
        images: takes paths, bytes of files and Pillow images.
        texts: takes strings; its ``dim`` and ``metric`` are those of ``images``.
    """

    images: Encoder
    texts: Encoder


def load_joint(name: str) -> Joint:
    """Load a pair of encoders for photos and sentences.

    Args:
        name: ``"clip"`` (512-d), which is ``openai/clip-vit-base-patch32``, or another CLIP model
            by its name on the Hugging Face hub or the path of its folder; ``"dashscope"``
            (1,024-d), a service of Alibaba Cloud that wants a key, or ``"dashscope:MODEL"`` for
            another of its multimodal embedding models.

    Raises:
        HelpfulError: there is no such pair, its weights or its service cannot be reached, or the
            key is missing or wrong. Nothing else is ever loaded in its place.
    """
    module = "dashscope" if name.startswith("dashscope:") else name
    if module not in _MODULES and "/" in name:
        module = "clip"  # a name with a slash is one on the hub, or a path
    if module not in _MODULES:
        raise HelpfulError(
            f"There is no pair of encoders named {name!r}; choose one of conse, clip, dashscope, "
            "or a CLIP model by its name on the Hugging Face hub, such as "
            "openai/clip-vit-large-patch14."
        )
    return Joint(*importlib.import_module(f"helpers.scenarios.multimodal.{module}").load(name))
