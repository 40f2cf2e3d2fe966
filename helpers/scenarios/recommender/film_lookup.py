"""What people type: names of films, numbers of users, tables of their own ratings."""

import difflib
from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.errors import HelpfulError
from helpers.scenarios.recommender.movielens import article_first
from helpers.tables import read_table

_OWN_LIMIT = 5_000  # ratings of one person; the keenest of MovieLens-1M has 2,314


def find_film(films: pd.DataFrame, name: str) -> int:
    """The row of a film by its name or title; case and the place of the article do not matter.

    Raises:
        HelpfulError: no film or several have that title; the message names some that are alike.
    """
    wanted = article_first(" ".join(name.split())).casefold()
    names, titles = films["name"].str.casefold(), films["title"].str.casefold()
    rows = np.flatnonzero((names == wanted) | (titles == wanted))
    if len(rows) == 1:
        return int(rows[0])
    if len(rows):
        several = " and ".join(films["name"].iloc[rows])
        raise HelpfulError(f"There are {several}: give the year, too.")
    alike = [*names[titles.str.contains(wanted, regex=False)][:3]] if len(wanted) > 3 else []
    alike = alike or difflib.get_close_matches(wanted, [*names, *titles], 3, 0.6)
    known = films["name"][names.isin(alike) | titles.isin(alike)].tolist()
    hint = f"did you mean {' or '.join(known)}?" if known else "the newest are of 2000."
    raise HelpfulError(f"There is no film named {name!r} here; {hint}")


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


def own_ratings(content: bytes, name: str, films: pd.DataFrame) -> tuple[list[int], list[str]]:
    """Read somebody's own ratings.

    Args:
        content: a CSV in UTF-8 with the column ``film``, oldest first, and perhaps ``rating``;
            rows with a rating are ordered as they stand all the same.
        name: the file's name, for the messages.
        films: as in ``MovieLens``.

    Returns:
        The rows of the films, each once, and a sentence for each line that was left out.

    Raises:
        HelpfulError: the file cannot be read, lacks the column, or no film in it is known.
    """
    found: list[int] = []
    problems: list[str] = []
    for line, values, problem in read_table(content, name, ["film"])[:_OWN_LIMIT]:
        try:
            if problem or not values["film"]:
                raise HelpfulError(problem or "no film is named")
            if (rating := values.get("rating")) and rating not in {*"12345"}:
                raise HelpfulError(f"the rating {rating!r} is not 1, 2, 3, 4 or 5")
            film = find_film(films, values["film"])
            if film in found:
                raise HelpfulError(f"{values['film']!r} is there twice")
            found.append(film)
        except HelpfulError as error:
            problems.append(f"{name}, line {line}: {error}")
    if not found:
        first = f" ({problems[0]})" if problems else ""
        raise HelpfulError(f"{name} rates nothing that is known here{first}.")
    return found, problems
