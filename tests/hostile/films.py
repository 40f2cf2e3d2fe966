"""Films as people type them, singly and in a table of their own."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from helpers.errors import BadItem, HelpfulError
from helpers.scenarios.recommender.film_lookup import find_film, own_films
from helpers.scenarios.recommender.movielens import load_movielens
from tests.hostile.form import Case, LeftOut, Read, as_csv, each


@cache
def films() -> pd.DataFrame:
    return load_movielens().films


def found(item: tuple[str, str]) -> str:
    try:
        return films()["name"][find_film(films(), item[0])]
    except HelpfulError as error:
        raise BadItem(error) from None


def table(items: Sequence[tuple[str, str]], folder: Path) -> list:
    """Each item is a row of one table, with a rating, which is not used."""
    content, lines = as_csv(["film", "rating"], items)
    rows, problems = own_films(content, "mine.csv", films())
    names = iter(films()["name"].iloc[rows])
    left_out = dict(problem.removeprefix("mine.csv, line ").split(": ", 1) for problem in problems)
    return [LeftOut(left_out[str(n)]) if str(n) in left_out else next(names) for n in lines]


GOOD = [lambda folder: ("Toy Story (1995)", "5"), lambda folder: ("Alien (1979)", "4")]
READERS = {"find_film": each(found), "own_films": table}


def _read(typed: str, name: str, rating: str = "5", readers: tuple[str, ...] = ()) -> Case:
    verdict = Read(lambda value: value == name)
    return Case(f"{typed[:30]!a} {rating}", lambda folder: (typed, rating), verdict, False, readers)


def _left_out(typed: str, words: str) -> Case:
    return Case(f"{typed[:30]!a}", lambda folder: (typed, "5"), LeftOut(words))


MATRIX, TABLE = "The Matrix (1999)", ("own_films",)
CASES = [
    _read("Matrix, The (1999)", MATRIX),
    _read("  the\tMATRIX ", MATRIX),
    _read("The Matrix 1999", MATRIX),
    _read("the matrix [1999]", MATRIX),
    _read("The\u00a0Matrix", MATRIX),
    _read("The Matrix\u200b", MATRIX),
    _read("Ｔｈｅ Ｍａｔｒｉｘ", MATRIX),
    _read("Les Mise\u0301rables (1995)", "Les Misérables (1995)"),
    _read("les miserables (1995)", "Les Misérables (1995)"),
    _read("When Harry Met Sally", "When Harry Met Sally... (1989)"),
    _read("When Harry Met Sally…", "When Harry Met Sally... (1989)"),
    _read("Schindler’s List", "Schindler's List (1993)"),
    _read("Star Wars: Episode IV – A New Hope", "Star Wars: Episode IV - A New Hope (1977)"),
    _read("M*A*S*H", "M*A*S*H (1970)"),
    _read(MATRIX, MATRIX, "4.0", TABLE),
    _read(MATRIX, MATRIX, "4,5", TABLE),
    _read(MATRIX, MATRIX, "NaN", TABLE),
    _read(MATRIX, MATRIX, "", TABLE),
    _read(MATRIX, MATRIX, "★★★★", TABLE),
    _read(MATRIX, MATRIX, "2017-02-07T10:11:12Z", TABLE),
    _left_out("Matrix", "did you mean The Matrix (1999)"),
    _left_out("Pulp Fictoin", "did you mean Pulp Fiction (1994)"),
    _left_out("Les MisÃ©rables", "did you mean Les Misérables"),
    _left_out("Psycho (1961)", "did you mean Psycho (19"),
    _left_out("Hamlet", "give the year, too"),
    _left_out("Dune: Part Two (2024)", "did you mean Dune (1984)?"),
    _left_out("Zulu Dawn Rising", "the newest are of 2000"),
    _left_out("1270.0", "no film named '1270.0'"),
    _left_out("红高粱", "no film named"),
    _left_out("🙂", "no film named"),
    _left_out("?!", "no film named"),
    _left_out("x" * 100_000, "no film named"),
    _left_out("<b>$x$</b>", "no film named '<b>$x$</b>'"),
    _left_out("Alien\n(1986)", "did you mean Alien"),
    _left_out("   ", ""),
]
