"""Pictures of results: rows of photos, maps of vectors, and figures small enough to commit."""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageOps

# Okabe and Ito's colours, told apart by readers with any kind of colour vision.
# https://jfly.uni-koeln.de/color/
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#000000")
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
    """A square of ``size`` pixels that shows the whole picture on white."""
    if not isinstance(image, Image.Image):
        image = Image.open(image)
    image = ImageOps.exif_transpose(image).convert("RGB")
    return ImageOps.pad(image, (size, size), color="white")


def show_grid(rows: Sequence[Sequence[Tile]], title: str = "", size: int = 128) -> None:
    """Show rows of pictures; the first of each row is the query, the others are its results.

    Args:
        rows: tiles, row by row; rows may differ in length.
        title: a line above the grid.
        size: the side of a picture in pixels.
    """
    columns = max(len(row) for row in rows)
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(1.55 * columns, 1.85 * len(rows)), squeeze=False
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
    size: tuple[int, int] = (1000, 760),
    side: int = 26,
) -> None:
    """Show pictures as a map: each stands where its vector falls, framed in its label's colour.

    Args:
        points: (n, 2), a projection of the vectors.
        images: n paths or Pillow images.
        labels: n class names, of up to eight classes.
        axis: what the two axes are, for example ``"t-SNE dimension"``.
        size: width and height of the map in pixels.
        side: the side of a picture in pixels.
    """
    names = list(dict.fromkeys(labels))
    colour = dict(zip(names, COLOURS, strict=False))
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array(size) - side - 4
    places = ((points - low) / (high - low) * room).astype(int)
    canvas = Image.new("RGB", size, "white")
    for (x, y), image, label in zip(places, images, labels, strict=True):
        framed = ImageOps.expand(thumbnail(image, side), 2, fill=colour[label])
        canvas.paste(framed, (int(x), int(size[1] - side - 4 - y)))
    figure, axes = plt.subplots(figsize=(10, 8))
    axes.imshow(canvas, extent=(low[0], high[0], low[1], high[1]), aspect="auto")
    axes.set(xlabel=f"{axis} 1 (no unit)", ylabel=f"{axis} 2 (no unit)")
    handles = [plt.Line2D([], [], marker="s", ls="", color=colour[name]) for name in names]
    axes.legend(handles, names, ncols=len(names), loc="lower center", bbox_to_anchor=(0.5, 1))
    show(figure)


def show(figure: Figure, colours: int = 128) -> None:
    """Show a figure as a PNG with few colours: a third of the size, hard to tell from the full one.

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
