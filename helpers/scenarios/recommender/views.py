"""What a recommender shows: a person's films with the recommended ones, and a map of films."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from helpers.inputs.texts import as_html, lines_of, shortened
from helpers.show import COLOURS, NEUTRAL, show_figure

OTHERS = "other"  # the genre of films that have none of the main ones


class Advice(NamedTuple):
    """One recommended film.

    Attributes:
        name: its name and year.
        genres: what kind of film it is.
        score: the inner product of its vector and the person's.
        because: the film of the person's history that is most like it.
    """

    name: str
    genres: Sequence[str]
    score: float
    because: str = ""


def show_advice(heading: str, history: Sequence[str], found: Sequence[Advice]) -> None:
    """Show what somebody watched last and what is recommended, as a table.

    Args:
        heading: who it is for.
        history: names of the latest films, oldest first; may be empty.
        found: recommended films, best first.
    """
    from IPython.display import display

    rows = [(a.name, ", ".join(a.genres), f"{a.score:.3f}", a.because or "-") for a in found]
    rows = [tuple(map(lines_of, row)) for row in rows]
    columns = ["recommended", "genres", "score", "because you watched"]
    table = pd.DataFrame(rows, range(1, len(rows) + 1), columns)
    latest = f"latest: {' · '.join(history) or 'nothing yet'}"
    with pd.option_context("display.max_colwidth", None):  # long titles are shown whole
        plain = table.to_string()
        rich = table.to_html(border=0, formatters=[as_html] * len(columns), escape=False)
    for cell in ("th", "td"):  # pages that show notebooks would set words to the right
        rich = rich.replace(f"<{cell}>", f'<{cell} style="text-align:left">')
    about = f"<p><b>{as_html(heading)}</b><br>{as_html(latest)}</p>"
    words = f"{lines_of(heading)}\n{lines_of(latest)}\n{plain}"
    display({"text/html": about + rich, "text/plain": words}, raw=True)


def main_genre(genres: Sequence[str], main: Sequence[str]) -> str:
    """The first of the main genres that a film is of; those listed first go first."""
    return next((genre for genre in main if genre in genres), OTHERS)


def show_film_map(
    points: np.ndarray, genres: Sequence[str], main: Sequence[str], named: dict[int, str], axis: str
) -> None:
    """Show films as dots in the colours of their genres, some with their titles.

    Args:
        points: (n, 2), a projection of the films' vectors.
        genres: n genres, from ``main_genre``.
        main: the genres that get colours of their own, at most eight; others are light grey.
        named: row -> title to write beside its dot.
        axis: what the two axes are, for example ``"t-SNE dimension"``.
    """
    figure, axes = plt.subplots(figsize=(11, 8))
    genres, dots = np.asarray(genres), {}
    for genre, colour in {OTHERS: "#DDDDDD", **dict(zip(main, COLOURS, strict=False))}.items():
        x, y = points[genres == genre].T
        dots[genre] = axes.scatter(x, y, s=9, color=colour, linewidths=0)
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1}
    for row, title in named.items():
        axes.plot(*points[row], "o", color="white", markeredgecolor="black", markersize=6)
        beside = {"xytext": (6, 4), "textcoords": "offset points", "fontsize": 11, "bbox": box}
        axes.annotate(shortened(title, 300), points[row], zorder=5, **beside)
    axes.set(xlabel=f"{axis} 1 (no unit)", ylabel=f"{axis} 2 (no unit)")
    axes.margins(0.02)
    axes.legend(dots.values(), dots, ncols=len(dots), loc="lower center", bbox_to_anchor=(0.5, 1),
                markerscale=3, frameon=False, columnspacing=1, handletextpad=0.2)  # fmt: skip
    show_figure(figure)


def show_comparison(shares: dict[str, float], margins: dict[str, float], title: str) -> None:
    """Show HR@10 of several ways as bars with their 95 % confidence intervals; the last is ours.

    Args:
        shares: way -> share of users, 0 to 1, drawn from the top.
        margins: way -> half the width of its interval.
        title: a line above.
    """
    figure, axes = plt.subplots(figsize=(8, 0.9 + 0.42 * len(shares)))
    names, values = list(shares), list(shares.values())
    colours = [NEUTRAL] * (len(names) - 1) + [COLOURS[0]]
    spread = [margins[name] for name in names]
    bars = axes.barh(names, values, xerr=spread, color=colours, ecolor=COLOURS[1], capsize=3)
    axes.bar_label(bars, [f"{value:.3f}" for value in values], padding=6)
    axes.invert_yaxis()
    axes.set(xlabel="HR@10 (share of users, 95 % interval)", title=title)
    axes.margins(x=0.12)
    show_figure(figure)
