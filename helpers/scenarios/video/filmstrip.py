"""Film strips: a few moments of a video side by side, with the one that was found marked."""

import base64
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
from PIL import Image, ImageDraw, ImageOps

from helpers.errors import BadItem
from helpers.pictures import open_image, plain_font
from helpers.show import COLOURS, MARKS, show_figure, thumbnail

# Pixels. Pictures of a strip are this high and as wide as they are, within bounds.
_HEIGHT, _WIDTHS = 78, (50, 140)
_EDGE, _GAP, _BELOW = 13, 6, 20  # the perforated edge, between two pictures, for the times
_QUERY, _TITLE, _MARGIN = 150, 22, 12
_MOST_WIDE = 1500
_FILM, _HOLE, _MARK = "#1a1a1a", "#f4f4f4", COLOURS[1]


class Shot(NamedTuple):
    """One picture of a strip.

    Attributes:
        image: a path, bytes or a Pillow image; grey where it cannot be read.
        seconds: when it is shown; stands below it.
        hit: marks it as the one that was found.
    """

    image: Any
    seconds: float
    hit: bool = False


class Strip(NamedTuple):
    """One result: moments of a video, perhaps beside the picture that was searched for.

    Attributes:
        shots: in the order of their time.
        title: a line above the strip.
        query: a path, bytes or a Pillow image shown at the left, or None.
        caption: a few words below the query.
        right: True and False mark the title as right or wrong; None leaves it unmarked.
    """

    shots: Sequence[Shot]
    title: str = ""
    query: Any = None
    caption: str = ""
    right: bool | None = None


def pack_picture(picture: Image.Image, side: int = 192) -> str:
    """A picture as a small JPEG in base64, a string that JSON and Redis can hold.

    Args:
        picture: a Pillow image in RGB.
        side: pixels of its longer side; smaller pictures stay as they are.
    """
    small = ImageOps.contain(picture, (side, side)) if max(picture.size) > side else picture
    jpeg = io.BytesIO()
    small.save(jpeg, "JPEG", quality=80)
    return base64.b64encode(jpeg.getvalue()).decode()


def unpack_picture(packed: str) -> Image.Image:
    """The picture that ``pack_picture`` packed.

    Raises:
        BadItem: it is not one.
    """
    try:
        content = base64.b64decode(packed, validate=True)
    except ValueError:
        raise BadItem("not a picture in base64") from None
    return open_image(content)


def draw_film_strip(shots: Sequence[Shot]) -> Image.Image:
    """Draw a strip of film with the times below it; hits are framed and pointed at.

    Args:
        shots: at least one.

    Returns:
        An RGB image, 124 pixels high.

    Raises:
        ValueError: there is no shot.
    """
    if not shots:
        raise ValueError("a film strip needs at least one shot")
    pictures = [_fitted(shot.image) for shot in shots]
    width = _GAP + sum(picture.width + _GAP for picture in pictures)
    film = _HEIGHT + 2 * _EDGE
    canvas = Image.new("RGB", (width, film + _BELOW), "white")
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, width - 1, film - 1), fill=_FILM)
    for left in range(5, width - 8, 14):
        for top in (3, film - 10):
            draw.rounded_rectangle((left, top, left + 7, top + 6), 2, fill=_HOLE)
    left = _GAP
    for shot, picture in zip(shots, pictures, strict=True):
        canvas.paste(picture, (left, _EDGE))
        middle = left + picture.width / 2
        if shot.hit:
            box = (left - 4, _EDGE - 4, left + picture.width + 3, _EDGE + _HEIGHT + 3)
            draw.rectangle(box, outline=_MARK, width=5)
            draw.polygon(  # its tip touches the frame, so that the mark is no matter of colour only
                [(middle - 8, film), (middle + 8, film), (middle, film - 9)], fill=_MARK
            )
        text = f"{shot.seconds:.1f} s"
        draw.text((middle, film + 3), text, "black", plain_font(12, shot.hit), anchor="ma")
        left += picture.width + _GAP
    return canvas


def show_film_strips(strips: Sequence[Strip]) -> None:
    """Show strips one below the other, each with its query at the left where it has one.

    Args:
        strips: at least one.

    Raises:
        ValueError: there is no strip, or one without a shot.
    """
    if not strips:
        raise ValueError("there is no film strip to show")
    left = _QUERY + 2 * _MARGIN if any(strip.query is not None for strip in strips) else 0
    rows = [_row(strip, left) for strip in strips]
    canvas = Image.new("RGB", (max(row.width for row in rows), sum(r.height for r in rows)))
    canvas.paste("white", (0, 0, *canvas.size))
    top = 0
    for row in rows:
        canvas.paste(row, (0, top))
        top += row.height
    if canvas.width > _MOST_WIDE:
        canvas = ImageOps.contain(canvas, (_MOST_WIDE, canvas.height))
    # At 100 dots per inch, which is what show() draws at, so that every pixel stays one.
    figure = plt.figure(figsize=(canvas.width / 100, canvas.height / 100))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(canvas, interpolation="none")
    axes.axis("off")
    show_figure(figure)


def _row(strip: Strip, left: int) -> Image.Image:
    film = draw_film_strip(strip.shots)
    mark, colour = MARKS[strip.right]
    title = mark + strip.title
    width = max(film.width, int(plain_font(13, True).getlength(title)) + 1)
    top = _TITLE if title else 0
    canvas = Image.new("RGB", (left + width, top + film.height + _MARGIN), "white")
    draw = ImageDraw.Draw(canvas)
    draw.text((left, 3), title, colour, plain_font(13, True))
    canvas.paste(film, (left, top))
    if strip.query is not None:
        query = _read(strip.query)
        query = ImageOps.contain(query, (_QUERY, _HEIGHT + 2 * _EDGE))
        middle = top + (_HEIGHT + 2 * _EDGE) // 2
        canvas.paste(query, ((_QUERY - query.width) // 2, middle - query.height // 2))
        below = (_QUERY / 2, top + _HEIGHT + 2 * _EDGE + 3)
        draw.text(below, strip.caption, "black", plain_font(12), anchor="ma")
    return canvas


def _fitted(image: Any) -> Image.Image:
    picture = _read(image)
    narrow, wide = _WIDTHS
    width = min(wide, max(narrow, round(picture.width * _HEIGHT / picture.height)))
    return ImageOps.fit(picture, (width, _HEIGHT))


def _read(image: Any) -> Image.Image:
    try:
        return open_image(image)
    except BadItem:
        return thumbnail(image, _HEIGHT)  # which is grey, as in every other figure
