"""Ratings in the layouts of MovieLens, line by line."""

import contextlib
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from helpers.scenarios.recommender.movielens import load_movielens
from tests.hostile.form import Case, LeftOut, Read

FILMS = {"1": "Toy Story (1995)", "3": "Matrix, The (1999)", "7": "Hamlet (1990)", "9": "No Year"}
FILMS |= {str(key): f"Film {key} (1950)" for key in (20, 21, 22)}
USERS = {"1": ("F", "1", "10"), "2": ("M", "56", "16")}
BEFORE = [(user, film, "5", "100") for user in "12" for film in ("20", "21", "22")]


def _layout(separator: str, files: dict[str, str], key: Callable[[str], str], head: bool):
    """A reader of ratings in one of the two layouts; each item is a rating."""

    def read(items: Sequence[tuple[str, ...]], folder: Path) -> list:
        ratings = [(row[0], *map(key, row[1:2]), *row[2:]) for row in [*BEFORE, *items]]
        users = [(user, *about, "0") for user, about in USERS.items()]
        films = [(k, name, "Drama") for k, name in FILMS.items()]
        if head:  # age before gender; films by name, with their year
            users = [(user, age, gender, work, code) for user, gender, age, work, code in users]
            films = [(name, name, "1999", "Drama") for name in FILMS.values()]
        for name, rows in (("films", films), ("users", users), ("ratings", ratings)):
            lines = [separator.join(row) for row in [*[("names",)] * head, *rows]]
            (folder / files[name]).write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
        with contextlib.redirect_stdout(io.StringIO()) as said:
            found = load_movielens(folder).ratings.iloc[len(BEFORE) :]
        left_out = {}
        for reason, lines in re.findall(r"^  (.*): \d+ \(line (.*)\)$", said.getvalue(), re.M):
            left_out |= {int(line): LeftOut(reason) for line in lines.split(", ")}
        rows = iter([tuple(row) for row in found.to_numpy().tolist()])
        first = 1 + head + len(BEFORE)
        return [left_out.get(first + place) or next(rows) for place in range(len(items))]

    return read


GROUPLENS = {"films": "movies.dat", "users": "users.dat", "ratings": "ratings.dat"}
RECBOLE = {"films": "ml-1m.item", "users": "ml-1m.user", "ratings": "ml-1m.inter"}
GOOD = [lambda folder: ("1", "1", "5", "200"), lambda folder: ("2", "3", "4", "300")]
READERS = {
    "grouplens": _layout("::", GROUPLENS, lambda key: key, False),
    "recbole": _layout(
        "\t", RECBOLE, lambda key: FILMS.get(key.strip().removesuffix(".0"), key), True
    ),
}


def _read(name: str, *row: str, rating: float = 5, time: int = 250) -> Case:
    def is_right(value):
        return value[:2] == (0, 2) and value[3] == time and (value[2] == rating or rating != rating)

    return Case(name, lambda folder: row, Read(is_right))


def _left_out(name: str, words: str, *row: str) -> Case:
    return Case(name, lambda folder: row, LeftOut(words))


CASES = [
    _read("plain", "1", "7", "5", "250"),
    _read("whole rating with a point", "1", "7", "5.0", "250"),
    _read("half a star", "1", "7", "4.5", "250", rating=4.5),
    _read("ids with a point", "1.0", "7.0", "5", "250"),
    _read("seconds with a fraction", "1", "7", "5", "250.7"),
    _read("seconds in powers of ten", "1", "7", "5", "2.5e2"),
    _read("ISO time", "1", "7", "5", "1970-01-01T00:04:10Z"),
    _read("ISO time with a zone", "1", "7", "5", "1970-01-01T02:04:10.25+02:00"),
    _read("ISO time with a blank", "1", "7", "5", "1970-01-01 00:04:10"),
    _read("only a day", "1", "7", "5", "2017-02-07", time=1_486_425_600),
    _read("before 1970", "1", "7", "5", "1969-12-31", time=-86_400),
    _read("after 2262", "1", "7", "5", "2300-01-01", time=10_413_792_000),
    _read("no rating", "1", "7", "", "250", rating=float("nan")),
    _read("NaN for a rating", "1", "7", "NaN", "250", rating=float("nan")),
    _read("blanks", " 1 ", "7 ", "5", " 250 "),
    _read("a field too many", "1", "7", "5", "250", ""),
    _read("CR at the end", "1", "7", "5", "250\r"),
    _left_out("unknown user", "unknown user", "8", "7", "5", "250"),
    _left_out("no user's number", "unknown user", "Ann", "7", "5", "250"),
    _left_out("half an id", "unknown user", "1.5", "7", "5", "250"),
    _left_out("unknown film", "unknown film", "1", "99", "5", "250"),
    _left_out("NaN for a film", "unknown film", "1", "nan", "5", "250"),
    _left_out("no film", "unknown film", "1", "", "5", "250"),
    _left_out("no time", "without a time", "1", "7", "5", ""),
    _left_out("NaN for a time", "without a time", "1", "7", "5", "nan"),
    _left_out("a time that is none", "without a time", "1", "7", "5", "soon"),
    _left_out("endless time", "without a time", "1", "7", "5", "inf"),
    _left_out("cut off", "unknown film", "1"),
    _left_out("words", "unknown user", "hello world"),
    _left_out("Chinese", "unknown user", "中", "文", "5", "250"),
    _left_out("NUL", "unknown user", "\0", "7", "5", "250"),
]
