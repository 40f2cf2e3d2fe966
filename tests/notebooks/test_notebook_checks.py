"""The checks of notebook_checks.py find nothing in a good notebook, and each fault in a bad one."""

import base64
import io
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from tests.notebooks.notebook_checks import CHECKS, HEADINGS, Notebook

PREFACE = """# Made-up search

Finds made-up things that look alike.

| data | model | engine | seconds |
| --- | --- | --- | --- |
| none | none | Milvus Lite | 1 |

**What you will learn**: nothing at all, but in the right order."""

SUBJECT = "# The subject, shown.\n" + "x = 1\n" * 12
CODE = {
    "Parameters": ["TOP_K = 10"],
    "1 Connect": ['milvus = connect_milvus("made_up")'],
    "3 Turn it into vectors": [SUBJECT, SUBJECT, "%matplotlib inline\nvectors = encode(photos)"],
    "4 Store the vectors": ['milvus.create_collection("photos")', 'milvus.upsert("photos", rows)'],
    "5 Search": ['milvus.search("photos", data=[query], limit=TOP_K)', "show(hits)"],
    "6 How good is it?": ["assert precision >= 0.88", 'scoreboard.record("00_good", rows=9)'],
    "7 Try your own": ["show(app)"],
}
FOLDED = "<details><summary>Answer</summary>\n\nForty-two.\n\n</details>"
WIDGET = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "VBox()"}


def png(width: int = 8, height: int = 8, noise: bool = False, kind: str = "PNG") -> str:
    picture = io.BytesIO()
    image = Image.effect_noise((width, height), 99) if noise else Image.new("L", (width, height))
    image.save(picture, kind)
    return base64.b64encode(picture.getvalue()).decode()


def jpeg(width: int = 8, height: int = 8, noise: bool = False) -> str:
    return png(width, height, noise, "JPEG")


def good() -> nbformat.NotebookNode:
    """The smallest notebook that is all a notebook here should be."""
    cells = [new_markdown_cell(PREFACE)]
    for heading in HEADINGS:
        cells.append(new_markdown_cell(f"## {heading}\n\nA few plain words say why we do it."))
        for source in CODE.get(heading, []):
            cells.append(new_code_cell(source))
            cells.append(new_markdown_cell("And what came of it."))
        if heading == "8 Exercises":
            cells.append(new_markdown_cell(f"{FOLDED}\n\n{FOLDED}"))
        if heading.startswith("9"):
            cells.append(new_markdown_cell("To clean up, drop the collection."))
    kernel = {"name": "python3", "display_name": "Python 3"}
    book = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    book.cells[2].metadata.tags = ["parameters"]
    code = [cell for cell in cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, 1):
        cell.execution_count = count
        if cell.source == SUBJECT:
            cell.metadata.tags = ["subject"]
    picture = {"image/png": png(), "image/jpeg": jpeg(), "text/plain": "<Figure size 8x8>"}
    code_cell(book, "show(hits)").outputs = [new_output("display_data", data=picture)]
    code_cell(book, "show(app)").outputs = [new_output("stream", text="three photos\n")]
    return book


def code_cell(book: nbformat.NotebookNode, text: str) -> nbformat.NotebookNode:
    return next(c for c in book.cells if c.cell_type == "code" and text in c.source)


def problems_of(book: nbformat.NotebookNode, size: int = 100_000) -> list[str]:
    notebook = Notebook("00_good", book, size)
    return [problem for check in CHECKS for problem in check(notebook)]


def replace(old: str, new: str) -> Callable[[nbformat.NotebookNode], None]:
    """A fault: ``old`` reads ``new``, in every cell."""

    def spoil(book: nbformat.NotebookNode) -> None:
        assert any(old in cell.source for cell in book.cells)
        for cell in book.cells:
            cell.source = cell.source.replace(old, new)

    return spoil


def shows(kind: str, **fields: object) -> Callable[[nbformat.NotebookNode], None]:
    """A fault: a cell that shows this output."""
    output = new_output(kind, **fields)
    return lambda book: code_cell(book, "TOP_K = 10").outputs.append(output)


def adds(source: str) -> Callable[[nbformat.NotebookNode], None]:
    """A fault: a cell that has this code at its end."""
    return replace("show(hits)", f"show(hits)\n{source}")


def talk_on(book: nbformat.NotebookNode) -> None:
    book.cells[-1].source += " and on" * 1300


def untag(book: nbformat.NotebookNode) -> None:
    code_cell(book, "The subject, shown.").metadata.tags = []


def set_count(book: nbformat.NotebookNode) -> None:
    code_cell(book, "show(app)").execution_count = 2


def tag_twice(book: nbformat.NotebookNode) -> None:
    code_cell(book, "show(app)").metadata.tags = ["parameters"]


def tag_elsewhere(book: nbformat.NotebookNode) -> None:
    tag_twice(book)
    code_cell(book, "TOP_K").metadata.tags = []


def nothing_to_see(book: nbformat.NotebookNode) -> None:
    code_cell(book, "show(app)").outputs = []


def own_kernel(book: nbformat.NotebookNode) -> None:
    book.metadata.kernelspec.name = "my-env"


def invalid(book: nbformat.NotebookNode) -> None:
    book.cells[1].cell_type = "prose"


def cut_short(book: nbformat.NotebookNode) -> None:
    del book.cells[24:]


def go_on(book: nbformat.NotebookNode) -> None:
    book.cells.extend(new_markdown_cell("And on.") for _ in range(30))


def same_id_twice(book: nbformat.NotebookNode) -> None:
    book.cells[5].id = book.cells[6].id


def nine_lines_each(book: nbformat.NotebookNode) -> None:
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.source += "\nx = 1" * 8


def swap_sections(book: nbformat.NotebookNode) -> None:
    replace("## 4 Store the vectors", "## 5 Search")(book)


def text(words: str, name: str = "stdout") -> Callable[[nbformat.NotebookNode], None]:
    return shows("stream", name=name, text=words)


def data(**kinds: str) -> Callable[[nbformat.NotebookNode], None]:
    return shows("display_data", data={kind.replace("_", "/"): kinds[kind] for kind in kinds})


FAULTS = {
    "no title": (replace("# Made-up search", "Made-up search"), "does not open with"),
    "no description": (replace("Finds made-up things that look alike.", ""), "does not open with"),
    "two sentences": (replace("look alike.", "look alike. It is great."), "one sentence"),
    "no table": (replace("| engine |", "| motor |"), "no table headed"),
    "no aims": (replace("What you will learn", "Aims"), "What you will learn"),
    "headings out of order": (swap_sections, "its headings are"),
    "a heading too many": (replace("And what", "## Extra\n\nAnd what"), "its headings are"),
    "two parameter cells": (tag_twice, "2 cells are tagged"),
    "parameters elsewhere": (tag_elsewhere, "not the code cell under"),
    "a long cell": (adds("x = 1\n" * 15), "has 16 lines"),
    "long cells": (nine_lines_each, "half its code cells"),
    "more code than prose": (adds("x = [" + "1, " * 900 + "]"), "too few"),
    "too many words": (talk_on, "words of prose, more than 2600"),
    "the subject elsewhere": (untag, "13 lines are tagged subject"),
    "a figure from nowhere": (replace("And what", "It finds .93. And what"), "shows the .93"),
    "a figure rounded wrongly": (replace("And what", "Of 1.25 s. And what"), "shows the 1.25"),
    "too few cells": (cut_short, "24 cells, not 25 to 66"),
    "too many cells": (go_on, "67 cells, not 25 to 66"),
    "not in order": (set_count, "not one clean run"),
    "an error": (
        shows("error", ename="KeyError", evalue="'id'", traceback=[]),
        "an error: KeyError",
    ),
    "a warning": (text("x.py:1: UserWarning: old"), "shows a warning"),
    "a warning on stderr": (text("[warn] slow", "stderr"), "shows a warning"),
    "a progress bar": (text(" 40%|####      | 4/10"), "progress bar"),
    "a carriage return": (text("1/3\r2/3"), "progress bar"),
    "a memory address": (text("<Photo object at 0x7f1ad6f50c50>"), "memory address"),
    "a home folder": (text("cached in /root/.cache"), "/root"),
    "a temporary folder": (adds('path = "/tmp/photos"'), "/tmp"),
    "a Windows folder": (text(r"read C:\Users\ada\photos"), r"C:\Users"),
    "a path in HTML": (data(text_html="<a href='/home/ada'>", text_plain="x"), "/home"),
    "a path in prose": (replace("And what", "See /work/notes. And what"), "/work"),
    "a widget": (shows("display_data", data=WIDGET), "is a widget"),
    "a lone picture": (data(image_png=png()), "without a text/plain"),
    "a wide picture": (data(image_png=png(1601), text_plain="x"), "1601 px wide"),
    "a heavy picture": (data(image_png=png(900, 900, noise=True), text_plain="x"), "is a PNG of"),
    "no picture at all": (data(image_png="AAAA", text_plain="x"), "0 px wide"),
    "a lone photo": (data(image_jpeg=jpeg()), "without a text/plain"),
    "a wide photo": (data(image_jpeg=jpeg(1601), text_plain="x"), "1601 px wide"),
    "a heavy photo": (data(image_jpeg=jpeg(1200, 900, True), text_plain="x"), "is a JPEG of"),
    "no photo at all": (data(image_jpeg="AAAA", text_plain="x"), "0 px wide"),
    "a PNG called a JPEG": (data(image_jpeg=png(), text_plain="x"), "is a JPEG 0 px wide"),
    "nothing asserted": (replace("assert precision >= 0.88", "precision"), "asserts no figure"),
    "an empty assert": (replace("assert precision >= 0.88", "assert True"), "asserts no figure"),
    "nothing recorded": (replace("scoreboard.record(", "print("), "does not call scoreboard"),
    "another's record": (replace('record("00_good"', 'record("01"'), "does not call scoreboard"),
    "no collection": (replace("milvus.create_collection", "helper"), "creates a collection"),
    "nothing stored": (replace("milvus.upsert", "helper"), "stores vectors"),
    "nothing searched": (replace("milvus.search", "helper"), "searches"),
    "section 7 is blank": (nothing_to_see, "section 7 shows nothing"),
    "no answers": (replace("<details>", "<p>"), "folded answers"),
    "an answer left open": (replace("</details>", ""), "folded answers"),
    "no clean-up": (replace("To clean up, drop", "Drop"), "clean up"),
    "pip": (adds("!pip install x"), "installs packages"),
    "pip by magic": (adds("%pip install x"), "installs packages"),
    "pip by module": (adds("!python -m pip install x"), "installs packages"),
    "a password": (adds('password = "hunter22"'), "password or key"),
    "a token": (adds('client = MilvusClient(token="root:Milvus")'), "password or key"),
    "a key": (adds('key = "sk-0123456789abcdef01"'), "password or key"),
    "a key by environment": (adds('os.environ["X_API_KEY"] = "abcdef"'), "password or key"),
    "an address with a password": (adds('url = "redis://:hunter2@localhost"'), "password or key"),
    "sleep": (adds("import time\ntime.sleep(1)"), "sleeps"),
    "a swallowed exception": (adds("try:\n    x()\nexcept OSError:\n    pass"), "swallows"),
    "another kernel": (own_kernel, "kernel of its own"),
    "an id twice": (same_id_twice, "share an id"),
    "an invalid file": (invalid, "not a valid notebook"),
}


def test_a_good_notebook_has_no_problems():
    assert problems_of(good()) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str):
    spoil, complaint = FAULTS[fault]
    book = good()
    spoil(book)
    assert complaint in "\n".join(problems_of(book))


def test_a_large_file_is_found():
    assert "1.6 MB" in "\n".join(problems_of(good(), size=1_600_000))


def test_every_check_can_fail():
    failing = set()
    for spoil, _ in FAULTS.values():
        book = good()
        spoil(book)
        failing |= {check for check in CHECKS if list(check(Notebook("00_good", book, 1000)))}
    assert failing == set(CHECKS)


@pytest.mark.parametrize(
    "harmless",
    [
        "see https://example.org/home/page and 1/root/2",
        "Storm Warning Issued for the coast",
        "100 % | done",
        "tokenizer = 'bert'",
        "Milvus 2.3.5 and v1.5 of https://arxiv.org/abs/1512.03385",
        "<details><summary>Answer</summary>\n\nIt was .71.\n\n</details>",
        "with all of it .71, by `make notebooks NB=00_good`",
    ],
)
def test_ordinary_text_is_no_fault(harmless: str):
    book = good()
    text(harmless)(book)
    replace("And what", f"{harmless}. And what")(book)
    assert problems_of(book) == []


@pytest.mark.parametrize("shown", ["0.934", ".93", "score: 0.9349", "0.9251 ms"])
def test_a_figure_may_be_rounded(shown: str):
    book = good()
    text(shown)(book)
    replace("And what", "It finds .93. And what")(book)
    assert problems_of(book) == []


def test_blank_lines_are_no_statements():
    book = good()
    for cell in book.cells:
        if cell.cell_type == "code" and cell.source != SUBJECT:
            cell.source += "\n\nx=1" * 5 + "\n"
    assert problems_of(book) == []


def test_base64_is_not_read_as_text():
    book = good()
    data(text_html="<img src='data:image/png;base64,AAAA+/tmp/AAAA'>", text_plain="x")(book)
    assert problems_of(book) == []


def test_a_good_notebook_is_good_when_read_from_its_file(tmp_path: Path):
    path = tmp_path / "00_good.ipynb"
    nbformat.write(good(), path)
    notebook = Notebook.read(path)
    assert notebook.size == path.stat().st_size
    assert [problem for check in CHECKS for problem in check(notebook)] == []
