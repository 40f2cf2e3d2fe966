"""tools/engines.py: what engines could do, and what the notebooks did there."""

import engines
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

pytest_plugins = ["tests.services_world"]


@pytest.fixture
def build(tmp_path, monkeypatch, stores):
    monkeypatch.setenv("BOOTCAMP_BUILD", str(tmp_path))
    monkeypatch.setattr(engines, "REPORT", tmp_path / "engines.json")
    monkeypatch.setattr(engines, "NOTEBOOKS", tmp_path / "notebooks")
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def write(path, *cells):
    """A notebook of pairs: a source, and what it printed."""
    made = [
        new_code_cell(source, outputs=[new_output("stream", text=text)], id=f"cell{place}")
        for place, (source, text) in enumerate(cells)
    ]
    nbformat.write(new_notebook(cells=made), path)


ASKS = "bits = capabilities(milvus).binary_vectors"


def test_another_way_is_what_a_cell_that_asks_the_engine_prints_otherwise(build):
    write(
        build / "notebooks" / "01_a.ipynb",
        ("print(5)", "5\n"),
        (ASKS, "Milvus Lite 3.2.2, embedded\nstored as floats\nthe same\n"),
        (ASKS, "no change\n"),
    )
    write(
        build / "01_a.ipynb",
        ("print(5)", "6\n"),
        (ASKS, "Milvus 2.3.5 at localhost\nRedis 6\nstored as bits\nthe same\n"),
        (ASKS, "no change\n"),
    )
    ways = engines.other_ways(build / "01_a.ipynb", build / "notebooks" / "01_a.ipynb")
    assert ways == ["cell 2: stored as bits"]
    assert engines.other_ways(build / "none.ipynb", build / "notebooks" / "01_a.ipynb") == []


def test_the_table_has_versions_abilities_and_every_notebook(build, monkeypatch):
    monkeypatch.setenv("MILVUS_URI", str(build / "other" / "milvus.db"))
    for folder in (build, build / "notebooks"):
        write(folder / "01_a.ipynb", (ASKS, "x\n"))
    problems = {"01_a": "", "02_b": "cell 3: HelpfulError: no bits"}
    lines = [
        line.split(maxsplit=1) for line in engines.table(engines.examine(problems)).splitlines()
    ]
    said = dict(line for line in lines if len(line) == 2)
    assert said["server"] == "Milvus Lite 3.2.2"
    assert said["pymilvus"] == "3.0.2"
    assert said["full"] == "text (BM25)          yes".replace("          ", "         ")
    assert said["binary"].split() == ["vectors", "no"]
    assert said["group"].split() == ["by", "yes"]
    assert said["01_a"] == "ran"
    assert said["02_b"] == "cell 3: HelpfulError: no bits"


def test_engines_that_do_not_answer_are_said(build, monkeypatch, closed_port):
    monkeypatch.setenv("MILVUS_URI", f"http://localhost:{closed_port}")
    report = engines.examine({"01_a": "cell 1: ServiceError: No Milvus answers"})
    assert report["can"] == {}
    assert "No Milvus answers at localhost" in engines.table(report)
