"""Pictures of the first tour: vectors, metrics, what each index compares, and what it costs."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from helpers.inputs.texts import shortened
from helpers.show import COLOURS, show_figure

COMPARED, SKIPPED, QUERY, PATH = COLOURS[0], "#BBBBBB", COLOURS[4], COLOURS[1]
_CELLS = 9
_MARKS = "s^oDPvX"
_POINTS = np.random.default_rng(3).normal(size=(150, 2)).clip(-2.4, 2.4)


def show_stripes(vectors: np.ndarray, names: Sequence[str]) -> None:
    """Show the first 96 numbers of each vector as a row of stripes, light for large ones.

    Args:
        vectors: (n, dim), of length 1 and not negative.
        names: n names, for the rows.
    """
    shown = vectors[:, :96]
    figure, axes = plt.subplots(figsize=(11, 1 + 0.24 * len(names)))
    picture = axes.imshow(shown, aspect="auto", cmap="cividis", vmin=0, vmax=0.15)
    axes.set_yticks(range(len(names)), [shortened(name, 200) for name in names])
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
    axes.plot(*zip(query, other, strict=True), color=QUERY, linewidth=3)
    return f"L2: from tip to tip, {np.linalg.norm(query - other):.2f}"


def draw_ip(axes: Axes, query: np.ndarray, other: np.ndarray) -> str:
    """The shadow of the one vector on the other; returns its title with the inner product."""
    shadow = query * (query @ other) / (query @ query)
    axes.plot(*zip(other, shadow, strict=True), color="#888888", linestyle=":")
    axes.plot(*zip([0, 0], shadow, strict=True), color=QUERY, linewidth=5)
    return f"IP: shadow × query's length, {query @ other:.2f}"


def draw_cosine(axes: Axes, query: np.ndarray, other: np.ndarray) -> str:
    """The arc between the two; returns its title with the cosine of the angle."""
    angles = np.linspace(*(np.arctan2(*vector[::-1]) for vector in (query, other)), 50)
    axes.plot(0.9 * np.cos(angles), 0.9 * np.sin(angles), color=QUERY, linewidth=3)
    cosine = query @ other / np.linalg.norm(query) / np.linalg.norm(other)
    return f"Cosine: of the angle, {cosine:.2f}"


def show_index_ideas(place: tuple[float, float] = (0.9, 0.75)) -> None:
    """Draw FLAT, IVF, SQ8, PQ, SCANN and HNSW at work on the same 150 points and the same query.

    Args:
        place: where the query is, across and up; the points lie between -2.4 and 2.4.

    The pictures are computed, not sketched: k-means finds the cells and the codebook, and the path
    through the graph is the greedy one (Malkov & Yashunin 2018).
    """
    query = np.array(place)
    figure, panels = plt.subplots(2, 3, figsize=(11, 7.4))
    draw = (draw_flat, draw_ivf, draw_sq8, draw_pq, draw_scann, draw_hnsw)
    for axes, draw_one in zip(panels.flat, draw, strict=True):
        draw_one(axes, _POINTS, query)
        axes.title.set_size(11)
        _star(axes, place)
    figure.tight_layout()
    show_figure(figure)


def show_place(across: float, up: float) -> None:
    """Draw the same points and the cells of IVF with the query among them, small.

    Args:
        across: where the query is, from -2.4 at the left.
        up: from -2.4 at the bottom.
    """
    figure, axes = plt.subplots(figsize=(3, 3))
    _dots(axes, _POINTS, _draw_cells(axes, _POINTS, np.array([across, up])))
    _star(axes, (across, up))
    show_figure(figure)


def show_recall_and_time(
    tables: Mapping[str, pd.DataFrame], megabytes: Mapping[str, float]
) -> None:
    """Show recall against time, a panel for each table, a line for each index.

    Args:
        tables: title -> rows with ``index``, ``recall@10`` and ``ms`` per query.
        megabytes: index -> its memory, which the area of its marks stands for.
    """
    figure, panels = plt.subplots(1, len(tables), figsize=(11, 4.4), sharey=True)
    kinds = list(dict.fromkeys(name for table in tables.values() for name in table["index"]))
    for axes, (title, table) in zip(panels, tables.items(), strict=True):
        for name, rows in table.groupby("index", sort=False):
            i = kinds.index(name)
            style = {"marker": _MARKS[i], "color": COLOURS[i], "s": 5 * megabytes[name]}
            axes.plot(rows["ms"], rows["recall@10"], color=COLOURS[i], linewidth=1)
            axes.scatter(rows["ms"], rows["recall@10"], **style)
        wide = table["ms"].max() > 10 * table["ms"].min()  # a log scale shows the small ones, too
        scale = {"xscale": "log"} if wide else {"xlim": (0, 1.1 * table["ms"].max())}
        note = " (log scale)" if wide else ""
        axes.set(xlabel=f"milliseconds per query{note}", title=title, **scale)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("recall@10")
    for i, name in enumerate(kinds):
        label = f"{name}, {megabytes[name]:.0f} MB"
        panels[-1].scatter([], [], marker=_MARKS[i], color=COLOURS[i], label=label)
    panels[-1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    show_figure(figure)


def draw_flat(axes: Axes, points: np.ndarray, query: np.ndarray) -> None:
    """Every point is compared with the query."""
    _lines(axes, points, query)
    _dots(axes, points, np.full(len(points), True))
    axes.set_title(f"FLAT: all {len(points)} compared")


def draw_ivf(axes: Axes, points: np.ndarray, query: np.ndarray) -> None:
    """Only the points in the two nearest cells are compared; a cross marks a neighbour missed."""
    near = _draw_cells(axes, points, query)
    _lines(axes, points[near], query)
    _dots(axes, points, near)
    ten = np.linalg.norm(points - query, axis=1).argsort()[:10]
    missed = points[ten[~near[ten]]]
    _cross(axes, missed)
    axes.set_title(f"IVF: {near.sum()} compared, {len(missed)} of the 10 nearest missed")


def draw_sq8(axes: Axes, points: np.ndarray, query: np.ndarray) -> None:
    """Each number is rounded to one of a few levels; 16 here, 256 in SQ8."""
    levels = np.linspace(-2.4, 2.4, 16)
    rounded = levels[np.abs(points[..., None] - levels).argmin(axis=2)]
    for level in levels:
        axes.axhline(level, color="#EEEEEE", linewidth=0.8, zorder=0)
        axes.axvline(level, color="#EEEEEE", linewidth=0.8, zorder=0)
    _lines(axes, points, rounded, color=SKIPPED, linewidth=1)
    _dots(axes, points, np.full(len(points), False))
    _dots(axes, rounded, np.full(len(points), True))
    axes.set_title("SQ8: every number rounded to a level")


def draw_pq(axes: Axes, points: np.ndarray, query: np.ndarray) -> None:
    """Each half of a vector is replaced by the nearest of four learned values."""
    place, books = _codes(points)
    for value in books[0]:
        axes.axvline(value, color=SKIPPED, linestyle=":", zorder=0)
    for value in books[1]:
        axes.axhline(value, color=SKIPPED, linestyle=":", zorder=0)
    _lines(axes, points, place, color=SKIPPED, linewidth=0.6)
    _dots(axes, points, np.full(len(points), False))
    used = np.unique(place, axis=0)
    axes.scatter(*used.T, color=COMPARED, s=60, zorder=3)
    axes.set_title(f"PQ: {len(used)} places stand for all points")


def draw_scann(axes: Axes, points: np.ndarray, query: np.ndarray) -> None:
    """Rough codes choose candidates in the nearest cells; only these are compared exactly."""
    near = _draw_cells(axes, points, query)
    rough = np.linalg.norm(_codes(points)[0] - query, axis=1)
    chosen = np.zeros(len(points), bool)
    chosen[np.flatnonzero(near)[np.argsort(rough[near], kind="stable")[:8]]] = True
    _lines(axes, points[chosen], query)
    _dots(axes, points, chosen)
    axes.scatter(*points[near & ~chosen].T, s=22, facecolor="white", edgecolor=COMPARED, zorder=3)
    axes.set_title(f"SCANN: {near.sum()} by rough codes, then {chosen.sum()} exactly")


def draw_hnsw(axes: Axes, points: np.ndarray, query: np.ndarray) -> None:
    """A walk over a graph of neighbours, always towards the query; a cross where it ends early."""
    few = np.flatnonzero(np.arange(len(points)) % 10 == 0)  # the upper layer
    start = few[np.linalg.norm(points[few] - query, axis=1).argmax()]
    path, compared = [start], {start}
    for layer, links in ((few, 3), (np.arange(len(points)), 4)):
        graph = NearestNeighbors(n_neighbors=links).fit(points[layer]).kneighbors_graph()
        ends, others = (layer[place] for place in (graph + graph.T).nonzero())
        edges = {i: set(others[ends == i]) for i in layer}
        path += _walk(points, query, path[-1], edges, compared)
    _lines(axes, points[ends], points[others], color="#DDDDDD", linewidth=0.7, zorder=0)
    near = np.isin(np.arange(len(points)), list(compared))
    _dots(axes, points, near)
    axes.plot(*points[path].T, color=PATH, linewidth=2.5, zorder=4)
    axes.plot(*points[start], marker="s", markersize=9, color=PATH, zorder=5)
    nearest = np.linalg.norm(points - query, axis=1).argmin()
    _cross(axes, points[[nearest] if path[-1] != nearest else []])
    found = "found" if path[-1] == nearest else "missed"
    axes.set_title(f"HNSW: {len(compared)} compared, the nearest {found}")


def _walk(
    points: np.ndarray, query: np.ndarray, start: int, edges: dict, compared: set
) -> list[int]:
    """Go to the best neighbour as long as that is nearer; ``compared`` gains all looked at."""
    path, here = [], start
    while True:
        compared |= edges[here]
        best = min(edges[here], key=lambda i: np.linalg.norm(points[i] - query))
        if np.linalg.norm(points[best] - query) >= np.linalg.norm(points[here] - query):
            return path
        path.append(best)
        here = best


def _draw_cells(axes: Axes, points: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Draw the cells of k-means; says which points lie in the two nearest to the query."""
    means = KMeans(_CELLS, n_init=1, random_state=0).fit(points)
    nearest = np.argsort(np.linalg.norm(means.cluster_centers_ - query, axis=1))[:2]
    grid = np.stack(np.meshgrid(*[np.linspace(-2.6, 2.6, 300)] * 2), axis=-1)
    cell = means.predict(grid.reshape(-1, 2)).reshape(300, 300)
    axes.imshow(
        np.isin(cell, nearest), extent=(-2.6, 2.6, -2.6, 2.6), origin="lower", cmap="Blues", vmax=4
    )
    for i in range(_CELLS):
        axes.contour(cell == i, levels=[0.5], extent=(-2.6, 2.6, -2.6, 2.6), colors="#999999")
    axes.set_aspect("auto")
    return np.isin(means.labels_, nearest)


def _codes(points: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Product quantisation of two halves with four values each: the coded points, the values."""
    halves, books = [], []
    for half in points.T:
        means = KMeans(4, n_init=1, random_state=0).fit(half[:, None])
        halves.append(means.cluster_centers_[means.labels_, 0])
        books.append(means.cluster_centers_[:, 0])
    return np.stack(halves, axis=1), books


def _star(axes: Axes, place: tuple[float, float]) -> None:
    axes.plot(*place, marker="*", markersize=17, color=QUERY, markeredgecolor="white", zorder=6)
    axes.set(xticks=[], yticks=[], xlim=(-2.6, 2.6), ylim=(-2.6, 2.6))


def _dots(axes: Axes, points: np.ndarray, compared: np.ndarray) -> None:
    axes.scatter(*points[~compared].T, s=14, color=SKIPPED, zorder=2)
    axes.scatter(*points[compared].T, s=20, color=COMPARED, zorder=3)


def _cross(axes: Axes, points: np.ndarray) -> None:
    axes.scatter(*points.T, s=70, color=QUERY, marker="x", linewidth=2.2, zorder=4)


def _lines(axes: Axes, starts: np.ndarray, ends: np.ndarray, **style: Any) -> None:
    """Lines from points, (n, 2), to points, (n, 2), or to one, (2,)."""
    both = np.stack(np.broadcast_arrays(starts, ends, np.nan), axis=1)  # nan lifts the pen
    style = {"color": COMPARED, "linewidth": 0.3, "zorder": 1} | style
    axes.plot(*both.reshape(-1, 2).T, **style)
