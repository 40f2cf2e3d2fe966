"""tools/scores.py: the records as the runner keeps, judges and shows them."""

import json
from pathlib import Path

import pytest
import scores

from helpers import scoreboard


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BOOTCAMP_BUILD", str(tmp_path))
    return tmp_path


def record(notebook: str, seconds: float | None = None, measured: float = 0.903) -> None:
    quality = {"P@5": (measured, 0.88), "P@1": (0.92, 0.92)}
    scoreboard.record(
        notebook, rows=720, quality=quality, recall=0.998, search_ms=4.126, rows_per_s=1234.5,
        data="photos", model="ResNet-18", seconds=seconds,
    )  # fmt: skip


def test_a_figure_below_its_floor_is_missed_and_one_on_it_is_not():
    record("01_good", measured=0.87)
    assert scores.missed(scores.load("01_good")) == ["P@5 0.870 < 0.880"]


def test_the_runner_fills_in_seconds_that_the_notebook_left_out():
    record("01_left_out")
    record("02_stated", seconds=1200)
    for name in ("01_left_out", "02_stated", "03_never_ran"):
        scores.add_seconds(name, 31.24)
    assert scores.load("01_left_out")["seconds"] == 31.2
    assert scores.load("02_stated")["seconds"] == 1200
    assert scores.load("03_never_ran") is None


def test_forget_removes_one_record_and_does_not_mind_none():
    record("01_good")
    record("02_other")
    for _ in range(2):
        scores.forget("01_good")
    assert scores.load("01_good") is None
    assert scores.load("02_other")["notebook"] == "02_other"


def test_the_table_has_a_line_a_figure_and_a_dash_for_seconds_not_yet_known():
    record("01_good", seconds=31.2)
    record("02_by_hand")
    table = scores.table(map(scores.load, ["01_good", "02_by_hand"]))
    assert table.splitlines() == [
        "notebook    rows  quality         floor  recall@10  search ms  rows/s  seconds",
        "01_good      720  P@5      0.903  0.880      0.998       4.13   1,234     31.2",
        "                  P@1      0.920  0.920",
        "02_by_hand   720  P@5      0.903  0.880      0.998       4.13   1,234        -",
        "                  P@1      0.920  0.920",
    ]


def test_published_are_what_ran_and_what_still_has_its_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scores, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(scores, "COMMITTED", tmp_path / "scores.json")
    assert scores.committed() == {}
    scores.COMMITTED.write_text(json.dumps({"00_gone": {}, "03_kept": {"rows": 1}}))
    for name in ("01_good", "03_kept", "04_failed"):
        (tmp_path / f"{name}.ipynb").touch()
    record("01_good")
    scores.publish(["01_good", "02_no_record"])
    assert scores.committed() == {"01_good": scores.load("01_good"), "03_kept": {"rows": 1}}
