"""Film strips: a few moments of a video side by side, with the one that was found marked."""

import base64
import io
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageOps

from helpers.inputs.pictures import open_image
from helpers.inputs.texts import shortened, written
from helpers.show import COLOURS, MARKS, show_photo

_SHOT, _FRAME = (140, 79), 4  # pixels: a picture of a strip, and the film around it
_TITLE, _ROW = 20, 136  # pixels: the line above a strip; a strip with all its texts
_MOST_WIDE = 1500  # pixels
_FILM, _HIT = "#1a1a1a", COLOURS[1]


class Shot(NamedTuple):
    """One picture of a strip.

    Attributes:
        image: a Pillow image in RGB.
        seconds: when it is shown; stands below it.
        hit: marks it as the one that was found.
    """

    image: Image.Image
    seconds: float
    hit: bool = False


class Strip(NamedTuple):
    """One result: moments of a video, perhaps beside the picture that was searched for.

    Attributes:
        shots: in the order of their time, at least one.
        title: a line above the strip.
        query: a Pillow image in RGB, shown at the left, or None.
        caption: a few words below the query.
        right: True and False mark the title as right or wrong; None leaves it unmarked.
    """

    shots: Sequence[Shot]
    title: str = ""
    query: Image.Image | None = None
    caption: str = ""
    right: bool | None = None


def pack_picture(picture: Image.Image) -> str:
    """An RGB picture as a JPEG in base64, a string that JSON and Redis can hold.

    What is larger than 192 by 192 pixels is reduced to fit.
    """
    small, jpeg = picture.copy(), io.BytesIO()
    small.thumbnail((192, 192))  # never enlarges
    small.save(jpeg, "JPEG", quality=80)
    return base64.b64encode(jpeg.getvalue()).decode()


def unpack_picture(packed: str) -> Image.Image:
    """The picture that ``pack_picture`` packed.

    Raises:
        BadItem: it is not one.
    """
    return open_image(base64.b64decode(packed))


def show_film_strips(strips: Sequence[Strip]) -> None:
    """Show strips one below the other, each with its query at the left where it has one.

    Args:
        strips: at least one. The pictures keep their shape; the times stand below them, and hits
            are framed and pointed at.

    Raises:
        ValueError: there is no strip, or one without a shot.
    """
    if not strips or not all(strip.shots for strip in strips):
        raise ValueError("there must be a film strip to show, and in each at least one shot")
    step = _SHOT[0] + 2 * _FRAME
    left = step + 20 if any(strip.query is not None for strip in strips) else 0
    titles = []
    for strip in strips:
        mark, colour = MARKS[strip.right]
        line = shortened(mark + strip.title, _MOST_WIDE / 2, 13, bold=True)
        titles.append(written(line, 13, colour, bold=True))
    longest = max(title.width for title in titles)
    width = left + max(longest, step * max(len(strip.shots) for strip in strips))
    canvas = Image.new("RGB", (width, _ROW * len(strips)), "white")
    for number, (strip, title) in enumerate(zip(strips, titles, strict=True)):
        top = number * _ROW + _TITLE
        canvas.paste(title, (left, top - _TITLE + 2), title)
        tiles = [(0, strip.query, strip.caption, "white", "white")] if strip.query else []
        for place, (image, seconds, hit) in enumerate(strip.shots):
            text = f"▲ {seconds:.1f} s" if hit else f"{seconds:.1f} s"  # no matter of colour only
            tiles.append((left + place * step, image, text, _FILM, _HIT if hit else _FILM))
        for x, image, text, around, frame in tiles:
            picture = ImageOps.expand(ImageOps.pad(image, _SHOT, color=around), _FRAME, frame)
            canvas.paste(picture, (x, top))
            below = written(shortened(text, step, 12), 12, bold=frame == _HIT)
            canvas.paste(below, (x + (step - below.width) // 2, top + picture.height + 1), below)
    canvas.thumbnail((_MOST_WIDE, canvas.height))
    show_photo(canvas)
