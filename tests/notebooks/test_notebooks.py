"""Every notebook keeps the shape and the honesty that a reader counts on.

What is looked at stands in notebook_checks.py. That the notebooks run is nbmake's part.
"""

from pathlib import Path

import pytest

from tests.notebooks.notebook_checks import CHECKS, Notebook

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_notebooks():
    assert PATHS, f"no notebook in {FOLDER}: everything below would pass without looking"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_notebook(path, check):
    problems = list(check(Notebook.read(path)))
    assert not problems, "\n".join([path.name, *problems])
