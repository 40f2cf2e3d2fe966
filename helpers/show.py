"""Results to look at: rows of photos, passages of text, maps of vectors, small figures."""

import html
import io
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from helpers.errors import BadItem
from helpers.pictures import open_image

# Okabe and Ito's colours, told apart by readers with any kind of colour vision.
# https://jfly.uni-koeln.de/color/
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#000000")
plt.rcParams["axes.prop_cycle"] = plt.cycler(color=COLOURS)
RIGHT, WRONG, NEUTRAL = "#0072B2", "#D55E00", "#555555"
_SMALL = 60_000  # bytes of a PNG that is kept as it is
_TILE = 128  # pixels, the side of a picture in a grid
_MAP, _ON_MAP = (1000, 800), 32  # pixels, the size of a map and the side of a framed picture on it
MARKS = {True: ("✓ ", RIGHT), False: ("✗ ", WRONG), None: ("", NEUTRAL)}


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
    """The middle square of a picture, ``size`` pixels wide; grey where it cannot be read."""
    try:
        return ImageOps.fit(open_image(image, at_least=(2 * size, 2 * size)), (size, size))
    except BadItem:
        return Image.new("RGB", (size, size), "lightgrey")


def show_grid(rows: Sequence[Sequence[Tile]]) -> None:
    """Show rows of pictures; the first of each row is the query, the others are its results.

    Args:
        rows: tiles, row by row; rows may differ in length.
    """
    columns = max(len(row) for row in rows)
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(1.4 * columns, 1.62 * len(rows)), squeeze=False
    )
    for tiles, places in zip(rows, axes, strict=True):
        for tile, place in zip(tiles, places, strict=False):
            mark, colour = MARKS[tile.right]
            place.imshow(thumbnail(tile.image, _TILE))
            place.set_xlabel(mark + tile.caption, color=colour, fontsize=10)
            place.set(xticks=[], yticks=[])
            for spine in place.spines.values():
                spine.set(color=colour, linewidth=3 if tile.right is not None else 1)
        for place in places[len(tiles) :]:
            place.axis("off")
    show_figure(figure)


def show_map(
    points: np.ndarray,
    images: Sequence[Any],
    labels: Sequence[str],
    axis: str,
) -> None:
    """Show pictures as a map: each stands where its vector falls, framed in its label's colour.

    Args:
        points: (n, 2), a projection of the vectors.
        images: n paths or Pillow images.
        labels: n class names; beyond eight classes the colours are used again.
        axis: what the two axes are, for example ``"t-SNE dimension"``.
    """
    names = list(dict.fromkeys(labels))
    colour = dict(zip(names, itertools.cycle(COLOURS), strict=False))
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array(_MAP) - _ON_MAP  # for the pictures' corners
    unit = np.maximum(high - low, 1e-9) / room  # of the axes, per pixel
    places = ((points - low) / unit).astype(int)
    canvas = Image.new("RGB", _MAP, "white")
    for (x, y), image, label in zip(places, images, labels, strict=True):
        framed = ImageOps.expand(thumbnail(image, _ON_MAP - 4), 2, fill=colour[label])
        canvas.paste(framed, (int(x), int(room[1] - y)))
    # A point is the middle of its picture, so the canvas is half a picture larger on all sides.
    (left, bottom), (right, top) = low - unit * _ON_MAP / 2, high + unit * _ON_MAP / 2
    figure, axes = plt.subplots(figsize=(12, 9.6))
    axes.imshow(canvas, extent=(left, right, bottom, top), aspect="auto")
    axes.set(xlabel=f"{axis} 1 (no unit)", ylabel=f"{axis} 2 (no unit)")
    handles = [plt.Line2D([], [], marker="s", ls="", color=colour[name]) for name in names]
    axes.legend(handles, names, ncols=len(names), loc="lower center", bbox_to_anchor=(0.5, 1))
    show_figure(figure)


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
    show_figure(figure)


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
    show_figure(figure)


class Passage(NamedTuple):
    """One text to show.

    Attributes:
        text: what to read.
        title: a line above it, in bold.
        note: a line below it, such as a source or a score.
        spans: (start, end) character positions of what to mark in the text.
    """

    text: str
    title: str = ""
    note: str = ""
    spans: Sequence[tuple[int, int]] = ()


def show_passages(passages: Iterable[Passage]) -> None:
    """Show passages one below the other, with their spans marked."""
    from IPython.display import display

    passages = list(passages)
    # Marks are bold too, because some pages that show notebooks strip the colour.
    rich = "".join(_rich(passage) for passage in passages)
    plain = "\n\n".join(_plain(passage) for passage in passages)
    display({"text/html": rich, "text/plain": plain}, raw=True)


def show_figure(figure: Figure) -> None:
    """Show a figure as a PNG; one with photos in 256 colours, at a third of the full size.

    Args:
        figure: a matplotlib figure; it is closed.
    """
    from IPython.display import Image as Png
    from IPython.display import display

    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=100, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    if raw.tell() < _SMALL:
        display(Png(raw.getvalue()))
        return
    small = io.BytesIO()
    image = Image.open(raw).convert("RGB")
    # Pillow only dithers towards a palette that is given; without, skies turn into bands.
    image.quantize(palette=image.quantize(256)).save(small, format="PNG", optimize=True)
    display(Png(small.getvalue()))


def _rich(passage: Passage) -> str:
    pieces = _pieces(passage)
    text = "".join(
        f"<mark><b>{html.escape(piece)}</b></mark>" if marked else html.escape(piece)
        for piece, marked in pieces
    )
    title = f"<b>{html.escape(passage.title)}</b><br>" if passage.title else ""
    note = f"<br><i>{html.escape(passage.note)}</i>" if passage.note else ""
    return f"<p>{title}{text}{note}</p>"


def _plain(passage: Passage) -> str:
    text = "".join(f"[{piece}]" if marked else piece for piece, marked in _pieces(passage))
    return "\n".join(line for line in (passage.title, text, passage.note) if line)


def _pieces(passage: Passage) -> list[tuple[str, bool]]:
    """The text cut at its spans, which may overlap: (piece, whether it is marked)."""
    pieces, done = [], 0
    for start, end in sorted(passage.spans):
        start = max(start, done)
        if start < end:
            pieces += [(passage.text[done:start], False), (passage.text[start:end], True)]
            done = end
    return [*pieces, (passage.text[done:], False)]
