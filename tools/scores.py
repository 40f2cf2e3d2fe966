"""The records of the notebooks as the runner and the gallery use them; helpers/scoreboard.py
writes them.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from helpers.paths import build_folder
from helpers.scoreboard import FIGURES, Score, aligned, as_text, score_file, write_json

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
COMMITTED = NOTEBOOKS / "scores.json"
"""The scores of the committed notebooks, from which tools/gallery.py writes the README's table."""
_TIMES = build_folder() / "times.json"


def load(notebook: str) -> Score | None:
    """What a notebook recorded when it last ran, or None."""
    file = score_file(notebook)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def forget(notebook: str) -> None:
    """Remove a notebook's record, so that an older run cannot pass for the next one."""
    score_file(notebook).unlink(missing_ok=True)


def add_seconds(notebook: str, seconds: float) -> None:
    """Complete a record with the wall time of the run, unless the notebook stated its own."""
    score = load(notebook)
    if score and score["seconds"] is None:
        write_json(score_file(notebook), score | {"seconds": round(seconds, 1)})


def times() -> dict[str, float]:
    """The seconds that each notebook took when it last ran well on this computer."""
    try:
        return json.loads(_TIMES.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def keep_time(notebook: str, seconds: float) -> None:
    """Note how long a notebook took, for the next run to say."""
    write_json(_TIMES, times() | {notebook: round(seconds, 1)})


def missed(score: Score) -> list[str]:
    """The quality figures below their floor, each as ``P@5 0.871 < 0.880``."""
    return [
        f"{name} {as_text(measured)} < {as_text(floor)}"
        for name, (measured, floor) in score["quality"].items()
        if not measured >= floor
    ]


def table(scores: Iterable[Score]) -> str:
    """The scoreboard for a terminal, a line for each quality figure."""
    columns = FIGURES | {"seconds": "seconds"}
    lines = [["notebook", "rows", "quality", "", "floor", *columns]]
    for score in scores:
        head = [score["notebook"], as_text(score["rows"])]
        tail = [as_text(score[name]) for name in columns.values()]
        for name, (measured, floor) in score["quality"].items():
            lines.append([*head, name, as_text(measured), as_text(floor), *tail])
            head, tail = ["", ""], [""] * len(tail)
    return aligned(lines, left=(0, 2))


def committed() -> dict[str, Score]:
    """The committed scores by the names of their notebooks; none where there are none yet."""
    return json.loads(COMMITTED.read_text(encoding="utf-8")) if COMMITTED.exists() else {}


def publish(names: Iterable[str]) -> None:
    """Copy the records of ``names`` into the committed scores; drop those of notebooks now gone."""
    scores = committed() | {name: score for name in names if (score := load(name))}
    known = sorted(name for name in scores if (NOTEBOOKS / f"{name}.ipynb").exists())
    write_json(COMMITTED, {name: scores[name] for name in known})
