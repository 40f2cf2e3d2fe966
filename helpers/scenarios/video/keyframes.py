"""Key frames: the few pictures of a video that stand for all of it.

The first frame of each shot, and within a shot a new one whenever the picture has moved away from
the last or enough time has passed. Found in one pass that holds a frame at a time. Comparing the
colours of neighbouring frames is the classic way to find cuts: Lienhart, "Comparison of automatic
shot boundary detection algorithms" (1999), https://doi.org/10.1117/12.333848.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from helpers.scenarios.video.frames import Frame, read_frames

CUT, DRIFT = 0.35, 0.12
_SMALL, _TINY = (160, 90), (32, 18)  # pixels: enough for colours, and for where they are
_BINS = (8, 4, 4)  # of hue, saturation and brightness
# Pixels of the longer side of a key frame's picture. Networks look at far fewer, and a batch of key
# frames takes the same memory whatever the video's size.
_SIDE = 512


class Look(NamedTuple):
    """What is compared of a frame.

    Attributes:
        colours: the share of pixels of each of 128 colours, float32, (128,), adding up to 1.
        pixels: the picture at 32 by 18 pixels, float32, (18, 32, 3), 0 to 1.
    """

    colours: np.ndarray
    pixels: np.ndarray


class KeyFrame(NamedTuple):
    """One frame that stands for those around it.

    Attributes:
        number: that of the frame in its video, from 0.
        seconds: when it is shown.
        picture: a Pillow image, at most 512 pixels wide and high.
        reason: ``"first"``, ``"cut"``, ``"drift"`` or ``"time"``.
    """

    number: int
    seconds: float
    picture: Image.Image
    reason: str


def look_of(image: np.ndarray) -> Look:
    """What ``colour_difference`` and ``pixel_difference`` compare.

    Args:
        image: uint8, (height, width, 3), red, green and blue.
    """
    small = cv2.resize(image, _SMALL, interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)  # OpenCV's hues end at 180
    counts = cv2.calcHist([hsv], [0, 1, 2], None, _BINS, [0, 180, 0, 256, 0, 256]).ravel()
    tiny = cv2.resize(small, _TINY, interpolation=cv2.INTER_AREA)
    return Look(counts / counts.sum(), tiny.astype(np.float32) / 255)


def colour_difference(one: Look, other: Look) -> float:
    """The share of pixels that would have to change colour: 0 for the same colours, at most 1.

    Where things are does not count, so what moves through the picture hardly changes it.
    """
    return float(np.abs(one.colours - other.colours).sum() / 2)


def pixel_difference(one: Look, other: Look) -> float:
    """The mean difference of the pixels: 0 for the same picture, 1 between black and white."""
    return float(np.abs(one.pixels - other.pixels).mean())


def differences(frames: Iterable[Frame]) -> Iterator[tuple[float, float, float]]:
    """How each frame differs from the one before: seconds, colour and pixel difference."""
    looks = ((frame.seconds, look_of(frame.image)) for frame in frames)
    for (_, before), (seconds, look) in pairwise(looks):
        yield seconds, colour_difference(before, look), pixel_difference(before, look)


@dataclass
class KeyFrames:
    """The key frames among the frames of a video, found as a stream: an object to loop over once.

    Args:
        source: from ``helpers.scenarios.video.frames.read_frames``, or any frames in their order.
        every: seconds after which there is a new key frame even if nothing moves.
        cut: a ``colour_difference`` from the frame before that is larger starts a new shot.
        drift: a ``pixel_difference`` from the last key frame that is larger asks for a new one.
        gap: seconds without another after a key frame, so that fast movement does not make each
            frame one. A cut is taken even then, unless another was just before: a strobe light.

    Attributes:
        frames: how many frames have been read so far.

    Raises:
        ValueError: ``every`` is not more than 0.
    """

    source: Iterable[Frame]
    every: float = 1.0
    cut: float = CUT
    drift: float = DRIFT
    gap: float = 0.2
    frames: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if not self.every > 0:
            raise ValueError(f"every={self.every} seconds must be more than 0")
        self._found = self._find()

    def __iter__(self) -> Iterator[KeyFrame]:
        return self._found

    def _find(self) -> Iterator[KeyFrame]:
        before = key = None  # the looks of the frame before and of the last key frame
        shown, reason = -np.inf, ""  # seconds of the last key frame, and why it is one
        for frame in self.source:
            self.frames += 1
            look, waited = look_of(frame.image), frame.seconds - shown + 1e-6
            soon = waited < self.gap
            if key is None:
                why = "first"
            elif colour_difference(look, before) > self.cut and not (soon and reason == "cut"):
                why = "cut"
            elif soon:
                why = ""
            elif pixel_difference(look, key) > self.drift:
                why = "drift"
            else:
                why = "time" if waited >= self.every else ""
            before = look
            if why:
                key, shown, reason = look, frame.seconds, why
                picture = Image.fromarray(frame.image)
                picture.thumbnail((_SIDE, _SIDE))  # never enlarges
                yield KeyFrame(frame.number, shown, picture, reason)


def some_key_frames(path: Path | str) -> list[KeyFrame]:
    """At most 20 key frames spread over a video of any length, the first among them.

    Raises:
        BadItem: there is no video in it that can be read.
    """
    kept: list[KeyFrame] = []
    step = 1
    for count, key in enumerate(KeyFrames(read_frames(path))):
        if count % step == 0:
            kept.append(key)
        if len(kept) > 20:  # however long the video, no more are ever held
            kept, step = kept[::2], step * 2
    return kept
