"""What a notebook measured: kept as JSON for the runner, the README's gallery and the tests.

The last cell of section 6 calls :func:`record`, which stores the figures and prints them. The
notebook asserts its floors itself, in plain sight; nothing here does that for it.
"""

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpers.errors import HelpfulError
from helpers.paths import build_folder

Score = dict[str, Any]
"""One notebook's record: the arguments of :func:`record`, by their names."""


def record(
    notebook: str,
    *,
    rows: int,
    quality: dict[str, tuple[float, float]],
    recall: float,
    search_ms: float,
    rows_per_s: float,
    seconds: float | None = None,
    **links: str,
) -> None:
    """Store what a notebook measured in ``build/scores/`` and print it as a small table.

    Args:
        notebook: file name without ``.ipynb``.
        rows: vectors in the collection that was measured.
        quality: figure -> (measured, floor). Higher is better: give an error rate as ``1 - rate``.
        recall: recall@10 of the index against exact search, 0 to 1.
        search_ms: median time of one query, in milliseconds.
        rows_per_s: rows a second through the whole ingest.
        seconds: wall time of the whole notebook; left out, the runner fills in what it measures.
        **links: what the gallery names beside the figures, such as ``data="..."``, ``model="..."``.

    Raises:
        HelpfulError: a figure is missing or not a finite number.

    Example:
        >>> record("01_image_search", rows=720, quality={"P@5": (0.903, 0.88)}, recall=0.998,
        ...        search_ms=4.1, rows_per_s=310, data="PASCAL photos", model="ResNet-18")
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
        "links": links,
    }
    write_json(_file(notebook), score)
    print(report(score))


def load(notebook: str | None = None) -> list[Score]:
    """The recorded scores by notebook name; with ``notebook``, that one's alone, if it has one."""
    files = [_file(notebook)] if notebook else sorted(_folder().glob("*.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]


def forget(notebook: str) -> None:
    """Remove a notebook's record, so that an older run cannot pass for the next one."""
    _file(notebook).unlink(missing_ok=True)


def add_seconds(notebook: str, seconds: float) -> None:
    """Complete a record with the wall time of the run, unless the notebook stated its own."""
    for score in load(notebook):
        if score["seconds"] is None:
            write_json(_file(notebook), score | {"seconds": round(seconds, 1)})


def missed(score: Score) -> list[str]:
    """The quality figures below their floor, each as ``P@5 0.871 < 0.880``."""
    return [
        f"{name} {as_text(measured)} < {as_text(floor)}"
        for name, (measured, floor) in score["quality"].items()
        if not measured >= floor
    ]


def report(score: Score) -> str:
    """One notebook's figures as the text that :func:`record` prints under its cell.

    The same score always gives the same text: the tests look for it in the committed notebook.
    """
    lines = [["", "measured", "floor", ""]]
    for name, (measured, floor) in score["quality"].items():
        lines.append(
            [name, as_text(measured), as_text(floor), "ok" if measured >= floor else "MISSED"]
        )
    lines.append(["recall@10", as_text(score["recall"]), "", ""])
    lines.append(["search ms", as_text(score["search_ms"]), "", ""])
    lines.append(["rows/s", as_text(score["rows_per_s"]), "", ""])
    lines.append(["rows", as_text(score["rows"]), "", ""])
    return _aligned(lines)


def table(scores: Iterable[Score]) -> str:
    """The scoreboard for a terminal, a line for each quality figure; what is missing shows as -."""
    lines = [
        ["notebook", "rows", "quality", "", "floor", "recall@10", "search ms", "rows/s", "seconds"]
    ]
    for score in scores:
        figures = score.get("quality") or {"-": (None, None)}
        head = [score["notebook"], as_text(score.get("rows"))]
        tail = [as_text(score.get(key)) for key in ("recall", "search_ms", "rows_per_s", "seconds")]
        for name, (measured, floor) in figures.items():
            lines.append([*head, name, as_text(measured), as_text(floor), *tail])
            head, tail = ["", ""], [""] * len(tail)
    return _aligned(lines, left=(0, 2))


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


def _folder() -> Path:
    return build_folder() / "scores"


def _file(notebook: str) -> Path:
    return _folder() / f"{notebook}.json"


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


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Write a JSON file whole or not at all, so that a reader never meets half of it.

    Args:
        file: where to; missing folders are created.
        content: what JSON can hold.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draft.replace(file)


def _aligned(lines: list[list[str]], left: tuple[int, ...] = (0,)) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
