"""helpers.scoreboard: what a notebook records is what every table tells."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from helpers import scoreboard
from helpers.errors import HelpfulError


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
    }
    scoreboard.record(notebook, **(figures | changed))


def test_a_record_is_stored_and_printed(build: Path, capsys: pytest.CaptureFixture):
    record(data="photos", model="ResNet-18")
    printed = capsys.readouterr().out
    assert json.loads((build / "scores" / "01_good.json").read_text()) == {
        "notebook": "01_good",
        "rows": 720,
        "quality": {"P@5": [0.903, 0.88], "P@1": [0.92, 0.9]},
        "recall": 0.998,
        "search_ms": 4.126,
        "rows_per_s": 1234.5,
        "seconds": None,
        "links": {"data": "photos", "model": "ResNet-18"},
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
    assert "".join(scoreboard.report(score) + "\n" for score in scoreboard.load()) == printed


def test_a_missed_floor_is_told_but_does_not_raise(capsys):
    record(quality={"P@5": (0.87, 0.88), "P@1": (0.9, 0.9)})
    assert "P@5           0.870  0.880  MISSED" in capsys.readouterr().out
    assert scoreboard.missed(*scoreboard.load("01_good")) == ["P@5 0.870 < 0.880"]


def test_numpy_figures_are_stored_as_plain_numbers():
    record(quality={"P@5": (np.float32(0.5), np.float64(0.25))}, rows=np.int64(7), recall=np.True_)
    (score,) = scoreboard.load("01_good")
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
    assert scoreboard.load() == []


def test_the_runner_fills_in_seconds_that_the_notebook_left_out():
    record("01_left_out")
    record("02_stated", seconds=1200)
    for name in ("01_left_out", "02_stated", "03_never_ran"):
        scoreboard.add_seconds(name, 31.24)
    assert [score["seconds"] for score in scoreboard.load()] == [31.2, 1200]


def test_forget_removes_one_record_and_does_not_mind_none():
    record("01_good")
    record("02_other")
    for _ in range(2):
        scoreboard.forget("01_good")
    assert [score["notebook"] for score in scoreboard.load()] == ["02_other"]


def test_the_table_has_a_line_a_figure_and_a_dash_for_what_is_missing():
    record(seconds=31.2)
    table = scoreboard.table([*scoreboard.load(), {"notebook": "02_nothing_known"}])
    assert table.splitlines() == [
        "notebook          rows  quality         floor  recall@10  search ms  rows/s  seconds",
        "01_good            720  P@5      0.903  0.880      0.998       4.13   1,234     31.2",
        "                        P@1      0.920  0.900",
        "02_nothing_known     -  -            -      -          -          -       -        -",
    ]


def test_an_interrupted_write_leaves_the_older_record(monkeypatch: pytest.MonkeyPatch):
    record(rows=1)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        record(rows=2)
    assert [score["rows"] for score in scoreboard.load()] == [1]


@pytest.mark.parametrize(
    ("figure", "shown"),
    [(None, "-"), (0.9031, "0.903"), (4.126, "4.13"), (31.24, "31.2"), (12345.6, "12,346")]
    + [(720, "720"), (1_000_000, "1,000,000"), (1.0, "1.000"), (-0.5, "-0.500")],
)
def test_figures_are_written_with_the_digits_that_matter(figure: float | None, shown: str):
    assert scoreboard.as_text(figure) == shown


def test_without_the_variable_the_build_folder_is_the_projects(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("BOOTCAMP_BUILD")
    assert scoreboard.build_folder() == Path(__file__).resolve().parent.parent / "build"
