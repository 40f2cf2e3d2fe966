"""Pictures of classes: vectors as a map of points, who is taken for whom, tests side by side."""

import itertools
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patheffects import withStroke
from sklearn.metrics import ConfusionMatrixDisplay

from helpers.inputs.texts import shortened
from helpers.show import COLOURS, show_figure

_MARKERS = "os^DvPX"  # as many as have no common divisor with the colours: 56 different looks


def show_families(points: np.ndarray, labels: Sequence[str], axis: str) -> None:
    """Show points, each class with its own marker and colour, and its name where most of it is.

    Args:
        points: (n, 2), a projection of the vectors.
        labels: n class names.
        axis: what the two axes are, for example ``"t-SNE dimension"``.
    """
    labels = np.asarray(labels)
    near = np.ptp(points, axis=0).max() / 25  # how close counts as one island
    figure, axes = plt.subplots(figsize=(10, 8))
    outline = [withStroke(linewidth=3, foreground="white")]
    looks = zip(itertools.cycle(_MARKERS), itertools.cycle(COLOURS), strict=False)
    for name, (marker, colour) in zip(sorted(set(labels)), looks, strict=False):
        own = points[labels == name]
        axes.scatter(*own.T, s=22, marker=marker, color=colour, edgecolors="#333333", lw=0.3)
        crowd = (np.linalg.norm(own[:, None] - own, axis=2) < near).sum(axis=1).argmax()
        place = {"xytext": (0, 8), "textcoords": "offset points", "ha": "center", "zorder": 5}
        text = shortened(name, 200, 17, bold=True)
        axes.annotate(text, own[crowd], weight="bold", size=12, path_effects=outline, **place)
    axes.set(xlabel=f"{axis} 1 (no unit)", ylabel=f"{axis} 2 (no unit)")
    show_figure(figure)


def show_confusion(true: Sequence[str], said: Sequence[str], title: str) -> None:
    """Show what share of each class was taken for which; shares below .005 stay blank.

    Args:
        true: n class names.
        said: the n class names that were given instead.
        title: a line above the matrix.
    """
    side = 2.5 + 0.36 * len(set(true) | set(said))
    figure, axes = plt.subplots(figsize=(side + 1, side))
    matrix = ConfusionMatrixDisplay.from_predictions(
        list(true),
        list(said),
        normalize="true",
        values_format=".2f",
        cmap="cividis",
        xticks_rotation=90,
        ax=axes,
        im_kw={"vmin": 0, "vmax": 1},
        text_kw={"fontsize": 8},
    )
    for text in matrix.text_.flat:
        text.set_visible(text.get_text() != "0.00")
    matrix.im_.colorbar.set_label("share of the true class")
    axes.set(xlabel="said to be", ylabel="is", title=title)
    show_figure(figure)


def show_tests(results: pd.DataFrame, unit: str) -> None:
    """Show how methods did in several tests, a panel for each measure, a bar for each method.

    Args:
        results: a row for each test; columns of two levels, measure and method.
        unit: what all the measures are counted in, for the axis.
    """
    measures = list(dict.fromkeys(results.columns.get_level_values(0)))
    figure, panels = plt.subplots(1, len(measures), figsize=(11, 3.8), sharey=True, squeeze=False)
    for axes, measure in zip(panels[0], measures, strict=True):
        results[measure].plot.bar(ax=axes, rot=0, ylim=(0, 1.1), title=measure, legend=False)
        axes.set_xticks(axes.get_xticks(), [name.replace(" ", "\n") for name in results.index])
        axes.set(xlabel="test", ylabel=unit)
        for bars in axes.containers:
            axes.bar_label(bars, fmt="%.2f", fontsize=9)
    methods = results.columns.get_level_values(1).unique()
    panels[0, -1].legend(axes.containers, methods, loc="upper left", bbox_to_anchor=(1, 1))
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
