"""The README's gallery, the committed scores and the committed notebooks tell the same figures."""

import base64
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import scores
from PIL import Image

from helpers.scoreboard import report
from tests.notebooks.notebook_checks import Notebook, text_of

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def gallery(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, root / "tools" / "gallery.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)


def test_the_readme_is_up_to_date():
    result = gallery(ROOT, "--check")
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_notebook_has_its_score_and_no_other_has():
    assert PATHS, "no notebooks: nothing below would be looked at"
    assert list(scores.committed()) == [path.stem for path in PATHS]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_notebook_shows_the_score_that_the_gallery_tells(path: Path):
    shown = "".join(text_of(output) for _, output in Notebook.read(path).outputs())
    score = scores.committed()[path.stem]
    assert report(score) in shown, "scores.json is not from this run of the notebook"
    assert scores.missed(score) == []
    assert score["seconds"] > 0


@pytest.fixture(params=["png", "jpeg"])
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    (tmp_path / "tools").mkdir()
    (tmp_path / "notebooks").mkdir()
    for name in ("gallery.py", "readme.py", "scores.py"):
        shutil.copy(ROOT / "tools" / name, tmp_path / "tools")
    score = {
        "notebook": "01_image_search",
        "rows": 720,
        "quality": {"P@5": [0.9031, 0.88], "P@1": [0.93, 0.9]},
        "recall": 0.998,
        "search_ms": 4.126,
        "rows_per_s": 310.0,
        "seconds": 31.2,
        "data": "720 photos",
        "model": "ResNet-18",
    }
    both = {"02_video_search": score | {"data": "13 clips"}, "01_image_search": score}
    (tmp_path / "notebooks" / "scores.json").write_text(json.dumps(both))
    file = io.BytesIO()
    Image.new("RGB", (900, 600), "red").save(file, request.param)
    data = {f"image/{request.param}": base64.b64encode(file.getvalue()).decode()}
    output = nbformat.v4.new_output("display_data", data)
    for name, tags in (("01_image_search", ["gallery"]), ("02_video_search", [])):
        cell = nbformat.v4.new_code_cell("show()", outputs=[output], metadata={"tags": tags})
        notebook = nbformat.v4.new_notebook(cells=[cell])
        nbformat.write(notebook, tmp_path / "notebooks" / f"{name}.ipynb")
    (tmp_path / "README.md").write_text(
        "# Title\n<!-- gallery:start -->\nold\n<!-- gallery:end -->\nThe rest.\n"
    )
    return tmp_path


def test_the_table_names_each_notebook_with_its_measured_figures(project: Path):
    assert gallery(project).returncode == 0
    assert Image.open(project / "docs" / "gallery" / "01_image_search.png").size == (440, 293)
    readme = (project / "README.md").read_text()
    assert readme.startswith("# Title\n<!-- gallery:start -->\n| notebook |")
    assert readme.endswith("|\n<!-- gallery:end -->\nThe rest.\n")
    rows = [line for line in readme.splitlines() if line.startswith("| [")]
    assert rows[0] == (
        "| [01 image search](notebooks/01_image_search.ipynb)"
        ' | <img src="docs/gallery/01_image_search.png" width="220"'
        ' alt="A result of 01 image search">'
        " | 720 photos | ResNet-18 | P@5 0.903<br>P@1 0.930 | 0.998 | 4.13 | 31.2 |"
    )
    assert rows[1].startswith(
        "| [02 video search](notebooks/02_video_search.ipynb) |  | 13 clips | Res"
    )


def test_check_tells_an_old_readme_from_a_new_one_and_changes_nothing(project: Path):
    before = (project / "README.md").read_text()
    stale = gallery(project, "--check")
    assert stale.returncode == 1
    assert "README.md differs" in stale.stdout
    assert (project / "README.md").read_text() == before
    gallery(project)
    assert gallery(project, "--check").returncode == 0


def test_a_readme_without_markers_is_left_alone(project: Path):
    (project / "README.md").write_text("# Title\n<!-- gallery:end -->\n")
    result = gallery(project)
    assert result.returncode == 1
    assert "has no <!-- gallery:start -->" in result.stderr
    assert (project / "README.md").read_text() == "# Title\n<!-- gallery:end -->\n"
