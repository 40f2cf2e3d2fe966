"""Pictures of classifiers: their accuracy in several tests, and how sure they are."""

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from helpers.inputs.texts import as_html, lines_of
from helpers.show import show_figure

if TYPE_CHECKING:
    from pyopal import FullResult

_LETTERS = 60  # of an alignment in a line
_ABOUT = "The best aligned stretch of the two proteins; strokes join equal amino acids."


def show_intervals(results: pd.DataFrame, axis: str) -> None:
    """Show the accuracy of methods in several tests, as points with their intervals.

    Args:
        results: a row for each pair of test and method, with the columns ``accuracy``, ``low`` and
            ``high``.
        axis: what the tests are, for the axis.
    """
    tests, methods = (list(results.index.unique(level)) for level in (0, 1))
    figure, axes = plt.subplots(figsize=(9, 4.2))
    for number, method in enumerate(methods):
        own = results.xs(method, level=1)
        shift = (number - (len(methods) - 1) / 2) * 0.14  # side by side, not on each other
        place = np.array([tests.index(test) for test in own.index]) + shift
        errors = [own["accuracy"] - own["low"], own["high"] - own["accuracy"]]
        look = {"fmt": "sov^DPX"[number % 7], "ms": 7, "lw": 1.5, "capsize": 3}
        axes.errorbar(place, own["accuracy"], np.clip(errors, 0, 1), label=method, **look)
    axes.set_xticks(range(len(tests)), tests)
    axes.set(xlabel=axis, ylabel="accuracy (0 to 1), 95 % interval", ylim=(-0.03, 1.03))
    axes.grid(axis="y", lw=0.5)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    show_figure(figure)


def show_shares(groups: Mapping[str, Sequence[float]], line: float, unit: str) -> None:
    """Show how the values of several groups are spread, as outlines, and a line between them.

    Args:
        groups: name -> values from 0 to 1.
        line: where the vertical line stands.
        unit: what the values are, for the axis.
    """
    figure, axes = plt.subplots(figsize=(9, 3.8))
    outline = {"bins": np.linspace(0, 1, 51), "histtype": "step", "lw": 2}
    styles, drawn = itertools.cycle(["-", ":", "-", "--", "-."]), []
    for values, style in zip(groups.values(), styles, strict=False):
        weights = np.full(len(values), 1 / len(values))
        drawn += axes.hist(values, weights=weights, ls=style, **outline)[2]
    axes.axvline(line, color="black", lw=1)
    axes.set(xlabel=unit, ylabel="share of the group")
    axes.legend(drawn, groups, loc="upper center")
    show_figure(figure)


def show_alignment(hit: "FullResult", one: tuple[str, str], other: tuple[str, str]) -> None:
    """Show the best aligned stretch of two proteins, with a stroke between equal letters.

    Args:
        hit: how the first, which was the query, is best aligned with the other.
        one: name and letters of the first.
        other: likewise of the other.
    """
    from IPython.display import display

    ours, theirs = iter(one[1][hit.query_start :]), iter(other[1][hit.target_start :])
    pairs = []  # of letters, with - where only the other protein has one
    for step in hit.alignment:
        pairs.append(("-" if step == "I" else next(ours), "-" if step == "D" else next(theirs)))
    names = [lines_of(name)[:20] for name in (one[0], "", other[0])]
    width, lines = max(map(len, names)), []
    for start in range(0, len(pairs), _LETTERS):
        above, below = map("".join, zip(*pairs[start : start + _LETTERS], strict=True))
        strokes = "".join(" |"[a == b] for a, b in zip(above, below, strict=True))
        rows = zip(names, (above, strokes, below), strict=True)
        lines += [f"{name:{width}}  {letters}".rstrip() for name, letters in rows] + [""]
    text = "\n".join([_ABOUT, "", *lines]) if lines else "No part of it can be aligned."
    rich = f'<pre style="white-space: pre; overflow-x: auto">{as_html(text)}</pre>'
    display({"text/html": rich, "text/plain": text}, raw=True)
