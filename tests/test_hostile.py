"""Every hostile input of ``tests/hostile`` through every reader of its kind."""

import multiprocessing
import os
import signal
import sys
import types
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from pathlib import Path

import pytest

from helpers.errors import HelpfulError
from tests.hostile.form import PLACES, Case, LeftOut, Read, Refused, judge, runs_of

TABLES = sorted(
    f"tests.hostile.{file.stem}"
    for file in Path(__file__).with_name("hostile").glob("*.py")
    if file.stem not in ("form", "__init__")
)
RUNS = [(name, *run) for name in TABLES for run in runs_of(import_module(name))]
SECONDS = 60  # none takes more than a few; one that waits for ever is ended


class Worker:
    """A process in which inputs are tried; a new one takes its place if it crashes or hangs."""

    def __init__(self):
        self.start()

    def start(self):
        self.pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        self.pid = self.pool.submit(os.getpid).result()

    def judge(self, *run):
        try:
            return self.pool.submit(judge, *run).result(SECONDS)
        except BrokenProcessPool:
            fault = "the process crashed"
        except TimeoutError:
            os.kill(self.pid, signal.SIGTERM)
            fault = f"no end after {SECONDS} seconds"
        self.start()
        return fault


@pytest.fixture(scope="module")
def worker():
    worker = Worker()
    yield worker
    worker.pool.shutdown()


@pytest.mark.parametrize("run", RUNS, ids=lambda run: "-".join([run[0].split(".")[-1], *run[1:]]))
def test_hostile_inputs(run, worker):
    fault = worker.judge(*run)
    assert not fault, fault


@pytest.mark.parametrize("table", TABLES)
def test_a_table_names_each_case_once(table):
    table = import_module(table)
    assert len(table.GOOD) == 2
    assert max(Counter(case.name for case in table.CASES).values()) == 1
    assert {reader for case in table.CASES for reader in case.readers} <= set(table.READERS)


def test_the_judge_finds_what_is_wrong(monkeypatch):
    """Each kind of fault, shown to the judge by a made-up table."""

    def reader(items, folder):
        if "all" in items:
            raise HelpfulError("Nothing of this is any good.")
        if "crash" in items:
            raise ZeroDivisionError
        changed = "spoil" in items
        read = {"bad": LeftOut("it is bad"), "long": LeftOut("two\nlines")}
        return [read.get(item, item.upper() + "!" * changed) for item in items]

    def fault(item, verdict, place="middle"):
        table = types.ModuleType("made_up")
        table.GOOD, table.READERS = [lambda folder: "a", lambda folder: "b"], {"r": reader}
        table.CASES = [Case("c", lambda folder: item, verdict)]
        monkeypatch.setitem(sys.modules, "made_up", table)
        return judge("made_up", "c", "r", place)

    for place in PLACES:
        assert fault("good", Read(lambda value: value == "GOOD"), place) == ""
        assert fault("bad", LeftOut("is bad"), place) == ""
        assert fault("all", Refused("Nothing"), place) == ""
    assert fault("all", LeftOut("anything"), "alone") == "", "nothing is left without it"
    assert "read wrongly" in fault("good", Read(lambda value: value == "BAD"))
    assert "left out" in fault("bad", Read())
    assert "does not say" in fault("bad", LeftOut("worse"))
    assert "not one sentence" in fault("long", LeftOut("two"))
    assert "cost all" in fault("all", LeftOut("Nothing"))
    assert "refused" in fault("all", Read(), "alone")
    assert "read as" in fault("good", LeftOut("good"))
    assert "read as" in fault("good", Refused("good"))
    assert "a good item is read as 'A!'" in fault("spoil", Read())
    assert "ZeroDivisionError" in fault("crash", Read())
