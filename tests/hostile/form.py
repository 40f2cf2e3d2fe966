"""The common form of the tables of hostile inputs, and how a reader's answer is judged.

A table is a module ``tests/hostile/<kind>.py`` with three names:

- ``GOOD``: two ways to make an ordinary item of that kind, which differ in content.
- ``CASES``: a list of ``Case``: a name, a function that makes the item, the expected verdict.
- ``READERS``: name -> reader. A reader is a function ``(items, folder) -> list`` that gives, for
  each item in the order given, what it was read as, or ``LeftOut(message)``. It may raise what
  the project raises for a reader to see (``HelpfulError``, ``BadItem``): then all was refused.
  ``each`` makes one from a function that reads a single item.

An item is made in a folder of its own, ``folder/0``, ``folder/1`` and so on, in the order in which
the items stand; a maker returns whatever its readers take: a path, bytes, a text, a row.
``tests/test_hostile.py`` runs every case through every reader of its kind: alone, first, between
the two good items and last, in a process of its own, so that a crash or a hang fails one test.
"""

import csv
import io
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from helpers.errors import BadItem, HelpfulError

Maker = Callable[[Path], Any]
Reader = Callable[[Sequence[Any], Path], list]

PLACES = {"alone": 0, "first": 0, "middle": 1, "last": 2}


@dataclass(frozen=True)
class Read:
    """The verdict that an item is read; ``is_right`` looks at what it was read as."""

    is_right: Callable[[Any], bool] = field(default=lambda value: True)


@dataclass(frozen=True)
class LeftOut:
    """The verdict that this item alone is left out; ``words`` stand in what is said about it.

    A reader gives the same class, with the whole message.
    """

    words: str


@dataclass(frozen=True)
class Refused:
    """The verdict that everything is refused; ``words`` stand in the error."""

    words: str


@dataclass(frozen=True)
class Case:
    """One hostile input.

    Attributes:
        name: unique in its table.
        make: makes the item in an empty folder.
        verdict: ``Read``, ``LeftOut`` or ``Refused``.
        alone: whether it is a whole file or set, which has no neighbours.
        readers: the readers it is meant for, if not all of the table.
    """

    name: str
    make: Maker
    verdict: Read | LeftOut | Refused
    alone: bool = False
    readers: tuple[str, ...] = ()


def each(read_one: Callable[[Any], Any]) -> Reader:
    """A reader of many items from a function that reads one or raises ``BadItem``."""

    def read(items: Sequence[Any], folder: Path) -> list:
        results = []
        for item in items:
            try:
                results.append(read_one(item))
            except BadItem as error:
                results.append(LeftOut(str(error)))
        return results

    return read


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[bytes, list[int]]:
    """A CSV file with the rows, and the line that each begins in."""
    file, lines = io.StringIO(newline=""), []
    writer = csv.writer(file)
    writer.writerow(header)
    for row in rows:
        lines.append(1 + len(file.getvalue().splitlines()))
        writer.writerow(row)
    return file.getvalue().encode(), lines


def runs_of(table: ModuleType) -> list[tuple[str, str, str]]:
    """All (case, reader, place) of a table."""
    return [
        (case.name, reader, place)
        for case in table.CASES
        for reader in case.readers or table.READERS
        for place in (["alone"] if case.alone else PLACES)
    ]


def judge(table_name: str, case_name: str, reader_name: str, place: str) -> str:
    """Run one case through one reader; what is wrong with the outcome, or nothing."""
    table = import_module(table_name)
    (case,) = [case for case in table.CASES if case.name == case_name]
    at = PLACES[place]
    makers = [] if place == "alone" else list(table.GOOD)
    makers.insert(at, case.make)
    try:
        results = _run(table.READERS, reader_name, makers)
    except (HelpfulError, BadItem) as error:
        if place != "alone" and not isinstance(case.verdict, Refused):
            return f"one item cost all of them: {error}"
        words = case.verdict.words if isinstance(case.verdict, Refused) else ""
        return _fault_of_message(str(error), words, isinstance(case.verdict, Read))
    except Exception:
        return traceback.format_exc()
    if len(results) != len(makers):
        return f"{len(makers)} items gave {len(results)} results"
    for number in range(len(makers)):
        if number != at:
            expected = _alone(table_name, reader_name, number if number < at else number - 1)
            if not _same(results[number], expected):
                return f"a good item is read as {results[number]!r} beside it, not {expected!r}"
    result, verdict = results[at], case.verdict
    if isinstance(result, LeftOut):
        if not isinstance(verdict, LeftOut):
            return f"left out: {result.words}"
        return _fault_of_message(result.words, verdict.words)
    if not isinstance(verdict, Read):
        return f"read as {result!r}"
    return "" if verdict.is_right(result) else f"read wrongly, as {result!r}"


@cache
def _alone(table_name: str, reader_name: str, number: int) -> Any:
    """What a good item is read as when it is alone."""
    table = import_module(table_name)
    return _run(table.READERS, reader_name, [table.GOOD[number]])[0]


def _run(readers: Mapping[str, Reader], name: str, makers: Sequence[Maker]) -> list:
    with tempfile.TemporaryDirectory() as room:
        items = []
        for number, make in enumerate(makers):
            folder = Path(room, "items", str(number))
            folder.mkdir(parents=True)
            items.append(make(folder))
        return readers[name](items, Path(room, "items"))


def _fault_of_message(message: str, words: str, should_be_read: bool = False) -> str:
    if should_be_read:
        return f"refused: {message}"
    if not 0 < len(message) <= 400 or "\n" in message:
        return f"not one sentence: {message!r}"
    return "" if words in message else f"{message!r} does not say {words!r}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.allclose(one, other, atol=1e-4)
    return bool(one == other)
