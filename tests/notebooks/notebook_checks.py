"""What every notebook of this project must be; each check returns what it found wrong, in words.

tests/test_notebooks.py applies them to the notebooks, tests/test_notebook_checks.py to made-up bad
ones, so that no check can pass by looking at nothing.
"""

import ast
import base64
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from PIL import Image, UnidentifiedImageError

HEADINGS = [
    "Parameters",
    "1 Connect",
    "2 Get the data",
    "3 Turn it into vectors",
    "4 Store the vectors",
    "5 Search",
    "6 How good is it?",
    "7 Try your own",
    "8 Exercises",
    "9 Where to go from here",
]
FACTS = ["data", "model", "engine", "seconds"]
MAX_BYTES = 1_500_000
MAX_CELLS, MIN_CELLS = 66, 25  # six of them for what an app needs apart
MAX_LINES, MAX_MEDIAN_LINES = 15, 8
MAX_PICTURE_BYTES, MAX_PICTURE_WIDTH = 400_000, 1600
MIN_SUBJECT_LINES = 25
MAX_WORDS = 2600
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# A path of the machine the notebook ran on; not a part of an address such as https://x.org/home/.
MACHINE_PATH = re.compile(
    r"(?<![\w.~/:<-])/(?:home|root|tmp|work|Users|private|mnt|var/folders)\b|\b[A-Z]:\\+(?:Users|home)"
)
SECRET = re.compile(
    r"\b(?:sk-[\w-]{16,}|gh[pousr]_\w{20,}|hf_\w{20,}|AKIA[0-9A-Z]{16})\b"
    r"|(?i:(?:password|passwd|token|secret|api_?key)[\"'\]]*\s*=\s*[\"'][^\"'\s]{3,}[\"'])"
    r"|://[^/\s:@\"']*:[^/\s@\"'{]+@"
)
# 0.93 and .93, but not the 3.2 of a version 3.2.2, of a name such as v1.5 or of a date.
FIGURE = re.compile(r"(?<![\w.])\d*\.\d+(?![\d.]*\.\d|\w)")
MILVUS_STEPS = {
    # The second group of names is FiftyOne's, whose back end makes the calls in notebook 11.
    "creates a collection": r"\.(?:create_collection|compute_similarity)\(",
    "stores vectors": r"\.(?:upsert|insert|compute_similarity)\(",
    "searches": r"\.(?:search|hybrid_search|sort_by_similarity)\(",
}

Problems = Iterator[str]


@dataclass
class Notebook:
    """A notebook as the checks see it; ``size`` is that of its file, in bytes."""

    name: str
    book: nbformat.NotebookNode
    size: int

    @classmethod
    def read(cls, path: Path) -> "Notebook":
        # Not nbformat.read, which mends on the way what check_format is to find.
        book = nbformat.v4.reads(path.read_text(encoding="utf-8"))
        return cls(path.stem, book, path.stat().st_size)

    @property
    def cells(self) -> list[nbformat.NotebookNode]:
        return self.book.cells

    @property
    def code(self) -> list[nbformat.NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == "code" and cell.source.strip()]

    @property
    def prose(self) -> str:
        return "\n\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")

    def section(self, heading: str) -> list[nbformat.NotebookNode]:
        """The cells from the one with ``## heading`` to the one before the next such heading."""
        found: list[nbformat.NotebookNode] = []
        inside = False
        for cell in self.cells:
            if headings := headings_of(cell):
                inside = heading in headings
            if inside:
                found.append(cell)
        return found

    def outputs(self) -> Iterator[tuple[int, nbformat.NotebookNode]]:
        """Each output with the execution count of its cell."""
        for cell in self.code:
            for output in cell.outputs:
                yield cell.execution_count, output


def headings_of(cell: nbformat.NotebookNode) -> list[str]:
    """The second-level headings in a markdown cell, code blocks left out."""
    if cell.cell_type != "markdown":
        return []
    text = re.sub(r"^```.*?^```", "", cell.source, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^## +(.+?) *$", text, flags=re.MULTILINE)


def text_of(output: nbformat.NotebookNode) -> str:
    """All that can be read in an output; pictures and sound left out, in HTML too."""
    if output.output_type == "stream":
        return output.text
    if output.output_type == "error":
        return "\n".join([output.ename, output.evalue, *output.traceback])
    texts = [
        value if isinstance(value, str) else repr(value)
        for kind, value in output.data.items()
        if not kind.startswith(("image/", "audio/", "video/")) or kind == "image/svg+xml"
    ]
    return re.sub(r"base64,[A-Za-z0-9+/=\s]+", "base64,", "\n".join(texts))


def python_of(cells: list[nbformat.NotebookNode]) -> ast.Module:
    """The code of ``cells`` as one tree, with Jupyter's own % and ! lines as the calls they are."""
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    return ast.parse("\n".join(map(TransformerManager().transform_cell, sources)))


def check_format(notebook: Notebook) -> Problems:
    if len({cell.get("id") for cell in notebook.cells}) < len(notebook.cells):
        yield "two cells share an id"
        return
    try:
        nbformat.validate(notebook.book)
    except nbformat.ValidationError as error:
        yield f"not a valid notebook: {str(error).splitlines()[0]}"
    if notebook.size >= MAX_BYTES:
        yield f"{notebook.size / 1e6:.1f} MB is too large for a repository and its readers"
    if notebook.book.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "asks for a kernel of its own: only python3 exists everywhere"


def check_title(notebook: Notebook) -> Problems:
    first = notebook.cells[0].source if notebook.cells else ""
    opening = re.match(r"# +\S[^\n]*\n+([^\n|#][^|#]*?)(?:\n\n|\Z)", first)
    if not opening:
        yield "does not open with '# Title' and a sentence that says what it does"
    elif len(re.findall(r"[.!?](?:\s|$)", opening.group(1))) != 1:
        yield f"describes itself in other than one sentence: {opening.group(1)!r}"
    preface = notebook.prose.split("## Parameters")[0]
    rows = [line.lower().strip(" |").split("|") for line in preface.splitlines()]
    if FACTS not in [[fact.strip() for fact in row] for row in rows]:
        yield f"has no table headed {' · '.join(FACTS)} before its parameters"
    if "what you will learn" not in preface.lower():
        yield "does not say 'What you will learn' before its parameters"


def check_headings(notebook: Notebook) -> Problems:
    found = [heading for cell in notebook.cells for heading in headings_of(cell)]
    found = [heading for heading in found if heading.lower() != "what you will learn"]
    if found != HEADINGS:
        yield f"its headings are {found}, not {HEADINGS}"


def check_parameters(notebook: Notebook) -> Problems:
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    following = [c for c in notebook.section("Parameters") if c.cell_type == "code"]
    if len(tagged) != 1:
        yield f"{len(tagged)} cells are tagged parameters, not one"
    elif following[:1] != tagged or tagged[0].cell_type != "code":
        yield "the cell tagged parameters is not the code cell under '## Parameters'"


def check_size_of_cells(notebook: Notebook) -> Problems:
    if not MIN_CELLS <= len(notebook.cells) <= MAX_CELLS:
        yield f"{len(notebook.cells)} cells, not {MIN_CELLS} to {MAX_CELLS}"
    lines = [len(cell.source.splitlines()) for cell in notebook.code]
    for cell, length in zip(notebook.code, lines, strict=True):
        if length > MAX_LINES:
            yield f"cell [{cell.execution_count}] has {length} lines, more than {MAX_LINES}"
    statements = [
        len(re.findall(r"^(?!from |import |\s*$)", c.source, re.M)) for c in notebook.code
    ]
    if statements and median(statements) > MAX_MEDIAN_LINES:
        yield f"half its code cells have more than {MAX_MEDIAN_LINES} lines beside imports"


def check_prose(notebook: Notebook) -> Problems:
    prose = len(notebook.prose.split())
    code = sum(len(cell.source.split()) for cell in notebook.code)
    if prose < code / 2:
        yield f"{prose} words of prose explain {code} words of code: too few"


def check_words(notebook: Notebook) -> Problems:
    words = len(notebook.prose.split())
    if words > MAX_WORDS:
        yield f"{words} words of prose, more than {MAX_WORDS}"


def check_subject(notebook: Notebook) -> Problems:
    tagged = [cell for cell in notebook.code if "subject" in cell.metadata.get("tags", [])]
    lines = sum(len(cell.source.splitlines()) for cell in tagged)
    if lines < MIN_SUBJECT_LINES:
        yield f"{lines} lines are tagged subject, fewer than {MIN_SUBJECT_LINES}: where is it?"


def check_figures(notebook: Notebook) -> Problems:
    """Each figure with a decimal point stands in an output, or beside the command that made it."""
    shown = " ".join(text_of(output) for _, output in notebook.outputs())
    code = " ".join(cell.source for cell in notebook.code)
    known = {float(found) for found in FIGURE.findall(f"{shown} {code}")}
    for paragraph in re.split(r"\n\s*\n", _plain(notebook.prose)):
        if re.search(r"`make \w|`[^`\n]*python[^`\n]*`", paragraph):
            continue
        for figure in FIGURE.findall(paragraph):
            half = 0.5 * 10.0 ** -len(figure.partition(".")[2]) * (1 + 1e-6)
            if not any(abs(value - float(figure)) <= half for value in known):
                yield f"no cell shows the {figure} of its prose"


def _plain(prose: str) -> str:
    """Prose without folded answers, code, addresses and formulas, whose figures are not results."""
    hidden = r"<details.*?</details>|```.*?```|\]\([^)]*\)|https?://\S+|\$[^$\n]+\$"
    return re.sub(hidden, " ", prose, flags=re.DOTALL)


def check_executed(notebook: Notebook) -> Problems:
    counts = [cell.execution_count for cell in notebook.code]
    if counts != list(range(1, len(counts) + 1)):
        yield f"not one clean run from top to bottom: its cells are numbered {counts}"


def check_outputs(notebook: Notebook) -> Problems:
    for count, output in notebook.outputs():
        text, where = text_of(output), f"the output of cell [{count}]"
        if output.output_type == "error":
            yield f"{where} is an error: {output.ename}"
        on_stderr = output.get("name") == "stderr"
        if re.search(r"Warning:|WARNING", text) or (on_stderr and "warn" in text.lower()):
            yield f"{where} shows a warning"
        if "\r" in text or "%|" in text:
            yield f"{where} holds a half-drawn progress bar"
        if re.search(r"\bat 0x[0-9a-f]{6,}", text):
            yield f"{where} shows a memory address, which tells nothing and changes every time"


def check_paths(notebook: Notebook) -> Problems:
    for cell in notebook.cells:
        if found := MACHINE_PATH.search(cell.source):
            yield f"a {cell.cell_type} cell names a place on one machine: {found.group()}"
    for count, output in notebook.outputs():
        if found := MACHINE_PATH.search(text_of(output)):
            yield f"the output of cell [{count}] names a place on one machine: {found.group()}"


def check_pictures(notebook: Notebook) -> Problems:
    for count, output in notebook.outputs():
        data, where = output.get("data", {}), f"the output of cell [{count}]"
        if WIDGET_VIEW in data:
            yield f"{where} is a widget, which only a live kernel can show"
        if any(kind.startswith("image/") for kind in data) and not data.get("text/plain"):
            yield f"{where} is a picture without a text/plain beside it"
        for kind in {"image/png", "image/jpeg"} & set(data):
            name, raw = kind.removeprefix("image/").upper(), base64.b64decode(data[kind])
            try:
                with Image.open(io.BytesIO(raw), formats=[name]) as picture:
                    width = picture.width
            except UnidentifiedImageError:
                width = 0
            if len(raw) > MAX_PICTURE_BYTES:
                yield f"{where} is a {name} of {len(raw)} bytes, more than {MAX_PICTURE_BYTES}"
            if not 0 < width <= MAX_PICTURE_WIDTH:
                yield f"{where} is a {name} {width} px wide, not 1 to {MAX_PICTURE_WIDTH}"


def check_measured(notebook: Notebook) -> Problems:
    section = python_of(notebook.section("6 How good is it?"))
    asserts = [node.test for node in ast.walk(section) if isinstance(node, ast.Assert)]
    if not any(isinstance(node, ast.Compare) for test in asserts for node in ast.walk(test)):
        yield "section 6 asserts no figure against its floor"
    records = [
        node
        for node in ast.walk(section)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "scoreboard.record"
    ]
    if [ast.unparse(node.args[0]) for node in records if node.args] != [repr(notebook.name)]:
        yield f"section 6 does not call scoreboard.record({notebook.name!r}, ...) once"


def check_milvus_in_sight(notebook: Notebook) -> Problems:
    code = "\n".join(cell.source for cell in notebook.code)
    for step, call in MILVUS_STEPS.items():
        if not re.search(call, code):
            yield f"no cell {step} in plain sight"


def check_your_own(notebook: Notebook) -> Problems:
    section = notebook.section("7 Try your own")
    if not any(cell.get("outputs") for cell in section):
        yield "section 7 shows nothing to a reader without a live kernel"


def check_exercises(notebook: Notebook) -> Problems:
    text = "\n".join(cell.source for cell in notebook.section("8 Exercises"))
    opened, closed = text.count("<details"), text.count("</details>")
    if opened not in (2, 3) or closed != opened:
        yield f"section 8 has {opened} folded answers and {closed} closed ones, not 2 or 3 of each"


def check_farewell(notebook: Notebook) -> Problems:
    text = "\n".join(cell.source for cell in notebook.section("9 Where to go from here"))
    if not re.search(r"\bclean\w*[ -]up\b|make clean", text, flags=re.IGNORECASE):
        yield "section 9 does not say how to clean up"


def check_code_manners(notebook: Notebook) -> Problems:
    for cell in notebook.code:
        where = f"cell [{cell.execution_count}]"
        if re.search(r"^[ \t]*[%!] ?(?:\w+ -m )?(?:pip|conda|apt)\b", cell.source, re.MULTILINE):
            yield f"{where} installs packages: requirements.txt does that"
        if SECRET.search(cell.source):
            yield f"{where} holds what looks like a password or key"
        for node in ast.walk(python_of([cell])):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sleep"):
                yield f"{where} sleeps"
            if isinstance(node, ast.ExceptHandler) and all(map(_does_nothing, node.body)):
                yield f"{where} swallows an exception"


def _does_nothing(statement: ast.stmt) -> bool:
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Pass | ast.Continue)


CHECKS: list[Callable[[Notebook], Problems]] = [
    check for name, check in list(globals().items()) if name.startswith("check_")
]
