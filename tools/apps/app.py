"""One app: its program, run once on what the notebook has stored, and answers to its forms."""

import ast
import linecache
import re
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import capture
from program import Piece, assemble, cells_of, text_of

from helpers.errors import HelpfulError
from helpers.paths import build_folder, store_folder
from helpers.widgets import Form, explained

FILLING = 1800  # seconds that a notebook may take to fill its store
SEARCHES = "search", "hybrid_search"


class Answer(NamedTuple):
    """What a form made of its values.

    Attributes:
        html: what it showed.
        seconds: how long it took.
        search_seconds: the part of it that Milvus took.
    """

    html: str
    seconds: float
    search_seconds: float


class App:
    """A notebook as an app.

    Attributes:
        name: the notebook's.
        title, sentence, about: its heading, what it is for, and what stands behind it.
        state: "closed", "ready" or "failed".
        message, share: what is going on while it opens, and how much of it is done, or None.
        forms: its forms, once it is ready.
    """

    def __init__(self, notebook: Path) -> None:
        self.notebook, self.name = notebook, notebook.stem
        self.program = assemble(notebook)
        self.title, self.sentence, self.about = _heading(notebook)
        self.state, self.message, self.share = "closed", "", None
        self.forms: list[Form] = []
        self._opening = threading.Lock()
        self._answering = threading.Lock()  # Pyplot and some tokenizers serve one at a time.

    def text(self) -> str:
        """The app's program, to read."""
        return text_of(self.program)

    def open(self) -> None:
        """Run the program, once; fill the store first where the notebook has not."""
        with self._opening:
            if self.state == "ready":
                return
            self._tell("Opening what is stored")
            try:
                try:
                    self.forms = self._run()
                except Exception as error:
                    if not _nothing_stored(error):
                        raise
                    self._fill()
                    self.forms = self._run()
            except HelpfulError as error:
                self.state, self.message = "failed", str(error)
            except Exception as error:
                traceback.print_exc()
                self.state = "failed"
                self.message = f"{self.name} could not be opened: {type(error).__name__}: {error}"
            else:
                self.state = "ready"

    def answer(
        self, number: int, values: dict[str, Any], tell: Callable[[str, float | None], None]
    ) -> Answer:
        """What form ``number`` makes of ``values``; one at a time.

        Args:
            number: the form's, from 0.
            values: the value of each of its fields.
            tell: called with a sentence, and the share done or None, while work goes on.
        """
        return self._call(self.forms[number].handle, values, tell)

    def preview(self, number: int, values: dict[str, Any]) -> Answer:
        """What form ``number`` shows of ``values`` while they are filled in."""
        return self._call(self.forms[number].preview, values, lambda *_: None)

    def _call(self, handle: Callable, values: dict, tell: Callable) -> Answer:
        if self._answering.locked():
            tell("Waiting for another visitor's question", None)
        with self._answering, capture.catching(tell) as outputs:
            started = time.perf_counter()
            try:
                with explained(outputs.mistake):
                    handle(**values)
            except Exception as error:
                traceback.print_exc()
                outputs.mistake(f"This went wrong here: {type(error).__name__}: {error}")
            seconds = time.perf_counter() - started
            return Answer(outputs.as_html(), seconds, outputs.search_seconds)

    def _run(self) -> list[Form]:
        module = types.ModuleType(f"app_{self.name}")
        sys.modules[module.__name__] = module
        with capture.catching(self._tell) as outputs:
            for piece in self.program:
                _execute(piece, self.name, module.__dict__)
        client = module.__dict__.get("milvus")
        for search in SEARCHES if client else ():
            setattr(client, search, capture.timed(getattr(client, search)))
        return [widget for widget in outputs.widgets if isinstance(widget, Form)]

    def _fill(self) -> None:
        """Run the notebook, which fills the store."""
        import run_notebooks  # here, since it takes seconds to import

        (build_folder() / "scores").mkdir(exist_ok=True)

        def tell(cell: int, cells: int) -> None:
            self._tell(
                "Nothing is stored here yet, so the notebook runs once to fill the store: "
                f"cell {cell} of {cells}",
                cell / cells,
            )

        tell(0, len(cells_of(self.notebook)))
        result = run_notebooks.run(self.notebook, FILLING, in_place=False, on_cell=tell)
        if result.problem:
            raise HelpfulError(f"The notebook could not fill the store: {result.problem}")

    def _tell(self, message: str, share: float | None = None) -> None:
        self.message, self.share = message, share


def _execute(piece: Piece, name: str, namespace: dict[str, Any]) -> None:
    """Run a piece as a notebook runs a cell: what its last line gives is displayed."""
    place = f"{name}.ipynb, cell {piece.cell}, line {piece.line}"
    linecache.cache[place] = len(piece.source), None, piece.source.splitlines(True), place
    tree = ast.parse(piece.source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, place, "exec"), namespace)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), place, "eval"), namespace)
        if value is not None:
            capture.display(value)


def _nothing_stored(error: Exception) -> bool:
    from pymilvus import MilvusException

    if isinstance(error, MilvusException):
        return "not found" in str(error) or "not exist" in str(error)
    missing = error.filename if isinstance(error, FileNotFoundError) else None
    return Path(missing or "").is_relative_to(store_folder("any").parent)


def _heading(notebook: Path) -> tuple[str, str, str]:
    """Title, sentence, and data, model and engine, from a notebook's first cell."""
    first = "".join(cells_of(notebook)[0]["source"])
    title, sentence, table, *_ = first.split("\n\n")
    names, _, values = (row.strip("|").split("|") for row in table.split("\n")[:3])
    parts = [f"{n.strip()}: {v.strip()}" for n, v in zip(names, values, strict=True)]
    shown = [part for part in parts if not part.startswith("seconds")]
    return title.removeprefix("# "), sentence, re.sub(r"[`*]", "", " · ".join(shown))
