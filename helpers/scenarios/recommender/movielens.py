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


def in_order(ratings: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The ratings by user and time, oldest first, in new rows.

    Many ratings of a user share one second, as a page of films was rated at once. Which of them
    comes first is drawn by a hash of user, film and ``seed``: neither the order of the file, which
    is not neutral, nor that of the tables decides.

    Args:
        ratings: as in ``MovieLens``.
        seed: another one draws other orders.
    """
    salt = hashlib.blake2b(str(seed).encode(), digest_size=8).digest()
    user, film = (ratings[name].to_numpy(np.uint64) for name in ("user", "film"))
    drawn = pd.util.hash_array((user << np.uint64(32) | film) ^ np.frombuffer(salt, np.uint64))
    order = np.lexsort((drawn, ratings["time"], ratings["user"]))
    return ratings.iloc[order].reset_index(drop=True)


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


def training_batches(
    histories: Histories,
    length: int,
    padding: int,
    random: np.random.Generator,
    positions: int = 2048,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """What each step of a training reads, for one round through all users.

    Of a history longer than ``length`` it is every other time the latest films, and else successive
    ones from anywhere, so that over several rounds all are seen. Histories of like length go
    together, so that little is padding.

    Args:
        histories: one per user; those with fewer than two films are left out.
        length: how many films are taken from a history at most.
        padding: stands in front of shorter ones.
        random: draws what is taken, who goes with whom, and the order of the steps.
        positions: how many films a step reads; one longer history is a step of its own.

    Returns:
        For each step the users, int64, (n,), and their films, int64, (n, up to length), the latest
        last.
    """
    chosen = {}
    for user, films in enumerate(histories):
        spare = max(len(films) - length, 0)
        start = spare if random.random() < 0.5 else random.integers(spare + 1)
        if len(films) > 1:
            chosen[user] = films[start : start + length]
    users, lengths = list(chosen), np.array([len(films) for films in chosen.values()])
    steps: list[list[int]] = []
    longest = 0
    for place in np.argsort(lengths + 8 * random.random(len(lengths))):
        longest = max(longest, lengths[place])
        if not steps or longest * (len(steps[-1]) + 1) > positions:
            steps.append([])
            longest = lengths[place]
        steps[-1].append(users[place])
    tables = []
    for step in random.permutation(len(steps)):
        films = [chosen[user] for user in steps[step]]
        tables.append((np.array(steps[step]), last_films(films, max(map(len, films)), padding)))
    return tables


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
