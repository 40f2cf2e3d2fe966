"""What a notebook defines, for the tests that run it on odd inputs."""

import ast
from pathlib import Path
from typing import Any

from tests.notebooks.notebook_checks import Notebook, python_of

_NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def subject(name: str, **given: Any) -> dict[str, Any]:
    """Run a notebook's imports, parameters and definitions, and nothing else of it.

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
    namespace: dict[str, Any] = {"__name__": name}
    for body in (imports, python_of(parameters).body, definitions):
        exec(compile(ast.Module(body, type_ignores=[]), name, "exec"), namespace)
        namespace |= given  # after the parameters, before the definitions whose defaults use them
    return namespace
