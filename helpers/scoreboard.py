"""What a notebook measured: kept as JSON for the runner, the README's gallery and the tests.

The last cell of section 6 calls :func:`record`, which stores the figures and prints them. The
notebook asserts its floors itself, in plain sight; nothing here does that for it. What the runner
does with the records is in ``tools/scores.py``.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

from helpers.errors import HelpfulError
from helpers.paths import build_folder

Score = dict[str, Any]
"""One notebook's record: the arguments of :func:`record`, by their names."""
FIGURES = {"recall@10": "recall", "search ms": "search_ms", "rows/s": "rows_per_s"}
"""What every notebook records beside its quality: title in a table -> name in the record."""


def record(
    notebook: str,
    *,
    rows: int,
    quality: dict[str, tuple[float, float]],
    recall: float,
    search_ms: float,
    rows_per_s: float,
    data: str,
    model: str,
    seconds: float | None = None,
) -> None:
    """Store what a notebook measured in ``build/scores/`` and print it as a small table.

    Args:
        notebook: file name without ``.ipynb``.
        rows: vectors in the collection that was measured.
        quality: figure -> (measured, floor). Higher is better: give an error rate as ``1 - rate``.
        recall: recall@10 of the index against exact search, 0 to 1.
        search_ms: median time of one query, in milliseconds.
        rows_per_s: rows a second through the whole ingest.
        data: what was searched, in a few words, for the gallery.
        model: what made the vectors, in a few words, for the gallery.
        seconds: wall time of the whole notebook; left out, the runner fills in what it measures.

    Raises:
        HelpfulError: a figure is missing or not a finite number.

    Example:
        >>> record("01_image_search", rows=720, quality={"P@5": (0.903, 0.88)}, recall=0.998,
        ...        search_ms=4.1, rows_per_s=310, data="720 photos", model="resnet18")
    """
    if not quality:
        raise HelpfulError(
            f"{notebook} recorded no quality figure; give scoreboard.record at least one, "
            "as quality={'P@5': (measured, floor)}."
        )
    score = {
        "notebook": notebook,
        "rows": int(_number(notebook, "rows", rows)),
        "quality": {
            name: [_number(notebook, name, measured), _number(notebook, name, floor)]
            for name, (measured, floor) in quality.items()
        },
        "recall": _number(notebook, "recall", recall),
        "search_ms": _number(notebook, "search_ms", search_ms),
        "rows_per_s": _number(notebook, "rows_per_s", rows_per_s),
        "seconds": None if seconds is None else _number(notebook, "seconds", seconds),
        "data": data,
        "model": model,
    }
    write_json(score_file(notebook), score)
    print(report(score))


def report(score: Score) -> str:
    """One notebook's figures as the text that :func:`record` prints under its cell.

    The same score always gives the same text: the tests look for it in the committed notebook.
    """
    lines = [["", "measured", "floor", ""]]
    for name, (measured, floor) in score["quality"].items():
        verdict = "ok" if measured >= floor else "MISSED"
        lines.append([name, as_text(measured), as_text(floor), verdict])
    for title, name in (FIGURES | {"rows": "rows"}).items():
        lines.append([title, as_text(score[name]), "", ""])
    return aligned(lines)


def as_text(figure: float | None) -> str:
    """A figure as every table here writes it: ``0.903``, ``4.1``, ``12,345``, or ``-`` for none."""
    if figure is None:
        return "-"
    if isinstance(figure, int):
        return f"{figure:,}"
    for bound, decimals in ((2, 3), (10, 2), (100, 1)):
        if abs(figure) < bound:
            return f"{figure:.{decimals}f}"
    return f"{figure:,.0f}"


def aligned(lines: list[list[str]], left: tuple[int, ...] = (0,)) -> str:
    """Lines of cells as columns of text; those at the places ``left`` stand flush left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def score_file(notebook: str) -> Path:
    """Where a notebook's record lies, whether or not there is one."""
    return build_folder() / "scores" / f"{notebook}.json"


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Write a JSON file whole or not at all, so that a reader never meets half of it.

    Args:
        file: where to; missing folders are created.
        content: what JSON can hold.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(file)


def _number(notebook: str, name: str, figure: float) -> float:
    """A plain, finite Python number: numpy's own cannot be written as JSON."""
    try:
        number = float(figure)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise HelpfulError(
            f"{notebook} recorded {figure!r} as {name}; every figure must be a finite number, "
            "so look at the cell that measures it."
        )
    return number
