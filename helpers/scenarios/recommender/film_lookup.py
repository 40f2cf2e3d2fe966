"""What people type: names of films, numbers of users, tables of the films they saw."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import pandas as pd

from helpers.errors import HelpfulError
from helpers.inputs.tables import read_table
from helpers.scenarios.recommender.movielens import article_first

_ALIKE = 0.55  # cosine similarity from which a title is worth asking "did you mean"
_NAMED = 20  # lines left out that are named


def find_film(films: pd.DataFrame, name: str) -> int:
    """The row of a film by its name or title.

    Case, accents, punctuation and the place of the article do not matter.

    Raises:
        HelpfulError: no film or several have that title; the message names some that are alike.
    """
    rows = _rows_by_words(tuple(films["name"]), tuple(films["title"])).get(_typed(name), [])
    if len(rows) != 1:
        raise HelpfulError(_not_one(films, name, rows))
    return rows[0]


def _not_one(films: pd.DataFrame, name: str, rows: list[int]) -> str:
    """What to say about a name that no film has, or several have."""
    if rows:
        return f"There are {' and '.join(films['name'].iloc[rows])}: give the year, too."
    alike = films["name"].iloc[_alike(tuple(films["title"]), _typed(name))]
    hint = f"did you mean {' or '.join(alike)}?" if len(alike) else "the newest are of 2000."
    shown = name if len(name) <= 60 else f"{name[:60]}..."
    return f"There is no film named {shown!r} here; {hint}"


def _typed(name: str) -> str:
    return _words(article_first(" ".join(name.split())))


def _words(name: str) -> str:
    """A name without what people write in different ways: case, accents, signs, blanks."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", plain))


@lru_cache(maxsize=4)
def _rows_by_words(names: tuple[str, ...], titles: tuple[str, ...]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, pair in enumerate(zip(names, titles, strict=True)):
        for words in dict.fromkeys(map(_words, pair)):
            rows.setdefault(words, []).append(row)
    return rows


def _alike(titles: tuple[str, ...], wanted: str) -> list[int]:
    """At most three titles that share the most letter sequences with what was typed, best first."""
    vectorizer, vectors = _letter_sequences(titles)
    without_year = re.sub(r" \d{4}$", "", wanted)
    similarity = (vectors @ vectorizer.transform([without_year]).T).toarray().ravel()
    best = np.argsort(-similarity, kind="stable")[:3]
    return best[similarity[best] >= _ALIKE].tolist()


@lru_cache(maxsize=4)
def _letter_sequences(titles: tuple[str, ...]):
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    return vectorizer, vectorizer.fit_transform(map(_words, titles))


def check_user(users: pd.DataFrame, user: int) -> int:
    """The row of a user, if there is one.

    Raises:
        HelpfulError: the number is not that of a user.
    """
    if not 0 <= user < len(users):
        raise HelpfulError(f"There is no user {user}; choose one from 0 to {len(users) - 1}.")
    return user


def own_history(
    films: pd.DataFrame, names: Iterable[str], age: str = "", gender: str = ""
) -> np.ndarray:
    """The rows of films that somebody typed, oldest first; empty names are left out: int64, (n,).

    Raises:
        HelpfulError: a film is not known, or nothing is said at all, not even age or gender.
    """
    typed = [name for name in names if name.strip()]
    if not (typed or age or gender):
        raise HelpfulError("Choose a film, or say your age or gender, then press again.")
    return np.array([find_film(films, name) for name in typed], np.int64)


def own_films(content: bytes, name: str, films: pd.DataFrame) -> tuple[list[int], list[str]]:
    """Read a table of the films that somebody saw.

    Args:
        content: a CSV with the column ``film``, oldest first; other columns, such as a rating,
            are not used.
        name: the file's name, for the messages.
        films: as in ``MovieLens``.

    Returns:
        The rows of the films, each once, and a sentence for each line that was left out; of many
        the first twenty and how many more there are.

    Raises:
        HelpfulError: the file cannot be read, lacks the column, or no film in it is known.
    """
    rows_by_words = _rows_by_words(tuple(films["name"]), tuple(films["title"]))
    found: dict[int, int] = {}  # film -> the line it was first named in
    problems: list[str] = []
    for line, values, problem in read_table(content, name, ["film"]):
        typed = values.get("film", "")
        rows = rows_by_words.get(_typed(typed), [])
        if problem or not typed:
            problem = problem or "no film is named"
        elif len(rows) != 1:
            # To look for films that are alike takes milliseconds: only where it is shown.
            problem = _not_one(films, typed, rows) if len(problems) < _NAMED else "not known"
        elif rows[0] in found:
            problem = f"{films['name'][rows[0]]} is in line {found[rows[0]]}, too"
        else:
            found[rows[0]] = line
            continue
        problems.append(f"{name}, line {line}: {problem}")
    if not found:
        first = f" ({problems[0]})" if problems else ""
        raise HelpfulError(f"{name} names no film that is known here{first}.")
    if len(problems) > _NAMED:
        problems[_NAMED:] = [f"{name}: {len(problems) - _NAMED} more lines left out"]
    return list(found), problems
