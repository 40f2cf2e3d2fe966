"""Turn published model weights into safetensors without running what a pickle asks for."""

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch._utils import _rebuild_tensor_v2

from helpers.errors import HelpfulError


class WeightsError(HelpfulError):
    """A file of weights that is damaged, or that asks for more than weights need."""


def to_safetensors(source: Path | str, destination: Path | str, kind: str) -> Path:
    """Read a state dict safely and write it as safetensors, which can hold nothing but tensors.

    The counters ``num_batches_tracked`` are left out: only training uses them, some copies of the
    same weights have them and some do not, and ``load_state_dict(strict=True)`` fills them in.

    Args:
        source: the weights as published.
        destination: the file to write.
        kind: ``state_dict_pickle`` for a raw pickle of a state dict, ``torch_state_dict`` for
            what ``torch.save`` writes, ``torch_checkpoint`` for a tuple of it whose first part
            is the state dict; NumPy's plain numbers are allowed in the other parts.

    Returns:
        ``destination``.

    Raises:
        WeightsError: the file is damaged, is not a state dict, or names anything else than the
            few things a state dict is made of; nothing of it was run.
    """
    source, destination = Path(source), Path(destination)
    read = _READERS[kind]
    try:
        with source.open("rb") as stream:
            state = read(stream)
    except OSError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        reason = str(error).split(". ")[0].strip() or type(error).__name__
        raise WeightsError(
            f"{source.name} was not read as weights ({reason}); get it again from a place you "
            "trust."
        ) from error
    named = isinstance(state, dict) and all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    )
    if not (named and state):
        raise WeightsError(
            f"{source.name} holds something else than a state dict of named tensors; check that "
            "it is the right file."
        )
    # Cloned, because safetensors refuses tensors that share memory or are not contiguous.
    tensors = {
        name: tensor.detach().contiguous().clone()
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }
    save_file(tensors, destination)
    # safetensors makes the file private to its owner; a cache may be shared.
    destination.chmod(source.stat().st_mode)
    return destination


_load = partial(torch.load, map_location="cpu", weights_only=True)


def _load_checkpoint(stream: io.BufferedIOBase) -> object:
    numbers = [np.dtype(kind) for kind in ("int32", "int64", "float32", "float64")]
    scalar = np._core.multiarray.scalar
    allowed = [scalar, (scalar, "numpy.core.multiarray.scalar")]  # as NumPy 2 and 1 name it
    with torch.serialization.safe_globals([*allowed, np.dtype, *map(type, numbers)]):
        return _load(stream)[0]


class _Function:
    """A function for a pickle to call and not to change, as it could change the function itself."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., object]) -> None:
        object.__setattr__(self, "_call", call)

    def __call__(self, *arguments: object) -> object:
        return self._call(*arguments)

    def __setattr__(self, *_: object) -> None:
        raise pickle.UnpicklingError("it would change a function")

    __setstate__ = __setattr__


class _StateDictUnpickler(pickle.Unpickler):
    """Knows the three names that a pickled state dict is built from, and refuses all others."""

    _KNOWN = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Function(_rebuild_tensor_v2),
        # The original of this name unpickles without any limit.
        ("torch.storage", "_load_from_bytes"): _Function(lambda data: _load(io.BytesIO(data))),
    }

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in self._KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return self._KNOWN[module, name]


_READERS = {
    "state_dict_pickle": lambda stream: _StateDictUnpickler(stream).load(),
    "torch_state_dict": _load,
    "torch_checkpoint": _load_checkpoint,
}
