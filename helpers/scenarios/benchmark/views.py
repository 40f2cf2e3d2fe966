"""Figures and tables of the benchmark."""

from pathlib import Path
from typing import Any

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from helpers.inputs.files import open_file
from helpers.show import COLOURS, NEUTRAL, show_figure

# An engine has a colour and an index a mark, the same in all figures.
_ENGINES = {
    "numpy": COLOURS[7],
    "faiss": COLOURS[0],
    "Milvus Lite": COLOURS[4],
    "Milvus server": COLOURS[1],
    "LanceDB": COLOURS[2],
    "sqlite-vec": COLOURS[3],
}
_INDEXES = {"exact": "X", "FLAT": "s", "IVF_FLAT": "^", "IVF_SQ8": "v", "HNSW": "o"}
NONE_MISSED = 5e-5  # where a log axis shows that nothing was missed


def show_descriptor(photo: Path) -> None:
    """Show the strongest places that SIFT finds in a photo, and the descriptor of the largest.

    Args:
        photo: path of a picture; circles mark the places and grow with their size, a thick one
            marks the one that is described.
    """
    with open_file(photo) as file:
        picture = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
    places, descriptors = cv2.SIFT_create(80).detectAndCompute(picture, None)
    best = int(np.argmax([place.size for place in places]))
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), width_ratios=(1, 1.3))
    left.imshow(picture[..., ::-1])  # OpenCV reads blue, green, red
    x, y = np.transpose([place.pt for place in places])
    sizes = 40 * np.array([place.size for place in places])
    left.scatter(x, y, s=sizes, facecolor="none", edgecolor=COLOURS[6], linewidth=1.5)
    left.scatter(
        x[best], y[best], s=sizes[best], facecolor="none", edgecolor=COLOURS[4], linewidth=4
    )
    left.set(xticks=[], yticks=[], title=f"the {len(places)} strongest places")
    length = np.linalg.norm(descriptors[best])
    right.bar(range(128), descriptors[best] / length, width=1, color=COLOURS[4])
    right.set(
        title="the largest of them: 4 x 4 squares, 8 directions each",
        xlabel="number in the vector",
        ylabel="its value (no unit)",
        xticks=range(0, 129, 16),
    )
    show_figure(figure)


def show_recall_and_speed(table: pd.DataFrame) -> None:
    """Show what share of the true neighbours is missed against queries per second.

    Args:
        table: rows of ``run_setups`` of one size, with one client, no filter and no writing.
    """
    figure, panels = plt.subplots(1, 2, figsize=(12, 4.8), sharey=True, sharex=True)
    for axes, batch in zip(panels, sorted(table["batch"].unique()), strict=True):
        for rows, style in _styled(table[table["batch"] == batch]):
            missed = np.maximum(1 - rows["recall"], NONE_MISSED)
            _with_spread(axes, missed, rows, "qps", style)
        title = "one query at a time" if batch == 1 else f"in batches of {batch}"
        axes.set(xscale="log", title=title)
        axes.set_xlabel("share of the true neighbours missed, 1 - recall (log scale)")
        axes.axvline(0.05, color=NEUTRAL, linewidth=1, linestyle=":")
        axes.grid(color="#EEEEEE")
    ticks = {0.3: "30 %", 0.05: "5 %", 0.01: "1 %", 0.001: "0.1 %", NONE_MISSED: "0"}
    panels[0].set_xticks(list(ticks), list(ticks.values()))
    panels[0].xaxis.minorticks_off()
    panels[0].invert_xaxis()
    _log_scale(panels[0])
    panels[0].set_ylabel("queries per second (log scale)")
    _legend(panels[-1], table)
    figure.tight_layout()
    show_figure(figure)


def show_clients_and_filters(clients: pd.DataFrame, filters: pd.DataFrame) -> None:
    """Show queries per second against clients; time and recall against what a filter keeps.

    Args:
        clients: rows with ``clients``, ``qps``, ``qps_low`` and ``qps_high``.
        filters: rows with ``keep`` (of a thousand rows), ``ms``, ``ms_low``, ``ms_high`` and
            ``recall``.
    """
    figure, panels = plt.subplots(1, 3, figsize=(13, 4.2))
    for rows, style in _styled(clients):
        _with_spread(panels[0], rows["clients"], rows, "qps", style)
    for rows, style in _styled(filters):
        _with_spread(panels[1], rows["keep"] / 10, rows, "ms", style)
        panels[2].plot(rows["keep"] / 10, rows["recall"], **style)
    panels[0].set(xscale="log", xlabel="clients", ylabel="queries per second (log scale)")
    panels[0].set_xticks([1, 2, 4, 8, 16], ["1", "2", "4", "8", "16"])
    panels[1].set(ylabel="milliseconds a query (log scale)")
    panels[2].set(ylim=(-0.03, 1.03), ylabel="recall among the rows kept")
    for axes in panels[1:]:
        axes.set(xscale="log", xlabel="rows that the filter keeps, %")
        axes.set_xticks([0.1, 1, 10, 50], ["0.1", "1", "10", "50"])
    for axes in panels:
        axes.xaxis.minorticks_off()
        axes.grid(color="#EEEEEE")
    _log_scale(panels[0])
    _log_scale(panels[1])
    _legend(panels[-1], clients)
    figure.tight_layout()
    show_figure(figure)


def _log_scale(axes: Axes) -> None:
    """A log scale upwards with plain numbers, also where it spans less than a power of ten."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.minorticks_off()


def _styled(table: pd.DataFrame) -> list[tuple[pd.DataFrame, dict[str, Any]]]:
    """The rows of each set-up, with its colour and mark."""
    parts = table.groupby(["kind", "index"], sort=False)
    return [
        (rows, {"color": _ENGINES[kind], "marker": _INDEXES[index], "markersize": 6})
        for (kind, index), rows in parts
    ]


def _with_spread(
    axes: Axes, x: pd.Series, rows: pd.DataFrame, column: str, style: dict[str, Any]
) -> None:
    """A line of medians, with a bar from the slowest to the fastest round."""
    middle = rows[column]
    spread = [middle - rows[f"{column}_low"], rows[f"{column}_high"] - middle]
    axes.errorbar(x, middle, yerr=np.array(spread), linewidth=1.2, capsize=3, **style)


def _legend(axes: Axes, table: pd.DataFrame) -> None:
    engines = table.drop_duplicates("kind").set_index("kind")["engine"]
    indexes = [index for index in _INDEXES if index in set(table["index"])]
    handles = [plt.Line2D([], [], color=_ENGINES[kind], linewidth=3) for kind in engines.index]
    handles += [
        plt.Line2D([], [], color=NEUTRAL, marker=_INDEXES[index], linestyle="") for index in indexes
    ]
    axes.legend(handles, [*engines, *indexes], loc="center left", bbox_to_anchor=(1, 0.5))
