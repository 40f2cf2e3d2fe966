"""Results to look at: rows of photos, passages of text, maps of vectors, small figures."""

import io
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from helpers.errors import BadItem
from helpers.inputs.pictures import open_image
from helpers.inputs.texts import as_html, draw_plainly, lines_of, shortened

# Okabe and Ito's colours, told apart by readers with any kind of colour vision.
# https://jfly.uni-koeln.de/color/
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#000000")
plt.rcParams["axes.prop_cycle"] = plt.cycler(color=COLOURS)
RIGHT, WRONG, NEUTRAL = "#0072B2", "#D55E00", "#555555"
# JupyterLab and exported pages set what stands between two $ as a formula, unless told not to.
pd.set_option("display.html.use_mathjax", False)
_SMALL = 60_000  # bytes of a PNG that is kept as it is
_CAPTION, _NAME = 112, 300  # pixels, the width of a caption in a grid, of a name at an axis
_TILE = 128  # pixels, the side of a picture in a grid
_MAP, _ON_MAP = (1000, 800), 32  # pixels, the size of a map and the side of a framed picture on it
_QUALITY = 82  # of a JPEG: the least at which nothing is to be seen around letters and frames
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
    if not any(rows):
        return  # nothing was found
    columns = max(len(row) for row in rows)
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(1.4 * columns, 1.62 * len(rows)), squeeze=False
    )
    for tiles, places in zip(rows, axes, strict=True):
        for tile, place in zip(tiles, places, strict=False):
            mark, colour = MARKS[tile.right]
            place.imshow(thumbnail(tile.image, _TILE))
            lines = lines_of(mark + tile.caption).split("\n")
            caption = "\n".join(shortened(line, _CAPTION) for line in lines)
            place.set_xlabel(caption, color=colour, fontsize=10)
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
    names = [shortened(name, _NAME / 2) for name in names]
    axes.legend(
        handles, names, ncols=min(len(names), 8), loc="lower center", bbox_to_anchor=(0.5, 1)
    )
    show_figure(figure)


def show_matrix(values: np.ndarray, labels: Sequence[str], title: str, unit: str) -> None:
    """Show a square matrix as colours, light for large values; a small one with its figures.

    Args:
        values: (n, n).
        labels: n names for rows and columns.
        title: a line above it.
        unit: what the colours stand for, for example ``"cosine similarity"``.
    """
    side = 2.5 + 0.3 * len(labels)
    figure, axes = plt.subplots(figsize=(side + 1, side))
    picture = axes.imshow(values, cmap="cividis")
    for (row, column), value in np.ndenumerate(values if len(labels) <= 8 else values[:0]):
        ink = "black" if picture.norm(value) > 0.5 else "white"
        axes.text(column, row, f"{value:.2f}", color=ink, ha="center", va="center", fontsize=8)
    labels = [shortened(label, _NAME) for label in labels]
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
    bars = axes.barh(range(len(names)), [values[name] for name in names], color=COLOURS[0])
    axes.set_yticks(range(len(names)), [shortened(name, _NAME) for name in names])
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
    rich = "".join(passage_as_html(passage) for passage in passages)
    plain = "\n\n".join(_plain(passage) for passage in passages)
    display({"text/html": rich, "text/plain": plain}, raw=True)


def show_figure(figure: Figure) -> None:
    """Show a figure with every text as it is: one with photos as a JPEG, any other as a PNG.

    Its titles and the names below and beside its panels are read out where nobody sees it.

    Args:
        figure: a matplotlib figure; it is closed.
    """
    from IPython.display import Image as Png
    from IPython.display import display

    texts = [(one.get_title(), one.get_xlabel(), one.get_ylabel()) for one in figure.axes]
    said = "; ".join(filter(None, itertools.chain(*texts)))
    draw_plainly(figure)
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=100, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    picture = Image.open(raw).convert("RGB")
    if any(np.ndim(one.get_array()) == 3 for axes in figure.axes for one in axes.images):
        show_photo(picture, said)
        return
    if raw.tell() > _SMALL:
        raw = io.BytesIO()
        picture.quantize(256, dither=Image.Dither.NONE).save(raw, format="PNG", optimize=True)
    display(Png(raw.getvalue(), alt=said))


def show_photo(picture: Image.Image, said: str = "") -> None:
    """Show a picture as a JPEG, which takes the fewest bytes where there are photos in it.

    Args:
        picture: in RGB.
        said: what is read out where nobody sees it.
    """
    from IPython.display import Image as Jpeg
    from IPython.display import display

    raw, sharp = io.BytesIO(), {"subsampling": 0}  # colours as fine as greys, for letters
    picture.save(raw, "JPEG", quality=_QUALITY, optimize=True, **sharp)
    display(Jpeg(raw.getvalue(), alt=said))


def passage_as_html(passage: Passage) -> str:
    """A passage as a paragraph, with its spans marked.

    Args:
        passage: its texts stand in it as they are, whatever is in them.
    """
    text = "".join(
        f"<mark><b>{as_html(piece)}</b></mark>" if marked else as_html(piece)
        for piece, marked in _pieces(passage)
    )
    title = f"<b>{as_html(passage.title)}</b><br>" if passage.title else ""
    note = f"<br><i>{as_html(passage.note)}</i>" if passage.note else ""
    return f'<p dir="auto">{title}{text}{note}</p>'


def _plain(passage: Passage) -> str:
    text = "".join(f"[{piece}]" if marked else piece for piece, marked in _pieces(passage))
    return "\n".join(lines_of(line) for line in (passage.title, text, passage.note) if line)


def _pieces(passage: Passage) -> list[tuple[str, bool]]:
    """The text cut at its spans, which may overlap: (piece, whether it is marked)."""
    pieces, done = [], 0
    for start, end in sorted(passage.spans):
        start = max(start, done)
        if start < end:
            pieces += [(passage.text[done:start], False), (passage.text[start:end], True)]
            done = end
    return [*pieces, (passage.text[done:], False)]
