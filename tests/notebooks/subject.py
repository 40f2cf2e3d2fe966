"""What a notebook defines, for the tests that run it on odd inputs, and an encoder for them."""

import ast
from collections.abc import Container
from pathlib import Path
from typing import Any

import numpy as np

from helpers.encoders.base import PictureEncoder
from helpers.inputs.pictures import open_image
from tests.notebooks.notebook_checks import Notebook, python_of

_NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


class MeanColour(PictureEncoder):
    """As quick as an encoder can be."""

    name, dim = "mean-colour", 3

    def prepare(self, item):
        return np.asarray(open_image(item), np.float32).mean((0, 1)) + 1

    def embed(self, prepared):
        return np.stack(prepared)


def subject(name: str, **given: Any) -> dict[str, Any]:
    """Run a notebook's imports, parameters and definitions, and nothing else of it.

    Constants, whose names are in capitals, count as definitions in the cells tagged ``subject``.

    Args:
        name: the notebook's name, for example ``"02_video_search"``.
        given: what its functions find as globals; wins over the notebook's parameters.

    Returns:
        its namespace: each function, class, parameter and import under its name.
    """
    notebook = Notebook.read(_NOTEBOOKS / f"{name}.ipynb")
    parameters = [c for c in notebook.code if "parameters" in c.metadata.get("tags", [])]
    nodes = python_of(notebook.code).body
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    definitions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    tagged = [c for c in notebook.code if "subject" in c.metadata.get("tags", [])]
    constants = [node for node in python_of(tagged).body if _is_constant(node, given)]
    namespace: dict[str, Any] = {"__name__": name}
    for body in (imports, python_of(parameters).body, definitions, constants):
        exec(compile(ast.Module(body, type_ignores=[]), name, "exec"), namespace)
        namespace |= given  # after the parameters, before the definitions whose defaults use them
    return namespace


def _is_constant(node: ast.stmt, given: Container[str]) -> bool:
    if not isinstance(node, ast.Assign):
        return False
    names = [each.id for each in ast.walk(node.targets[0]) if isinstance(each, ast.Name)]
    return all(name.isupper() and name not in given for name in names)
