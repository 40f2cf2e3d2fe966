"""Names of films, numbers of users and tables of ratings as people type them."""

import time

import pandas as pd
import pytest

from helpers.errors import HelpfulError
from helpers.scenarios.recommender.film_lookup import (
    check_user,
    find_film,
    own_films,
    own_history,
)
from helpers.scenarios.recommender.movielens import MovieLens, load_movielens

NAMES = [
    ("Toy Story (1995)", "Toy Story"),
    ("The Matrix (1999)", "The Matrix"),
    ("Les Misérables (1995)", "Les Misérables"),
    ("Hamlet (1990)", "Hamlet"),
    ("Hamlet (1948)", "Hamlet"),
    ("Toy Story 2 (1999)", "Toy Story 2"),
]


@pytest.fixture
def movielens():
    films = pd.DataFrame(NAMES, columns=["name", "title"])
    return MovieLens(films, pd.DataFrame({"age": ["25-34"] * 3}), pd.DataFrame())


@pytest.mark.parametrize("name", ["Matrix, The (1999)", "the  matrix", "THE MATRIX", "matrix, the"])
def test_a_film_is_found_by_name_or_title(movielens, name):
    assert find_film(movielens.films, name) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Hamlet", r"There are Hamlet \(1990\) and Hamlet \(1948\): give the year"),
        ("Toy Stori", r"did you mean Toy Story \(1995\)"),
        ("matrix", r"did you mean The Matrix \(1999\)"),
        ("Zulu Dawn Rising", "the newest are of 2000"),
        ("", "no film named ''"),
    ],
)
def test_an_unknown_film_is_explained(movielens, name, said):
    with pytest.raises(HelpfulError, match=said):
        find_film(movielens.films, name)


@pytest.mark.parametrize("user", [-1, 3])
def test_an_unknown_user_is_explained(movielens, user):
    assert check_user(movielens.users, 2) == 2
    with pytest.raises(HelpfulError, match="choose one from 0 to 2"):
        check_user(movielens.users, user)


def test_a_history_is_what_was_typed_in_its_order(movielens):
    assert own_history(movielens.films, [" The Matrix ", "", "toy story"]).tolist() == [1, 0]
    nothing = own_history(movielens.films, ["", " "], gender="female")
    assert nothing.shape == (0,) and nothing.dtype == int


def test_a_history_of_nothing_or_of_an_unknown_film_is_explained(movielens):
    with pytest.raises(HelpfulError, match="Choose a film, or say your age or gender"):
        own_history(movielens.films, ["", " "])
    with pytest.raises(HelpfulError, match="There is no film named 'X'"):
        own_history(movielens.films, ["Toy Story", "X"], "25-34")


def test_own_films_keep_their_order_and_name_what_is_left_out(movielens):
    table = "film;rating\nToy Story;4.5\nNobody Saw This;4\nHamlet (1948);\ntoy story;3\n;5\n"
    films, problems = own_films(table.encode(), "mine.csv", movielens.films)
    assert films == [0, 4]
    assert [problem.split(":")[0] for problem in problems] == [
        f"mine.csv, line {line}" for line in (3, 5, 6)
    ]
    assert "Toy Story (1995) is in line 2, too" in problems[1] and "no film is named" in problems[2]


def test_of_many_lines_all_are_read_and_what_is_left_out_is_counted(movielens):
    table = "film\n" + "Nobody Saw This\n" * 6_000 + "The Matrix\n"
    films, problems = own_films(table.encode(), "mine.csv", movielens.films)
    assert films == [1]
    assert len(problems) == 21 and problems[-1] == "mine.csv: 5980 more lines left out"


def test_many_unknown_films_take_no_long_time():
    films = load_movielens().films
    table = "film\nToy Story (1995)\n" + "".join(f"My Holidays {n}\n" for n in range(800))
    started = time.process_time()
    found, problems = own_films(table.encode(), "mine.csv", films)
    assert found == [0] and len(problems) == 21
    assert time.process_time() - started < 20, "it was 48 s"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("title,stars\nToy Story,5\n", "has no column film"),
        ("film\n", "names no film that is known"),
        ("film\nNobody Saw This\n", r"names no film .* \(mine.csv, line 2: There is no film"),
        ("", "is empty"),
    ],
)
def test_own_films_that_cannot_be_used_are_explained(movielens, table, said):
    with pytest.raises(HelpfulError, match=said):
        own_films(table.encode(), "mine.csv", movielens.films)
