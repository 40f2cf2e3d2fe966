"""Wherever helpers is imported, OpenMP's threads sleep while they wait."""

import ast
import os
import subprocess
import sys

import pytest

from helpers.paths import ROOT
from tests.notebooks.notebook_checks import Notebook, python_of

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What notebooks may import before the first thing of ours: nothing of it loads OpenMP.
HARMLESS = sys.stdlib_module_names | {"psutil", "pymilvus"}


def fresh(code: str, **environment: str) -> subprocess.CompletedProcess:
    """Run ``code`` in a process of its own that knows no policy but the given one."""
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    command = [sys.executable, "-c", code]
    options = {"capture_output": True, "text": True, "check": True, "cwd": ROOT}
    return subprocess.run(command, env=inherited | environment, **options)


@pytest.mark.parametrize(
    ("environment", "policy"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")]
)
def test_the_policy_is_set_unless_there_is_one_and_nothing_heavy_is_loaded_by_then(
    environment: dict, policy: str
):
    code = (
        "import helpers, os, sys; print(os.environ['OMP_WAIT_POLICY']); "
        "print({'torch', 'faiss', 'sklearn', 'numpy', 'pymilvus'} & set(sys.modules))"
    )
    assert fresh(code, **environment).stdout.split("\n") == [policy, "set()", ""]


@pytest.mark.skipif(sys.platform != "linux", reason="asks GNU's OpenMP, which Linux uses")
@pytest.mark.parametrize("library", ["torch", "faiss", "sklearn.cluster"])
def test_openmp_itself_hears_it(library: str):
    """Threads that wait do not go round in circles first; unless told they do so 300,000 times."""
    told = fresh(f"import helpers.errors, {library}", OMP_DISPLAY_ENV="VERBOSE").stderr
    untold = fresh(f"import {library}, helpers.errors", OMP_DISPLAY_ENV="VERBOSE").stderr
    assert "GOMP_SPINCOUNT = '0'" in told
    assert "GOMP_SPINCOUNT = '0'" not in untold, "set too late, this could not fail"


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what is loaded")
@pytest.mark.parametrize(("library", "loads"), [("pymilvus", False), ("faiss", True)])
def test_what_is_called_harmless_loads_no_openmp(library: str, loads: bool):
    code = f"import {library}; print(open('/proc/self/maps').read())"
    assert ("libgomp" in fresh(code).stdout) is loads


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_imports_helpers_before_anything_that_loads_openmp(path):
    names = []
    for node in ast.walk(python_of(Notebook.read(path).cells)):
        if isinstance(node, ast.ImportFrom):
            names.append((node.lineno, node.module))
        elif isinstance(node, ast.Import):
            names += [(node.lineno, alias.name) for alias in node.names]
    packages = [name.partition(".")[0] for _, name in sorted(names)]
    assert set(packages[: packages.index("helpers")]) <= HARMLESS
