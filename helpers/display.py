"""Pictures of results: rows of photos, maps of vectors, and figures small enough to commit."""

import io
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageOps

# Okabe and Ito's colours, told apart by readers with any kind of colour vision.
# https://jfly.uni-koeln.de/color/
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#000000")
plt.rcParams["axes.prop_cycle"] = plt.cycler(color=COLOURS)
RIGHT, WRONG, NEUTRAL = "#0072B2", "#D55E00", "#555555"
_MARKS = {True: ("✓ ", RIGHT), False: ("✗ ", WRONG), None: ("", NEUTRAL)}


class Tile(NamedTuple):
    """One picture of a grid.

    Attributes:
        image: a path, or a Pillow image.
        caption: a few words below it.
        right: True and False frame and mark it as right or wrong; None leaves it unmarked.
    """

    image: Any
    caption: str = ""
    right: bool | None = None


def thumbnail(image: Any, size: int) -> Image.Image:
    """The middle square of a picture, ``size`` pixels wide."""
    if not isinstance(image, Image.Image):
        image = Image.open(image)
    image = ImageOps.exif_transpose(image).convert("RGB")
    return ImageOps.fit(image, (size, size))


def show_grid(rows: Sequence[Sequence[Tile]], title: str = "", size: int = 128) -> None:
    """Show rows of pictures; the first of each row is the query, the others are its results.

    Args:
        rows: tiles, row by row; rows may differ in length.
        title: a line above the grid.
        size: the side of a picture in pixels.
    """
    columns = max(len(row) for row in rows)
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(1.4 * columns, 1.62 * len(rows)), squeeze=False
    )
    for tiles, places in zip(rows, axes, strict=True):
        for tile, place in zip(tiles, places, strict=False):
            mark, colour = _MARKS[tile.right]
            place.imshow(thumbnail(tile.image, size))
            place.set_xlabel(mark + tile.caption, color=colour, fontsize=10)
            place.set(xticks=[], yticks=[])
            for spine in place.spines.values():
                spine.set(color=colour, linewidth=3 if tile.right is not None else 1)
        for place in places[len(tiles) :]:
            place.axis("off")
    if title:
        figure.suptitle(title, fontsize=12)
    show(figure)


def show_map(
    points: np.ndarray,
    images: Sequence[Any],
    labels: Sequence[str],
    axis: str,
    size: tuple[int, int] = (1000, 800),
    side: int = 28,
) -> None:
    """Show pictures as a map: each stands where its vector falls, framed in its label's colour.

    Args:
        points: (n, 2), a projection of the vectors.
        images: n paths or Pillow images.
        labels: n class names; beyond eight classes the colours are used again.
        axis: what the two axes are, for example ``"t-SNE dimension"``.
        size: width and height of the map in pixels.
        side: the side of a picture in pixels.
    """
    names = list(dict.fromkeys(labels))
    colour = dict(zip(names, itertools.cycle(COLOURS), strict=False))
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array(size) - side - 4
    places = ((points - low) / (high - low) * room).astype(int)
    canvas = Image.new("RGB", size, "white")
    for (x, y), image, label in zip(places, images, labels, strict=True):
        framed = ImageOps.expand(thumbnail(image, side), 2, fill=colour[label])
        canvas.paste(framed, (int(x), int(size[1] - side - 4 - y)))
    figure, axes = plt.subplots(figsize=(12, 9.6))
    axes.imshow(canvas, extent=(low[0], high[0], low[1], high[1]), aspect="auto")
    axes.set(xlabel=f"{axis} 1 (no unit)", ylabel=f"{axis} 2 (no unit)")
    handles = [plt.Line2D([], [], marker="s", ls="", color=colour[name]) for name in names]
    axes.legend(handles, names, ncols=len(names), loc="lower center", bbox_to_anchor=(0.5, 1))
    show(figure)


def show_matrix(values: np.ndarray, labels: Sequence[str], title: str, unit: str) -> None:
    """Show a square matrix as colours, light for large values.

    Args:
        values: (n, n).
        labels: n names for rows and columns.
        title: a line above it.
        unit: what the colours stand for, for example ``"cosine similarity"``.
    """
    side = 2.5 + 0.3 * len(labels)
    figure, axes = plt.subplots(figsize=(side + 1, side))
    picture = axes.imshow(values, cmap="cividis")
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_title(title)
    figure.colorbar(picture, label=unit)
    show(figure)


def show_bars(values: Mapping[str, float], title: str, unit: str) -> None:
    """Show figures as labelled horizontal bars, the largest on top.

    Args:
        values: name -> figure.
        title: a line above them.
        unit: what is measured, for the axis, for example ``"precision@5"``.
    """
    names = sorted(values, key=values.get)
    figure, axes = plt.subplots(figsize=(6.5, 1 + 0.32 * len(names)))
    bars = axes.barh(names, [values[name] for name in names], color=COLOURS[0])
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set(xlabel=unit, title=title)
    axes.margins(x=0.1)
    show(figure)


def show(figure: Figure, colours: int = 256) -> None:
    """Show a figure as a PNG with a palette: a third of the size of one in full colour.

    Args:
        figure: a matplotlib figure; it is closed.
        colours: how many colours the PNG may use, up to 256.
    """
    from IPython.display import Image as Png
    from IPython.display import display

    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=100, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    small = io.BytesIO()
    reduced = Image.open(raw).convert("RGB").quantize(colours, dither=Image.Dither.NONE)
    reduced.save(small, format="PNG", optimize=True)
    display(Png(small.getvalue()))
