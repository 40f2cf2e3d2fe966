"""Pictures of vectors: their numbers as stripes, and what a metric says about two of them."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from helpers.show import COLOURS, show_figure

_MEASURED = COLOURS[4]


def show_stripes(vectors: np.ndarray, names: Sequence[str], count: int = 96) -> None:
    """Show the first ``count`` numbers of each vector as a row of stripes, light for large ones.

    Args:
        vectors: (n, dim), of length 1 and not negative.
        names: n names, for the rows.
        count: how many numbers; more than ``dim`` shows all.
    """
    shown = vectors[:, :count]
    figure, axes = plt.subplots(figsize=(11, 1 + 0.24 * len(names)))
    picture = axes.imshow(shown, aspect="auto", cmap="cividis", vmin=0, vmax=0.15)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel=f"the first {shown.shape[1]} of {vectors.shape[1]} numbers")
    figure.colorbar(picture, label="value", extend="max", pad=0.02)
    show_figure(figure)


def show_metrics() -> None:
    """Draw what L2, inner product and cosine measure on the same two vectors of two numbers."""
    query, other = np.array([3.0, 0.9]), np.array([1.2, 2.2])
    figure, panels = plt.subplots(1, 3, figsize=(11, 2.9))
    for axes, draw in zip(panels, (draw_l2, draw_ip, draw_cosine), strict=True):
        for vector, name in ((query, "query"), (other, "vector")):
            axes.annotate("", vector, (0, 0), arrowprops={"arrowstyle": "->", "linewidth": 1.6})
            axes.text(*(vector + [0.05, 0.1]), name)
        axes.set_title(draw(axes, query, other))
        axes.set(xlim=(-0.2, 3.9), ylim=(-0.2, 2.6), aspect="equal", xticks=[], yticks=[])
    show_figure(figure)


def draw_l2(axes: Axes, query: np.ndarray, other: np.ndarray) -> str:
    """The line from tip to tip; returns its title with the distance."""
    axes.plot(*zip(query, other, strict=True), color=_MEASURED, linewidth=3)
    return f"L2: from tip to tip, {np.linalg.norm(query - other):.2f}"


def draw_ip(axes: Axes, query: np.ndarray, other: np.ndarray) -> str:
    """The shadow of the one vector on the other; returns its title with the inner product."""
    shadow = query * (query @ other) / (query @ query)
    axes.plot(*zip(other, shadow, strict=True), color="#888888", linestyle=":")
    axes.plot(*zip([0, 0], shadow, strict=True), color=_MEASURED, linewidth=5)
    return f"IP: shadow × query's length, {query @ other:.2f}"


def draw_cosine(axes: Axes, query: np.ndarray, other: np.ndarray) -> str:
    """The arc between the two; returns its title with the cosine of the angle."""
    angles = np.linspace(*(np.arctan2(*vector[::-1]) for vector in (query, other)), 50)
    axes.plot(0.9 * np.cos(angles), 0.9 * np.sin(angles), color=_MEASURED, linewidth=3)
    cosine = query @ other / np.linalg.norm(query) / np.linalg.norm(other)
    return f"Cosine: of the angle, {cosine:.2f}"
