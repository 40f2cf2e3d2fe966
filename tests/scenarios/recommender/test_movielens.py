"""MovieLens: both layouts, the order of ratings, features and what a training reads."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import HelpfulError
from helpers.scenarios.recommender.movielens import (
    GENRES,
    film_features,
    in_order,
    last_films,
    load_movielens,
    new_person,
    training_batches,
    user_features,
)

# key, name, genres; the keys are GroupLens' numbers, which leave some out.
FILMS = [
    (1, "Toy Story (1995)", "Animation|Children's|Comedy"),
    (3, "Matrix, The (1999)", "Action|Sci-Fi|Thriller"),
    (7, "Misérables, Les (1995)", "Drama|Musical"),
    (9, "Hamlet (1990)", "Drama"),
    (12, "Hamlet (1948)", "Drama"),
    (13, "Toy Story 2 (1999)", "Animation|Children's|Comedy"),
]
USERS = [(1, "F", 1, 10, "48067"), (2, "M", 56, 16, "70072"), (5, "M", 25, 0, "00000")]
RATINGS = [
    *((1, key, 5, 100 + at) for at, key in enumerate((1, 3, 7, 9))),
    *((2, key, 3, 900) for key in (12, 9, 7, 3, 1)),
    *((5, key, 1, 500 - at) for at, key in enumerate((13, 1, 3))),
]


def write_grouplens(folder, ratings=RATINGS):
    inner = folder / "ml-1m"
    inner.mkdir(parents=True)
    for name, rows in (("movies", FILMS), ("users", USERS), ("ratings", ratings)):
        text = "".join("::".join(map(str, row)) + "\n" for row in rows)
        (inner / f"{name}.dat").write_bytes(text.encode("latin-1"))
    return folder


def write_recbole(folder):
    name_of = {key: name for key, name, _ in FILMS}
    tables = {
        "item": ["item_id:token\tmovie_title:token\trelease_year:float\tgenre:token"],
        "user": ["user_id:token\tage:float\tgender:token\toccupation:float\tzip_code:token"],
        "inter": ["user_id:token\titem_id:token\trating:float\ttimestamp:float"],
    }
    for _, name, genres in FILMS:
        tables["item"].append(f"{name}\t{name[:-7]}\t{name[-5:-1]}\t{genres.replace('|', ' ')}")
    for key, gender, age, work, code in USERS:
        tables["user"].append(f"1m_{key}\t{age}\t{gender}\t{work}\t{code}")
    for user, film, rating, time in RATINGS:
        tables["inter"].append(f"1m_{user}\t{name_of[film]}\t{rating}\t{time}")
    for kind, lines in tables.items():
        (folder / f"ml-1m.{kind}").write_bytes("\r\n".join(lines).encode() + b"\r\n")
    return folder


@pytest.fixture
def movielens(tmp_path):
    return load_movielens(write_grouplens(tmp_path))


def test_both_layouts_give_the_same_tables(tmp_path):
    ours = load_movielens(write_grouplens(tmp_path / "official"))
    theirs = load_movielens(write_recbole(tmp_path))
    for table, other in zip(ours, theirs, strict=True):
        pd.testing.assert_frame_equal(table, other)


def test_titles_years_genres_and_codes_are_spelled_out(movielens):
    matrix = movielens.films.iloc[1]
    assert matrix.tolist() == [
        "The Matrix (1999)",
        "The Matrix",
        1999,
        ["Action", "Sci-Fi", "Thriller"],
    ]
    assert movielens.films["title"][2] == "Les Misérables"
    assert movielens.users.iloc[0].tolist() == ["under 18", "female", "pupil"]
    assert movielens.users.iloc[1].tolist() == ["56 and up", "male", "self-employed"]
    assert movielens.ratings.iloc[0].tolist() == [0, 0, 5, 100]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Good, The Bad and The Ugly, The (1966)", "The Good, The Bad and The Ugly"),
        ("Enfer, L' (1994)", "L'Enfer"),
        ("Promise, The (Versprechen, Das) (1994)", "The Promise (Versprechen, Das)"),
        ("Go, Annie (1999)", "Go, Annie"),
    ],
)
def test_articles_go_to_the_front(tmp_path, monkeypatch, name, title):
    monkeypatch.setitem(globals(), "FILMS", [(1, name, "Drama"), *FILMS[1:]])
    assert load_movielens(write_grouplens(tmp_path)).films["title"][0] == title


def test_a_folder_without_the_data_is_explained(tmp_path):
    with pytest.raises(HelpfulError, match="holds neither ratings.dat nor ml-1m.inter"):
        load_movielens(tmp_path)


def test_ratings_that_cannot_be_used_are_left_out_and_named(tmp_path, movielens, capsys):
    bad = [(1, 99, 5, 0), (8, 1, 5, 0), (1, 12, 5, "soon"), (1, 1, 4, 99)]
    capsys.readouterr()
    found = load_movielens(write_grouplens(tmp_path / "bad", [*bad, *RATINGS]))
    for table, other in zip(found, movielens, strict=True):
        pd.testing.assert_frame_equal(table, other)
    assert capsys.readouterr().out.splitlines() == [
        "4 of 16 ratings of ratings.dat left out",
        "  of a film that is rated again: 1 (line 4)",
        "  of an unknown film: 1 (line 1)",
        "  of an unknown user: 1 (line 2)",
        "  without a time: 1 (line 3)",
    ]


def test_who_has_fewer_than_three_ratings_is_left_out_and_the_others_keep_their_films(tmp_path):
    ratings = [row for row in RATINGS if row[0] != 2 or row[1] in (12, 9)]
    found = load_movielens(write_grouplens(tmp_path, ratings))
    assert found.users["age"].tolist() == ["under 18", "25-34"]
    last = in_order(found.ratings).groupby("user")["film"].last()
    assert last.tolist() == [3, 5]  # the films of the keys 9 and 13
    with pytest.raises(HelpfulError, match="ratings.dat holds no rating that can be used"):
        load_movielens(write_grouplens(tmp_path / "few", RATINGS[:2]))


def test_numbers_with_a_point_dates_and_gaps_are_read(tmp_path, movielens, monkeypatch):
    days = [
        (u, f"{f}.0", "4.5", f"1970-01-01T00:{t // 60:02}:{t % 60:02}Z") for u, f, _, t in RATINGS
    ]
    monkeypatch.setitem(
        globals(), "USERS", [(f"{u}.0", g, f"{a}.0", w, z) for u, g, a, w, z in USERS]
    )
    found = load_movielens(write_grouplens(tmp_path / "days", days))
    assert found.ratings["time"].tolist() == movielens.ratings["time"].tolist()
    assert set(found.ratings["rating"]) == {4.5}
    pd.testing.assert_frame_equal(found.users, movielens.users)
    monkeypatch.setitem(globals(), "USERS", [(1, "", "", "", ""), (2, "X", 30, 99, ""), (5,)])
    monkeypatch.setitem(globals(), "FILMS", [*FILMS[:-1], (13, "No Year", "")])
    found = load_movielens(write_grouplens(tmp_path / "gaps"))
    assert set(found.users.to_numpy().ravel()) == {"unknown"}
    assert user_features(found.users).tolist() == [[0, 0, 0]] * 3
    assert found.films.iloc[-1].tolist() == ["No Year", "No Year", 0, []]


def rated(ratings, user, seed=0):
    order = in_order(ratings, seed)
    return order["film"][order["user"] == user].tolist()


def test_ratings_stand_by_user_and_time_whatever_the_order_of_the_file(movielens):
    order = in_order(movielens.ratings)
    assert order.index.tolist() == list(range(12)) and order["user"].is_monotonic_increasing
    assert order.groupby("user")["time"].is_monotonic_increasing.all()
    assert rated(movielens.ratings, 0) == [0, 1, 2, 3]
    assert rated(movielens.ratings, 2) == [1, 0, 5]


def test_ties_are_broken_by_neither_the_file_nor_the_table(movielens):
    pd.testing.assert_frame_equal(in_order(movielens.ratings), in_order(movielens.ratings[::-1]))
    last = {rated(movielens.ratings, 1, seed)[-1] for seed in range(60)}
    assert last == {0, 1, 2, 3, 4}  # each of the five films of that second


def test_features_are_numbers_with_zero_for_unknown(movielens):
    people = user_features(movielens.users)
    assert people.tolist() == [[1, 1, 11], [7, 2, 17], [3, 2, 1]]
    assert user_features(movielens.users.assign(age="?"))[:, 0].tolist() == [0, 0, 0]
    words, years, genres = film_features(movielens.films)
    assert words.shape == (6, 8) and words[1].sum() == 0  # no other title has "the" or "matrix"
    assert set(words[0]) - {0} == set(words[5]) - {0} and (words[3] == words[4]).all()
    assert years.tolist() == [76, 80, 76, 71, 29, 80]
    assert [GENRES[i] for i in np.flatnonzero(genres[1])] == ["Action", "Sci-Fi", "Thriller"]


def test_somebody_new_may_say_little():
    assert new_person().tolist() == [[0, 0, 0]]
    assert new_person("25-34", "female").tolist() == [[3, 1, 0]]


def histories(*rows):
    return [np.array(row, int) for row in rows]


def test_last_films_stand_at_the_right_and_padding_at_the_left():
    table = last_films(histories([1, 2, 3], [4], []), 2, padding=9)
    assert table.tolist() == [[2, 3], [9, 4], [9, 9]]


def draw(rows, length, positions=2048, seed=0):
    """The steps of one round as (user, films) without padding."""
    steps = training_batches(rows, length, 999, np.random.default_rng(seed), positions)
    return [
        [(user, films[films != 999].tolist()) for user, films in zip(users, table, strict=True)]
        for users, table in steps
    ]


def test_what_is_read_is_successive_and_reaches_everything():
    long = np.arange(10)
    drawn = [sum(draw([long, long[:2]], 3, seed=seed), []) for seed in range(300)]
    assert all(sorted(one)[1] == (1, [0, 1]) for one in drawn)
    films = [sorted(one)[0][1] for one in drawn]
    assert all(one == list(range(one[0], one[0] + 3)) for one in films)
    starts = np.bincount([one[0] for one in films])
    assert len(starts) == 8 and starts.min() > 0
    assert starts[7] > 150  # the latest at least every other time


def test_a_round_shows_everybody_once_within_bounds():
    lengths = np.random.default_rng(0).integers(2, 100, size=500)
    steps = draw([np.arange(length) for length in lengths], 101, positions=400)
    assert sorted(user for step in steps for user, _ in step) == list(range(500))
    sizes = [len(step) * max(len(films) for _, films in step) for step in steps]
    assert max(sizes) <= 400 and sum(sizes) / lengths.sum() < 1.25


def test_a_history_longer_than_a_step_is_a_step_of_its_own_and_one_film_teaches_nothing():
    steps = draw(histories([1], [], list(range(50)), [1, 2], [3, 4]), 101, positions=10)
    assert sorted([user for user, _ in step] for step in steps) in ([[2], [3, 4]], [[2], [4, 3]])


def test_what_is_read_is_drawn_by_the_generator():
    rows = histories(*([n for n in range(5) if n != i % 5] for i in range(20)))
    one, same, other = (draw(rows, 3, positions=12, seed=seed) for seed in (1, 1, 2))
    assert one == same != other
