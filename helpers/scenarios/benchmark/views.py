"""Figures and tables of the benchmark."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.scenarios.benchmark.setups import Setup
from helpers.show import COLOURS, NEUTRAL, show_figure

# An engine has a colour and an index a mark, the same in all figures.
_ENGINES = {
    "numpy": COLOURS[7],
    "faiss": COLOURS[0],
    "hnswlib": COLOURS[5],
    "Milvus Lite": COLOURS[4],
    "Milvus server": COLOURS[1],
    "LanceDB": COLOURS[2],
    "sqlite-vec": COLOURS[3],
}
_INDEXES = {"exact": "X", "FLAT": "s", "IVF_FLAT": "^", "IVF_SQ8": "v", "IVF_PQ": "D", "HNSW": "o"}


def describe_setups(setups: Sequence[Setup]) -> pd.DataFrame:
    """The parameters of set-ups as a table: built with, and searched with."""
    rows = {}
    for one in setups:
        tried = {name: [effort[name] for effort in one.efforts] for name in one.efforts[0]}
        rows[one.name] = {"built with": _words(one.build), "searched with": _words(tried)}
    return pd.DataFrame(rows).T


def show_descriptors(photo: Path | str, descriptor: np.ndarray) -> None:
    """Show the strongest of the places that SIFT finds in a photo, and what one descriptor says.

    Args:
        photo: path of a picture; circles mark the places and grow with their size.
        descriptor: float32, (128,).
    """
    picture = cv2.imread(str(photo))
    found = cv2.SIFT_create(80).detect(picture)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), width_ratios=(1, 1.3))
    left.imshow(picture[..., ::-1])  # OpenCV reads blue, green, red
    x, y = np.transpose([place.pt for place in found])
    sizes = 40 * np.array([place.size for place in found])
    left.scatter(x, y, s=sizes, facecolor="none", edgecolor=COLOURS[6], linewidth=1.5)
    left.set(xticks=[], yticks=[], title=f"the {len(found)} strongest places")
    right.bar(range(len(descriptor)), descriptor, width=1, color=COLOURS[0])
    right.set(
        title="one descriptor: 4 x 4 squares, 8 directions each",
        xlabel="number in the vector",
        ylabel="strength (no unit)",
        xticks=range(0, 129, 16),
    )
    show_figure(figure)


def show_recall_and_speed(table: pd.DataFrame) -> None:
    """Show recall@100 against queries per second, one at a time, in batches and by clients.

    Args:
        table: rows of ``run_setups``, all of one size.
    """
    kinds = {
        "one query after the other": 1000 / table["p50"],
        "in batches of 100": table["batch_qps"],
        "several clients at once": table["clients_qps"],
    }
    figure, panels = plt.subplots(1, 3, figsize=(12.5, 4.6), sharey=True, sharex=True)
    for axes, (title, speeds) in zip(panels, kinds.items(), strict=True):
        for (engine, index), rows in table.groupby(["engine", "index"], sort=False):
            style = {"color": _ENGINES[engine], "marker": _INDEXES[index], "markersize": 7}
            axes.plot(rows["recall@100"], speeds[rows.index], linewidth=1.2, **style)
        axes.set(yscale="log", xlabel="recall@100", title=title)
        axes.grid(color="#EEEEEE")
    panels[0].set_ylabel("queries per second (log scale)")
    _legend(panels[-1], table)
    figure.tight_layout()
    show_figure(figure)


def show_build_and_memory(table: pd.DataFrame) -> None:
    """Show for each set-up the time until all is indexed, its memory and its disk, as bars.

    Args:
        table: a row for each set-up, with ``name``, ``engine``, ``ready_s``, ``memory_mb`` and
            ``disk_mb``.
    """
    parts = {"ready_s": "insert and build, s", "memory_mb": "memory, MB", "disk_mb": "disk, MB"}
    figure, panels = plt.subplots(1, 3, figsize=(12.5, 0.8 + 0.3 * len(table)), sharey=True)
    for axes, (column, label) in zip(panels, parts.items(), strict=True):
        colours = [_ENGINES[engine] for engine in table["engine"]]
        bars = axes.barh(table["name"], table[column], color=colours)
        axes.bar_label(bars, fmt=_short, padding=3)
        axes.set(xlabel=label)
        axes.margins(x=0.18)
    panels[0].invert_yaxis()
    figure.tight_layout()
    show_figure(figure)


def power_law(sizes: Sequence[int], costs: Sequence[float]) -> tuple[float, float]:
    """Fit cost = a · size^b by least squares on logarithms.

    Args:
        sizes: at least two different numbers of vectors.
        costs: what each cost, all above 0.

    Returns:
        a and b; b = 1 means that twice as many cost twice as much.

    Raises:
        ValueError: there are fewer than two sizes, or a cost of 0 or less.
    """
    if len(set(sizes)) < 2 or min(costs) <= 0:
        raise ValueError("a power law needs two sizes and costs above 0")
    b, log_a = np.polyfit(np.log(sizes), np.log(costs), 1)
    return float(np.exp(log_a)), float(b)


def growth_table(table: pd.DataFrame) -> pd.DataFrame:
    """The exponents of each set-up's costs, and the bytes that one more vector takes.

    Args:
        table: rows with ``name``, ``size``, ``p50``, ``ready_s`` and ``memory_mb``, one for each
            set-up and size.

    Returns:
        A row for each name with at least two sizes: ``search`` and ``ready`` (exponents),
        ``bytes/vector``.
    """
    rows = {}
    for name, costs in table.groupby("name", sort=False):
        if costs["size"].nunique() > 1:
            known = costs["memory_mb"].notna().all()  # not that of another machine
            memory = np.polyfit(costs["size"], costs["memory_mb"] * 1e6, 1)[0] if known else np.nan
            rows[name] = {
                "search": power_law(costs["size"], costs["p50"])[1],
                "ready": power_law(costs["size"], costs["ready_s"])[1],
                "bytes/vector": memory,
            }
    return pd.DataFrame(rows).T


def show_growth(table: pd.DataFrame) -> None:
    """Show how three costs grow, as points with their fitted power laws.

    Args:
        table: a row for each set-up and size, with ``name``, ``engine``, ``index``, ``size``,
            ``p50``, ``ready_s`` and ``memory_mb``.
    """
    parts = {"p50": "ms per query", "ready_s": "insert and build, s", "memory_mb": "memory, MB"}
    figure, panels = plt.subplots(1, 3, figsize=(12.5, 4.2))
    for axes, (column, label) in zip(panels, parts.items(), strict=True):
        for (engine, index), rows in table.groupby(["engine", "index"], sort=False):
            style = {"color": _ENGINES[engine], "marker": _INDEXES[index], "linestyle": ""}
            known = rows[rows[column] > 0]  # not the memory of another machine
            axes.plot(known["size"], known[column], **style)
            if len(known) > 1:
                a, b = power_law(known["size"], known[column])
                line = a * known["size"] ** b
                axes.plot(known["size"], line, color=_ENGINES[engine], linewidth=1)
        axes.set(xscale="log", yscale="log", xlabel="vectors", ylabel=label)
        axes.grid(color="#EEEEEE")
    _legend(panels[-1], table)
    figure.tight_layout()
    show_figure(figure)


def _short(figure: float) -> str:
    return f"{figure:,.1f}" if figure < 10 else f"{figure:,.0f}"


def _legend(axes: Axes, table: pd.DataFrame) -> None:
    engines = [engine for engine in _ENGINES if engine in set(table["engine"])]
    indexes = [index for index in _INDEXES if index in set(table["index"])]
    handles = [plt.Line2D([], [], color=_ENGINES[engine], linewidth=3) for engine in engines]
    handles += [
        plt.Line2D([], [], color=NEUTRAL, marker=_INDEXES[index], linestyle="") for index in indexes
    ]
    axes.legend(handles, engines + indexes, loc="center left", bbox_to_anchor=(1, 0.5))


def _words(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "-"
