"""Show what was found in a video: frames with marks, a small animation, a timeline."""

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import cv2
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageOps

from helpers.inputs.texts import shortened, written
from helpers.scenarios.video.boxes import overlap
from helpers.scenarios.video.track import Track, boxes_at
from helpers.show import COLOURS, NEUTRAL, show_figure

_STILL = 20  # of 255: a pixel that changes by less is taken for noise and left as it was
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
    scale = (width or image.shape[1]) / image.shape[1]
    picture = ImageOps.scale(Image.fromarray(image), scale, Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(picture)
    taken: list[tuple[float, float, float, float]] = []  # by texts: x, y, width, height
    ordered = sorted(marks, key=lambda mark: -mark.box[2] * mark.box[3])
    places = [[value * scale for value in mark.box] for mark in ordered]
    for mark, (x, y, w, h) in zip(ordered[::-1], places[::-1], strict=True):
        draw.rectangle((x, y, x + w, y + h), outline=mark.colour, width=2)
    for mark, (x, y, w, _) in zip(ordered, places, strict=True):
        ink = "black" if ImageColor.getcolor(mark.colour, "L") > 130 else "white"
        text = written(mark.text, _FONT, ink)
        top = round(max(0, y - text.height))
        left = round(min(max(0, x), max(0, picture.width - text.width - 4)))
        area = (left, top, text.width + 4, text.height)
        if not mark.text or text.width > 2 * w or overlap([area], taken).any():
            continue
        taken.append(area)
        draw.rectangle((left, top, left + area[2], top + area[3]), fill=mark.colour)
        picture.paste(text, (left + 2, top), text)
    return picture


def show_animation(
    frames: Iterable[Image.Image], seconds: Sequence[float], colours: int = 40
) -> None:
    """Show frames as an animated PNG, which plays for ever wherever a picture is shown.

    It is made for cameras that stand still: only what changes is stored.

    Args:
        frames: of one size, in RGB, at least one.
        seconds: when each is shown; the last stays as long as the one before it.
        colours: of all frames together, 16 to 255; fewer take less room.

    Raises:
        ValueError: there is no frame, they differ in size, or colours is not 16 to 255.
    """
    from IPython.display import Image as Png
    from IPython.display import display

    pictures = [np.asarray(frame) for frame in frames]
    if len({picture.shape for picture in pictures}) != 1 or not 16 <= colours <= 255:
        raise ValueError("an animation needs frames of one size and 16 to 255 colours")
    scene = np.concatenate(pictures[:: -(-len(pictures) // 4)])
    palette = Image.fromarray(scene).quantize(colours - len(_MARKS))
    # The colours of marks have numbers of their own, so that no lamp takes on one of them.
    first_mark = len(palette.getpalette()) // 3
    clear = first_mark + len(_MARKS)  # stands for what stays as it was
    values = [*palette.getpalette(), *_MARKS.flatten().tolist(), 0, 0, 0]
    drawn, shown = [], None
    for pixels in pictures:
        numbers = np.array(Image.fromarray(pixels).quantize(palette=palette, dither=0))
        for number, mark in enumerate(_MARKS, first_mark):
            numbers[(pixels == mark).all(axis=2)] = number
        if shown is not None:
            still = cv2.absdiff(pixels, shown).max(axis=2) < _STILL
            numbers[still] = clear
            pixels = np.where(still[..., None], shown, pixels)
        shown = pixels
        drawn.append(Image.fromarray(numbers))
        drawn[-1].putpalette(values)
    out, options = io.BytesIO(), {"transparency": clear} if len(drawn) > 1 else {}
    waits = [max(1, round(wait * 1000)) for wait in np.diff(seconds)] or [1000]
    waits = [*waits, waits[-1]][: len(drawn)]
    drawn[0].save(
        out, "PNG", save_all=True, append_images=drawn[1:], duration=waits,
        loop=0, disposal=0, blend=1, optimize=True, **options,
    )  # fmt: skip
    display(Png(out.getvalue()))


def kind_colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name, the same for names that end in the same word: white van, red van.

    Args:
        names: in order; the first kinds get the colours that are easiest to tell apart, and
            beyond seven kinds the others are grey.
    """
    kinds = {name: name.split(" ")[-1] for name in names}
    colours = dict(zip(dict.fromkeys(kinds.values()), COLOURS[:7], strict=False))
    return {name: colours.get(kind, NEUTRAL) for name, kind in kinds.items()}


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


def show_timeline(spans: Sequence[tuple[str, float, float]], colours: Mapping[str, str]) -> None:
    """Show from when to when each object was seen, those of one name together.

    Args:
        spans: (name, first, last) of each object, in seconds; at least one.
        colours: name -> colour; names that are missing are grey.
    """
    spans = sorted(spans, key=lambda span: (span[0], span[1]))
    names, firsts, lasts = zip(*spans, strict=True)
    widths = np.maximum(np.subtract(lasts, firsts), 0.03)  # a moment can be seen, too
    bars = [colours.get(name, NEUTRAL) for name in names]
    figure, axes = plt.subplots(figsize=(9, 1 + 0.13 * len(spans)))
    axes.barh(range(len(spans)), widths, left=firsts, color=bars, edgecolor="white")
    counts = Counter(names)  # in the order of the rows
    ends = np.cumsum(list(counts.values())) - 0.5
    middles = [end - count / 2 for end, count in zip(ends, counts.values(), strict=True)]
    rows = [f"{shortened(name, 300)} ({count})" for name, count in counts.items()]
    axes.set_yticks(middles, rows)
    for end in ends[:-1]:
        axes.axhline(end, color="lightgrey", linewidth=0.8)
    axes.set(xlabel="time in the video (seconds)", ylim=(len(spans) - 0.4, -0.6))
    show_figure(figure)
