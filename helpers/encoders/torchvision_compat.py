"""The one place that imports torchvision.

The package index has no CPU build of torchvision for Linux. Beside a CPU build of torch its
compiled library cannot be loaded, and the import stops at ``operator torchvision::nms does not
exist``.
Declaring the two operators that torchvision describes at import time is enough: models, transforms
and box arithmetic work, only the compiled operators themselves (``nms``, ``roi_align``,
``torchvision.io``) do not.

Use it as ``from helpers.encoders.torchvision_compat import torchvision``.
"""

import importlib.util
from pathlib import Path

import torch

_OPERATORS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def _compiled_library_loads() -> bool:
    """Whether torchvision's own compiled library fits the torch that is installed."""
    package = Path(importlib.util.find_spec("torchvision").origin).parent
    libraries = [*package.glob("_C*.so"), *package.glob("_C*.pyd")]
    try:
        for library in libraries:
            torch.ops.load_library(str(library))
    except OSError:  # a CUDA build looks for CUDA libraries that a CPU torch does not bring
        return False
    return bool(libraries)


if not _compiled_library_loads():
    # torch forgets the operators when this object is collected, so the module keeps it.
    _library = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _library.define(_name + _OPERATORS)

import torchvision  # noqa: E402  (the operators must be declared first)

__all__ = ["torchvision"]
