"""What loads with each core module, seen in a fresh process: nothing heavy that it can do without.

A notebook imports from a dozen modules, and torch or matplotlib alone take seconds.
"""

import subprocess
import sys

import pytest

from helpers.paths import ROOT

HELPERS = ROOT / "helpers"
HEAVY = {
    *("IPython", "PIL", "cv2", "faiss", "gdown", "huggingface_hub", "ipywidgets", "matplotlib"),
    *("milvus_lite", "numpy", "pandas", "pymilvus", "redis", "requests", "safetensors", "scipy"),
    *("sklearn", "torch", "torchvision", "transformers"),
}
# What a module is about may load with it.
NEEDED = {
    "helpers.encoders": {"numpy"},
    "helpers.encoders.base": {"numpy"},
    "helpers.ingest": {"numpy"},
    "helpers.measure": {"numpy"},
    "helpers.inputs.pictures": {"PIL", "numpy"},
    "helpers.inputs.texts": {"PIL", "matplotlib", "numpy"},
    "helpers.photos": {"PIL", "numpy"},  # it looks whether files are pictures
    "helpers.show": {"PIL", "matplotlib", "numpy", "pandas"},  # it sets how tables are shown, too
    "helpers.widgets": {"IPython", "ipywidgets"},
}
MODULES = [
    *(f"helpers.{file.stem}".removesuffix(".__init__") for file in sorted(HELPERS.glob("*.py"))),
    *(f"helpers.inputs.{name}" for name in ("files", "pictures", "tables", "texts")),
    *(f"helpers.fetching.{name}" for name in ("archives", "downloads", "hub")),
    *("helpers.encoders", "helpers.encoders.base", "helpers.engines.keeper"),
]


def heavy_after(code: str) -> set[str]:
    """The heavy packages that are loaded once a code has run in a process of its own."""
    code += "; import sys; print(*sys.modules)"
    names = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split()
    return HEAVY & {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("module", MODULES)
def test_nothing_heavy_loads_with_a_core_module(module):
    assert heavy_after(f"import {module}") <= NEEDED.get(module, set())


def test_what_is_heavy_is_seen():
    assert heavy_after("import helpers.paths, PIL.Image") == {"PIL"}
    assert heavy_after("from helpers.paths import ROOT; import numpy.linalg") == {"numpy"}
