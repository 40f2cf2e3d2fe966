"""Screenshots as they reach a search: frames drawn from a film, and what people do to them."""

import io
import random
from collections.abc import Callable, Collection
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from helpers.scenarios.video.frames import read_frames

Picture = Image.Image


def draw_screenshots(
    path: Path | str,
    rng: random.Random,
    count: int = 8,
    without: Collection[float] = (),
) -> list[tuple[float, Picture]]:
    """Frames of a video drawn at random, each with the same chance, in one pass.

    Args:
        path: a video.
        rng: the source of chance; give ``random.Random(0)`` to draw the same again.
        count: how many; fewer come from a video that has fewer.
        without: the seconds of frames that are not to be drawn, unless there are no others.

    Returns:
        ``(seconds, picture)`` in the order of their time, reduced to 512 pixels where longer.

    Raises:
        BadItem: there is no video in it that can be read.
    """
    kept, seen = [], 0
    for frame in read_frames(path):
        if frame.seconds in without:
            continue
        # Vitter's algorithm R: the n-th frame takes a place with probability count / n.
        place = seen if seen < count else rng.randrange(seen + 1)
        seen += 1
        if place < count:
            picture = Image.fromarray(frame.image)
            picture.thumbnail((512, 512))
            kept[place : place + 1] = [(frame.seconds, picture)]
    if without and not kept:
        return draw_screenshots(path, rng, count)
    return sorted(kept, key=lambda shot: shot[0])


def cropped(shot: Picture, rng: random.Random, share: float = 0.6) -> Picture:
    """A part of the picture from anywhere, ``share`` of both its sides: 36 % of its area."""
    width, height = (max(1, int(length * share)) for length in shot.size)
    left, top = rng.randint(0, shot.width - width), rng.randint(0, shot.height - height)
    return shot.crop((left, top, left + width, top + height))


def blurred(shot: Picture, rng: random.Random) -> Picture:
    """Out of focus, by one hundredth of the width."""
    return shot.filter(ImageFilter.GaussianBlur(shot.width / 100))


def brighter(shot: Picture, rng: random.Random) -> Picture:
    """1.6 times as bright; what is bright already turns white."""
    return ImageEnhance.Brightness(shot).enhance(1.6)


def compressed(shot: Picture, rng: random.Random) -> Picture:
    """Saved as a JPEG of quality 10, which leaves blocks and few colours."""
    jpeg = io.BytesIO()
    shot.save(jpeg, "JPEG", quality=10)
    return Image.open(jpeg).convert("RGB")


def captioned(shot: Picture, rng: random.Random) -> Picture:
    """A white bar with a joke above it, a quarter as high as the picture."""
    bar = max(8, shot.height // 4)
    canvas = ImageOps.expand(shot, (0, bar, 0, 0), "white")
    where, font = (shot.width / 2, bar / 2), ImageFont.load_default(bar / 3)
    text = "when the bus\nis late again"
    ImageDraw.Draw(canvas).text(where, text, "black", font, "mm", align="center")
    return canvas


def photographed(shot: Picture, rng: random.Random) -> Picture:
    """A photo of a screen, from one side: its edge, the wall behind it, and moiré stripes."""
    edge = max(1, shot.width // 32)
    screen = cv2.copyMakeBorder(np.asarray(shot), *[edge] * 4, cv2.BORDER_CONSTANT, value=[15] * 3)
    height, width = screen.shape[:2]
    corners = np.float32([[0, 0], [1, 0], [1, 1], [0, 1]])
    shorter = rng.uniform(0.1, 0.18)  # the side further away
    seen = np.float32([[0.06, 0.04], [0.92, shorter], [0.92, 1 - shorter], [0.06, 0.96]])
    if rng.random() < 0.5:  # from the other side
        seen = (seen * [-1, 1] + [1, 0])[[1, 0, 3, 2]]
    size = np.float32([width, height])
    turn = cv2.getPerspectiveTransform(corners * size, np.float32(seen * size))
    photo = cv2.warpPerspective(screen, turn, (width, height), borderValue=(120, 105, 95))
    y, x = np.mgrid[:height, :width]
    stripes = 1 + 0.06 * np.sin(0.9 * x + 0.25 * y) + 0.06 * np.sin(0.8 * y)
    return Image.fromarray(np.clip(photo * stripes[..., None], 0, 255).astype(np.uint8))


CHANGES: dict[str, Callable[[Picture, random.Random], Picture]] = {
    "unchanged": lambda shot, rng: shot,
    "cropped": cropped,
    "blurred": blurred,
    "brighter": brighter,
    "mirrored": lambda shot, rng: ImageOps.mirror(shot),
    "compressed": compressed,
    "captioned": captioned,
    "photographed": photographed,
}
"""What people do to a screenshot: name -> function of an RGB picture and a source of chance."""
