"""The program of an app: the cells of a notebook tagged ``app``, and what these use of the others.

Tagged cells are taken whole, in their order, and so is the cell of parameters. Imports, functions
and classes that they use are taken from wherever they stand; nothing else of other cells is, so an
app stores nothing and measures nothing.
"""

import ast
import json
import symtable
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TAGS = {"app", "parameters"}


class Piece(NamedTuple):
    """Some lines of the program: the notebook's cell, the line there, and the source."""

    cell: int
    line: int
    source: str


def cells_of(notebook: Path) -> list[dict]:
    """The cells of an .ipynb file."""
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def assemble(notebook: Path) -> list[Piece]:
    """The program of a notebook's app, in order.

    Args:
        notebook: the path of an .ipynb file.

    Raises:
        ValueError: the notebook has no cell tagged ``app``.
    """
    pieces: list[Piece] = []
    elsewhere: dict[str, list[Piece]] = defaultdict(list)
    if not has_app(notebook):
        raise ValueError(f"{notebook.name} has no cell tagged app")
    for number, cell in enumerate(cells_of(notebook)):
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        tags = TAGS.intersection(cell["metadata"].get("tags", []))
        if tags:
            pieces.append(Piece(number, 0, source))
        else:
            for name, line, text in _definitions(source):
                elsewhere[name].append(Piece(number, line, text))
    own = {name for piece in pieces for name in _made(piece.source)}
    waiting = list(pieces)
    while waiting:
        piece = waiting.pop()
        for name in _used(piece.source) - own:
            if found := elsewhere.get(name):
                before = [one for one in found if one[:2] < piece[:2]]
                wanted = (before or found)[-1 if before else 0]
                if wanted not in pieces:
                    pieces.append(wanted)
                    waiting.append(wanted)
    return sorted(pieces)


def has_app(notebook: Path) -> bool:
    """Whether a notebook has a cell tagged ``app``."""
    return any("app" in cell["metadata"].get("tags", []) for cell in cells_of(notebook))


def text_of(pieces: list[Piece]) -> str:
    """The program as one text."""
    parts, last = [], -1
    for piece in pieces:
        if piece.cell != last:
            parts.append(f"# %% cell {piece.cell} of the notebook")
        parts.append(piece.source)
        last = piece.cell
    return "\n".join(parts) + "\n"


def _definitions(source: str) -> Iterator[tuple[str, int, str]]:
    """Name, line and text of each import, function and class at the top level of a cell."""
    lines = source.split("\n")
    for node in ast.parse(source).body:
        match node:
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    one = ast.Import([alias])
                    if isinstance(node, ast.ImportFrom):
                        one = ast.ImportFrom(node.module, [alias], node.level)
                    name = alias.asname or alias.name.partition(".")[0]
                    yield name, node.lineno, ast.unparse(one)
            case ast.FunctionDef() | ast.ClassDef():
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                yield node.name, first, "\n".join(lines[first - 1 : node.end_lineno])


def _made(source: str) -> set[str]:
    top = symtable.symtable(source, "cell", "exec")
    return {one.get_name() for one in top.get_symbols() if one.is_assigned() or one.is_imported()}


def _used(source: str) -> set[str]:
    """The global names that a cell reads, in its functions too."""
    used, waiting = set(), [symtable.symtable(source, "cell", "exec")]
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        everything = table.get_type() == "module"
        for one in table.get_symbols():
            if one.is_referenced() and (everything or one.is_global()):
                used.add(one.get_name())
    return used
