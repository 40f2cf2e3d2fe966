"""MovieLens-1M: its tables, the split that tests a recommender, and what a network reads of it.

Source: Harper and Konstan, The MovieLens Datasets: History and Context, ACM TiiS 5(4), 2015; the
codes of ages and occupations are those of the README that GroupLens ships with the data.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.assets import fetch
from helpers.errors import HelpfulError

AGES = {
    1: "under 18", 18: "18-24", 25: "25-34", 35: "35-44", 45: "45-49", 50: "50-55", 56: "56 and up",
}  # fmt: skip
GENDERS = {"F": "female", "M": "male"}
OCCUPATIONS = {
    0: "other", 1: "academic or educator", 2: "artist", 3: "clerical or admin", 4: "student",
    5: "customer service", 6: "doctor or health care", 7: "executive or manager", 8: "farmer",
    9: "homemaker", 10: "pupil", 11: "lawyer", 12: "programmer", 13: "retired",
    14: "sales or marketing", 15: "scientist", 16: "self-employed", 17: "technician or engineer",
    18: "tradesman", 19: "unemployed", 20: "writer",
}  # fmt: skip
GENRES = [
    "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War",
    "Western",
]  # fmt: skip
_ARTICLE = re.compile(r"^(.*?), (The|An?|L[aeo]s?|L'|Il|El|Das|Der|Die)(| \(.*)$", re.IGNORECASE)
_FIRST_YEAR, _LAST_YEAR = 1919, 2000  # the oldest and the newest film
_TITLE_WORDS = 8  # words of a title that are read; few titles have more

Histories = Sequence[np.ndarray]
"""The films of each user, as row numbers, oldest first."""


class MovieLens(NamedTuple):
    """The three tables; a film or user is named by its row number, 0 for the first.

    Attributes:
        films: ``name`` ("The Matrix (1999)"), ``title`` ("The Matrix"), ``year``, ``genres``, a
            list of words.
        users: ``age``, ``gender`` and ``occupation`` in words.
        ratings: ``user`` and ``film`` (row numbers), ``rating`` (1 to 5), ``time`` (seconds since
            1970), in the order of the file.
    """

    films: pd.DataFrame
    users: pd.DataFrame
    ratings: pd.DataFrame


class Split(NamedTuple):
    """Who is asked what, from ``leave_last_out``; films are row numbers.

    Attributes:
        train: for each user the films before the last two, oldest first.
        validation: (users,) the film before the last, to choose settings by.
        test: (users,) the last film, to report.
    """

    train: list[np.ndarray]
    validation: np.ndarray
    test: np.ndarray

    @property
    def before_test(self) -> list[np.ndarray]:
        """For each user all films before the last, oldest first."""
        return [np.append(*pair) for pair in zip(self.train, self.validation, strict=True)]


def load_movielens(folder: Path | None = None) -> MovieLens:
    """The tables of MovieLens-1M, fetched if need be.

    Ratings that cannot be used, and the people whom that leaves fewer than three, are left out;
    how many and why is printed.

    Args:
        folder: where to read instead: a folder with ``ml-1m.inter``, ``ml-1m.item`` and
            ``ml-1m.user`` (RecBole's layout), or one that holds GroupLens' own ``ratings.dat``,
            ``movies.dat`` and ``users.dat`` at any depth.

    Raises:
        HelpfulError: the folder has neither layout, or no rating that can be used.
    """
    folder = Path(folder or fetch("ml-1m"))
    if file := next(folder.rglob("ratings.dat"), None):
        films, users, ratings = _read_grouplens(file.parent)
    elif (file := folder / "ml-1m.inter").exists():
        films, users, ratings = _read_recbole(folder)
    else:
        raise HelpfulError(
            f"{folder.name} holds neither ratings.dat nor ml-1m.inter; give the folder that "
            "MovieLens-1M was unpacked into."
        )
    films, users = (
        table.assign(key=_whole(table["key"])).drop_duplicates("key") for table in (films, users)
    )
    named = films["name"].str.extract(r"^(?P<title>.*?)\s*\((?P<year>\d{4})\)$")
    films["title"] = named["title"].fillna(films["name"]).map(article_first)
    films["name"] = films["title"] + (" (" + named["year"] + ")").fillna("")
    films["year"] = named["year"].fillna("0").astype(int)
    for column, words in (("age", AGES), ("gender", GENDERS), ("occupation", OCCUPATIONS)):
        users[column] = _whole(users[column]).map({str(k): w for k, w in words.items()})
        users[column] = users[column].fillna("unknown")
    ratings, users = _usable(ratings, films["key"], users, file.name)
    return MovieLens(
        films[["name", "title", "year", "genres"]].reset_index(drop=True),
        users[["age", "gender", "occupation"]].reset_index(drop=True),
        ratings,
    )


def _usable(
    ratings: pd.DataFrame, films: pd.Series, users: pd.DataFrame, file: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings by row numbers, and the users who have enough of them; the rest is named."""
    meaning = {
        "user": lambda keys: pd.Series(pd.Index(users["key"]).get_indexer(_whole(keys))),
        "film": lambda keys: pd.Series(pd.Index(films).get_indexer(_whole(keys))),
        "rating": lambda texts: pd.to_numeric(texts, errors="coerce"),
        "time": _seconds,
    }
    for column, read in meaning.items():
        place, values = pd.factorize(ratings[column])  # each value is read once
        ratings[column] = read(pd.Series(values)).to_numpy()[place]
    why = pd.Series("", ratings.index)
    why[ratings.duplicated(["user", "film"], keep="last")] = "of a film that is rated again"
    why[ratings["time"].isna()] = "without a time"
    why[ratings["film"] < 0] = "of an unknown film"
    why[ratings["user"] < 0] = "of an unknown user"
    counts = ratings["user"][why == ""].value_counts()
    few = ratings["user"].map(counts).fillna(0) < 3
    why[few & (why == "")] = "of a user with fewer than three"
    if (bad := why[why != ""]).size:
        print(f"{len(bad)} of {len(why)} ratings of {file} left out")
    for reason, lines in bad.groupby(bad).groups.items():
        more = ", ..." * (len(lines) > 5)
        print(f"  {reason}: {len(lines)} (line {', '.join(map(str, lines[:5]))}{more})")
    if (why != "").all():
        raise HelpfulError(f"{file} holds no rating that can be used; each user needs three.")
    ratings = ratings[why == ""].astype({"time": "int64"}).reset_index(drop=True)
    rows = np.unique(ratings["user"])
    ratings["user"] = np.searchsorted(rows, ratings["user"])
    return ratings, users.iloc[rows]


def _whole(keys: pd.Series) -> pd.Series:
    """Numbers as the keys they are, also where a program wrote them as 1.0."""
    return keys.str.strip().str.replace(r"\.0+$", "", regex=True)


def _seconds(times: pd.Series) -> pd.Series:
    """Seconds since 1970, from such numbers or ISO dates; NaN for what is neither."""
    numbers = pd.to_numeric(times, errors="coerce").where(lambda found: found.abs() < 1e18)
    others = times[numbers.isna()]
    days = pd.to_datetime(others, format="ISO8601", utc=True, errors="coerce")
    numbers[others.index] = days.dt.as_unit("s").astype("int64").where(days.notna())
    return numbers


def article_first(title: str) -> str:
    """A film as people say it: "The Matrix" for "Matrix, The", with or without what follows."""
    found = _ARTICLE.match(title)
    if not found:
        return title
    rest, article, behind = found.groups()
    return f"{article}{'' if article.endswith(chr(39)) else ' '}{rest}{behind}"


def leave_last_out(ratings: pd.DataFrame, seed: int | None = 0) -> Split:
    """Hold out the last film of each user for the test, the one before for validation.

    Many ratings of a user share one second, as a page of films was rated at once. Which of them
    comes first is drawn by a hash of user, film and ``seed``: neither the order of the file, which
    is not neutral, nor that of the tables decides. ``seed=None`` keeps the order of the file.

    Args:
        ratings: as in ``MovieLens``.
        seed: another one draws other orders.

    Raises:
        HelpfulError: a user has fewer than three ratings.
    """
    order = ratings.sort_values(["user", "time"], kind="stable")
    if seed is not None:
        salt = hashlib.blake2b(str(seed).encode(), digest_size=8).digest()
        pairs = ratings["user"].to_numpy(np.uint64) << np.uint64(32) | ratings["film"].to_numpy(
            np.uint64
        )
        drawn = pd.util.hash_array(pairs ^ np.frombuffer(salt, np.uint64))
        order = ratings.assign(drawn=drawn).sort_values(["user", "time", "drawn"])
    films, users = order["film"].to_numpy(), order["user"].to_numpy()
    each = np.split(films, np.flatnonzero(np.diff(users)) + 1)
    if min(map(len, each)) < 3:
        raise HelpfulError("A user has fewer than three ratings: one each to learn, choose, test.")
    return Split(
        [one[:-2] for one in each],
        np.array([one[-2] for one in each]),
        np.array([one[-1] for one in each]),
    )


def tied_last(ratings: pd.DataFrame) -> np.ndarray:
    """For each user whether the time of the last rating is also that of another: bool, (users,)."""
    latest = ratings["time"] == ratings.groupby("user")["time"].transform("max")
    return (ratings[latest].groupby("user").size() > 1).to_numpy()


def user_features(users: pd.DataFrame) -> np.ndarray:
    """What a network reads of users: int64, (users, 3), of age, gender and occupation.

    The values count from 1; 0 is kept for "unknown".
    """
    known = (AGES, GENDERS, OCCUPATIONS)
    columns = ("age", "gender", "occupation")
    codes = [
        pd.Index(words.values()).get_indexer(users[column]) + 1
        for column, words in zip(columns, known, strict=True)
    ]
    return np.stack(codes, axis=1)


def new_person(age: str = "", gender: str = "") -> np.ndarray:
    """The features of somebody new, in words; what is not said is unknown: int64, (1, 3)."""
    return user_features(pd.DataFrame({"age": [age], "gender": [gender], "occupation": [""]}))


def film_features(films: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a network reads of films besides their number.

    Returns:
        The words of the titles, int64, (films, 8): numbers from 1 for words that occur in two
        titles or more, 0 for no word. The years, int64, (films,), counted from the oldest. The
        genres, float32, (films, 18), 1 where a film is of the genre.
    """
    titles = [list(dict.fromkeys(_words(title))) for title in films["title"]]
    counts = Counter(word for title in titles for word in title)
    number = {word: n for n, word in enumerate((w for w in counts if counts[w] > 1), start=1)}
    words = np.zeros((len(films), _TITLE_WORDS), np.int64)
    for row, title in zip(words, titles, strict=True):
        known = [number[word] for word in title if word in number][:_TITLE_WORDS]
        row[: len(known)] = known
    years = films["year"].clip(_FIRST_YEAR, _LAST_YEAR).to_numpy(np.int64) - _FIRST_YEAR
    genres = np.array([[genre in of for genre in GENRES] for of in films["genres"]], np.float32)
    return words, years, genres


def last_films(histories: Histories, length: int, padding: int) -> np.ndarray:
    """The latest films of each history in a table: int64, (histories, length).

    The latest stands in the last column; where a history is shorter, ``padding`` fills the front.
    """
    table = np.full((len(histories), length), padding)
    for row, films in zip(table, histories, strict=True):
        latest = films[-length:]
        row[length - len(latest) :] = latest
    return table


def stretches(histories: Histories, length: int, random: np.random.Generator) -> list[np.ndarray]:
    """One stretch of at most ``length`` successive films of each history.

    Shorter histories are given whole. Of a longer one it is every other time the latest films, and
    else films from anywhere, so that over several rounds all are seen.
    """
    chosen = []
    for films in histories:
        spare = len(films) - length
        start = spare if spare > 0 and random.random() < 0.5 else random.integers(max(spare, 0) + 1)
        chosen.append(films[start : start + length])
    return chosen


def batches(
    lengths: Sequence[int], positions: int, random: np.random.Generator
) -> list[np.ndarray]:
    """Users in batches of like length, so that little is padding, in random order.

    Args:
        lengths: the length of each user's history.
        positions: how many films a batch may have; one longer history is a batch of its own.
        random: draws the order of the batches and, among users of like length, who goes with whom.

    Returns:
        int64 arrays of users, each user in one of them.
    """
    lengths = np.asarray(lengths)
    order = np.argsort(lengths + 8 * random.random(len(lengths)))
    groups: list[list[int]] = [[]]
    longest = 0
    for user in order:
        longest = max(longest, lengths[user])
        if groups[-1] and longest * (len(groups[-1]) + 1) > positions:
            groups.append([])
            longest = lengths[user]
        groups[-1].append(int(user))
    return [np.array(groups[i]) for i in random.permutation(len(groups))]


def training_batches(
    histories: Histories,
    rounds: int,
    length: int,
    padding: int,
    positions: int = 2048,
    seed: int = 0,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """What each step of a training reads, for several rounds through all users.

    Args:
        histories: one per user; those with fewer than two films are left out.
        rounds: how many stretches are taken from each history.
        length: how many films a stretch has at most.
        padding: stands in front of shorter ones.
        positions: about how many films a step reads.
        seed: of stretches and order.

    Returns:
        For each step the users, int64, (n,), and their films, int64, (n, up to length), the latest
        last.
    """
    random = np.random.default_rng(seed)
    users = np.array([user for user, films in enumerate(histories) if len(films) > 1])
    steps = []
    for _ in range(rounds):
        chosen = stretches([histories[user] for user in users], length, random)
        for rows in batches([len(one) for one in chosen], positions, random):
            films = [chosen[row] for row in rows]
            steps.append((users[rows], last_films(films, max(map(len, films)), padding)))
    return steps


def _read_recbole(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    def read(kind: str, names: Sequence[str]) -> pd.DataFrame:
        return _read(folder / f"ml-1m.{kind}", "\t", names).iloc[1:]  # the first names the columns

    films = read("item", ["name", "title", "year", "genres"])
    films["key"], films["genres"] = films["name"], films["genres"].str.split()
    users = read("user", ["key", "age", "gender", "occupation", "zip"])
    return films, users, read("inter", ["user", "film", "rating", "time"])


def _read_grouplens(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    def read(kind: str, names: Sequence[str]) -> pd.DataFrame:
        return _read(folder / f"{kind}.dat", "::", names)

    films = read("movies", ["key", "name", "genres"])
    films["genres"] = films["genres"].str.findall(r"[^|]+")
    users = read("users", ["key", "gender", "age", "occupation", "zip"])
    return films, users, read("ratings", ["user", "film", "rating", "time"])


def _read(file: Path, separator: str, names: Sequence[str]) -> pd.DataFrame:
    """The lines of a file as rows of text, by line number; what a line lacks is empty."""
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # as GroupLens' own files of 2003 are
    rows = pd.read_csv(
        io.StringIO(text.replace(separator, "\t")),
        sep="\t",
        names=names,
        usecols=range(len(names)),  # so that a line may have more
        index_col=False,
        dtype="str",
        quoting=csv.QUOTE_NONE,
        skip_blank_lines=False,
    ).fillna("")
    rows.index += 1
    return rows[rows[names[0]] != ""]


def _words(title: str) -> list[str]:
    return re.findall(r"\w+", title.casefold())
