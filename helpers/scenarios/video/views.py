"""Show what was found in a video: frames with marks, a small animation, a timeline."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageColor, ImageDraw

from helpers.pictures import plain_font
from helpers.scenarios.video.track import Track, boxes_at
from helpers.show import COLOURS, NEUTRAL, Tile, show_figure, thumbnail

_STILL = 24  # of 255: a pixel that changes by less is taken for noise and left as it was
_FONT = 11  # pixels
_MARKS = np.array([ImageColor.getrgb(c) for c in (*COLOURS[:7], NEUTRAL)], np.uint8)


class Mark(NamedTuple):
    """A framed object of one frame.

    Attributes:
        box: (4,): x, y, width and height in pixels of the frame.
        text: what to write at it; nothing where there is no room.
        colour: of the frame, as in ``"#0072B2"``.
    """

    box: Sequence[float]
    text: str = ""
    colour: str = COLOURS[1]


def annotate(image: np.ndarray, marks: Iterable[Mark], width: int | None = None) -> Image.Image:
    """A frame with its objects framed and named.

    Args:
        image: uint8, (height, width, 3).
        marks: what to draw; the largest is drawn last, and a text that would cover an earlier
            one, or is wider than twice its box, is left out.
        width: the width in pixels to scale the frame to before anything is drawn.
    """
    picture = Image.fromarray(image)
    scale = (width or picture.width) / picture.width
    picture = picture.resize(
        (round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS
    )
    draw, font = ImageDraw.Draw(picture), plain_font(_FONT)
    taken: list[tuple[float, float, float, float]] = []
    ordered = sorted(marks, key=lambda mark: -mark.box[2] * mark.box[3])
    places = [[value * scale for value in mark.box] for mark in ordered]
    for mark, (x, y, w, h) in zip(ordered[::-1], places[::-1], strict=True):
        draw.rectangle((x, y, x + w, y + h), outline=mark.colour, width=2)
    for mark, (x, y, w, _) in zip(ordered, places, strict=True):
        length = font.getlength(mark.text)
        top = max(0.0, y - _FONT - 3)
        left = min(max(0.0, x), max(0.0, picture.width - length - 4))
        area = (left, top, left + length + 4, top + _FONT + 3)
        if not mark.text or length > 2 * w or any(_meet(area, other) for other in taken):
            continue
        taken.append(area)
        draw.rectangle(area, fill=mark.colour)
        draw.text((left + 2, top), mark.text, _ink(mark.colour), font)
    return picture


def show_frame(picture: Image.Image, colours: int = 64) -> None:
    """Show a picture as a PNG of few colours, a quarter of the size.

    Args:
        picture: from ``annotate``.
        colours: how many, 16 to 255.
    """
    from IPython.display import Image as Png
    from IPython.display import display

    display(Png(animated_png([picture], 1, colours)))


def show_animation(frames: Iterable[Any], seconds: float, colours: int = 40) -> None:
    """Show frames as an animated PNG, which plays wherever a picture is shown.

    It is made for cameras that stand still: only what changes is stored.

    Args:
        frames: Pillow images of one size, at least one.
        seconds: how long each is shown.
        colours: of all frames together, 16 to 255; fewer take less room.
    """
    from IPython.display import Image as Png
    from IPython.display import display

    display(Png(animated_png(list(frames), seconds, colours)))


def animated_png(frames: Sequence[Image.Image], seconds: float, colours: int = 40) -> bytes:
    """The bytes of an animated PNG that repeats for ever; see ``show_animation``.

    Raises:
        ValueError: there is no frame, they differ in size, or colours is not 16 to 255.
    """
    if not frames or len({frame.size for frame in frames}) != 1 or not 16 <= colours <= 255:
        raise ValueError("an animation needs frames of one size and 16 to 255 colours")
    pictures = [np.asarray(frame.convert("RGB")) for frame in frames]
    scene = np.concatenate(pictures[:: -(-len(pictures) // 4)])
    palette = Image.fromarray(scene).quantize(colours - len(_MARKS))
    # The colours of marks have numbers of their own, so that no lamp takes on one of them.
    values = palette.getpalette()[: 3 * (colours - len(_MARKS))] + _MARKS.flatten().tolist()
    clear = colours  # the number after the last colour stands for what stays as it was
    drawn, shown = [], None
    for pixels in pictures:
        numbers = np.asarray(Image.fromarray(pixels).quantize(palette=palette, dither=0)).copy()
        for place, mark in enumerate(_MARKS):
            numbers[(pixels == mark).all(axis=2)] = colours - len(_MARKS) + place
        if shown is not None:
            kept = ~_changed(pixels, shown)
            numbers[kept] = clear
            pixels = np.where(kept[..., None], shown, pixels)
        shown = pixels
        one = Image.fromarray(numbers)
        one.putpalette(values + [0, 0, 0])
        drawn.append(one)
    out, options = io.BytesIO(), {"transparency": clear} if len(drawn) > 1 else {}
    drawn[0].save(
        out, "PNG", save_all=True, append_images=drawn[1:], duration=round(seconds * 1000),
        loop=0, disposal=0, blend=1, optimize=True, **options,
    )  # fmt: skip
    return out.getvalue()


def _changed(pixels: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Which pixels of a frame have to be drawn anew: bool, (height, width)."""
    moved = (cv2.absdiff(pixels, shown).max(axis=2) >= _STILL).astype(np.uint8)
    dense = cv2.boxFilter(moved, -1, (3, 3), normalize=False) >= 4  # single pixels are noise
    marks = np.zeros(moved.shape, np.uint8)
    for picture in (pixels, shown):
        for mark in _MARKS:
            marks |= (picture == mark).all(axis=2)
    near = cv2.dilate(marks, np.ones((3, 3), np.uint8)) > 0  # texts stay sharp
    return (moved > 0) & dense | near & (pixels != shown).any(axis=2)


def kind_colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, the same for names that end in the same word: white van, red van.

    Args:
        names: in order; the first kinds get the colours that are easiest to tell apart, and
            beyond seven kinds the others are grey.
    """
    kinds: dict[str, str] = {}
    colours = {}
    for name in names:
        kind = (name.split() or [""])[-1]
        left = COLOURS[len(kinds)] if len(kinds) < 7 else NEUTRAL
        colours[name] = kinds.setdefault(kind, left)
    return colours


def draw_tracks(
    image: np.ndarray,
    frame: int,
    tracks: Iterable[Track],
    names: Mapping[int, str],
    colours: Mapping[str, str],
    width: int | None = None,
) -> Image.Image:
    """A frame with the tracks that are there, each with its number and name.

    Args:
        image: uint8, (height, width, 3).
        frame: its number.
        tracks: from ``follow``.
        names: track number -> name; a track without one is called unknown.
        colours: name -> colour; others are grey.
        width: as for ``annotate``.
    """
    there, boxes, _ = boxes_at(tracks, frame)
    called = [names.get(track.number, "unknown") for track in there]
    marks = [
        Mark(box, f"{track.number} {name}", colours.get(name, NEUTRAL))
        for track, box, name in zip(there, boxes, called, strict=True)
    ]
    return annotate(image, marks, width)


def show_timeline(
    spans: Sequence[tuple[str, float, float]], colours: Mapping[str, str], unit: str = "seconds"
) -> None:
    """Show from when to when each object was seen, those of one name together.

    Args:
        spans: (name, first, last) of each object, at least one.
        colours: name -> colour; names that are missing are grey.
        unit: of the times, for the axis.
    """
    spans = sorted(spans, key=lambda span: (span[0], span[1]))
    figure, axes = plt.subplots(figsize=(9, 1 + 0.13 * len(spans)))
    for row, (name, first, last) in enumerate(spans):
        colour = colours.get(name, NEUTRAL)
        axes.barh(row, max(last - first, 0.03), left=first, color=colour, edgecolor="white")
    names = [name for name, _, _ in spans]
    middles = {name: np.mean([i for i, n in enumerate(names) if n == name]) for name in names}
    labels = [f"{name} ({names.count(name)})" for name in middles]
    axes.set_yticks(list(middles.values()), labels)
    for row in range(1, len(names)):
        if names[row] != names[row - 1]:
            axes.axhline(row - 0.5, color="lightgrey", linewidth=0.8)
    axes.set(xlabel=f"time in the video ({unit})", ylim=(len(spans) - 0.4, -0.6))
    show_figure(figure)


def show_matches(picture: Image.Image, rows: Sequence[Sequence[Tile]], size: float = 10) -> None:
    """Show a framed frame, and below it objects of it beside their nearest known pictures.

    Args:
        picture: from ``annotate``.
        rows: for each object its own tile, then those of what was found; two objects stand side by
            side. At least one row.
        size: the width of the figure in inches.
    """
    columns = max(len(row) for row in rows)
    halves = -(-len(rows) // 2)
    tall = size * picture.height / picture.width
    tile = size / (2 * columns + 0.5)
    figure = plt.figure(figsize=(size, tall + 1.5 * tile * halves + 0.3))
    top, below = figure.add_gridspec(2, 1, height_ratios=[tall, 1.5 * tile * halves], hspace=0.04)
    axes = figure.add_subplot(top)
    axes.imshow(picture)
    axes.axis("off")
    widths = [1] * columns + [0.5] + [1] * columns
    grid = below.subgridspec(halves, 2 * columns + 1, width_ratios=widths, hspace=0.5, wspace=0.05)
    for number, row in enumerate(rows):
        first = (number % 2) * (columns + 1)
        for column, one in enumerate(row):
            place = figure.add_subplot(grid[number // 2, first + column])
            place.imshow(thumbnail(one.image, 128))
            place.set_xlabel(one.caption, fontsize=9, fontweight="bold" if column == 0 else None)
            place.set(xticks=[], yticks=[])
    show_figure(figure)


def _meet(area: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two areas (left, top, right, bottom) share a pixel."""
    return area[0] < other[2] and other[0] < area[2] and area[1] < other[3] and other[1] < area[3]


def _ink(colour: str) -> str:
    """Black or white, whichever reads better on a colour."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 130 else "white"
