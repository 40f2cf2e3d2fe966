"""helpers.scoreboard: what a notebook records is what every table tells."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from helpers import scoreboard
from helpers.errors import HelpfulError
from helpers.paths import build_folder


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BOOTCAMP_BUILD", str(tmp_path))
    return tmp_path


def record(notebook: str = "01_good", **changed: object) -> None:
    figures = {
        "rows": 720,
        "quality": {"P@5": (0.903, 0.88), "P@1": (0.92, 0.9)},
        "recall": 0.998,
        "search_ms": 4.126,
        "rows_per_s": 1234.5,
        "data": "photos",
        "model": "ResNet-18",
    }
    scoreboard.record(notebook, **(figures | changed))


def stored(notebook: str = "01_good") -> scoreboard.Score:
    return json.loads(scoreboard.score_file(notebook).read_text(encoding="utf-8"))


def test_a_record_is_stored_and_printed(build: Path, capsys: pytest.CaptureFixture):
    record()
    printed = capsys.readouterr().out
    assert json.loads((build / "scores" / "01_good.json").read_text()) == {
        "notebook": "01_good",
        "rows": 720,
        "quality": {"P@5": [0.903, 0.88], "P@1": [0.92, 0.9]},
        "recall": 0.998,
        "search_ms": 4.126,
        "rows_per_s": 1234.5,
        "seconds": None,
        "data": "photos",
        "model": "ResNet-18",
    }
    assert printed.splitlines() == [
        "           measured  floor",
        "P@5           0.903  0.880  ok",
        "P@1           0.920  0.900  ok",
        "recall@10     0.998",
        "search ms      4.13",
        "rows/s        1,234",
        "rows            720",
    ]


def test_the_report_of_a_loaded_record_is_the_one_that_was_printed(capsys):
    record()
    record("02_other", quality={"z": (0.5, 0.6), "a": (1.0, 0.6)})
    printed = capsys.readouterr().out
    scores = [stored(), stored("02_other")]
    assert "".join(scoreboard.report(score) + "\n" for score in scores) == printed


def test_a_missed_floor_is_told_but_does_not_raise(capsys):
    record(quality={"P@5": (0.87, 0.88), "P@1": (0.9, 0.9)})
    assert "P@5           0.870  0.880  MISSED" in capsys.readouterr().out


def test_numpy_figures_are_stored_as_plain_numbers():
    record(quality={"P@5": (np.float32(0.5), np.float64(0.25))}, rows=np.int64(7), recall=np.True_)
    score = stored()
    assert (score["quality"], score["rows"], score["recall"]) == ({"P@5": [0.5, 0.25]}, 7, 1.0)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"recall": math.nan}, "nan as recall"),
        ({"search_ms": math.inf}, "inf as search_ms"),
        ({"rows_per_s": None}, "None as rows_per_s"),
        ({"quality": {"P@5": (math.nan, 0.8)}}, "nan as P@5"),
        ({"quality": {}}, "no quality figure"),
    ],
)
def test_what_is_no_figure_is_refused_by_name(build: Path, changed: dict, named: str):
    with pytest.raises(HelpfulError, match=named):
        record(**changed)
    assert list(build.iterdir()) == []


def test_an_interrupted_write_leaves_the_older_record(monkeypatch: pytest.MonkeyPatch):
    record(rows=1)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        record(rows=2)
    assert stored()["rows"] == 1


@pytest.mark.parametrize(
    ("figure", "shown"),
    [(None, "-"), (0.9031, "0.903"), (4.126, "4.13"), (31.24, "31.2"), (12345.6, "12,346")]
    + [(720, "720"), (1_000_000, "1,000,000"), (1.0, "1.000"), (-0.5, "-0.500")],
)
def test_figures_are_written_with_the_digits_that_matter(figure: float | None, shown: str):
    assert scoreboard.as_text(figure) == shown


def test_without_the_variable_the_build_folder_is_the_projects(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("BOOTCAMP_BUILD")
    assert build_folder() == Path(__file__).resolve().parent.parent / "build"
