"""Key frames: the few pictures of a video that stand for all of it.

The first frame of each shot, and within a shot a new one whenever the picture has moved away from
the last or enough time has passed. Found in one pass that holds a frame at a time. Comparing the
colours of neighbouring frames is the classic way to find cuts: Lienhart, "Comparison of automatic
shot boundary detection algorithms" (1999), https://doi.org/10.1117/12.333848.
"""

from collections.abc import Iterable, Iterator
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
        picture: a Pillow image; large ones are reduced, see ``key_frames``.
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


class KeyFrames:
    """Iterates over ``KeyFrame``s; see ``key_frames``.

    Attributes:
        frames: how many frames have been read so far.
        seconds: when the last of them is shown.
    """

    def __init__(
        self,
        frames: Iterable[Frame],
        every: float,
        cut: float,
        drift: float,
        gap: float,
        side: int,
    ) -> None:
        self.frames = 0
        self.seconds = 0.0
        self._found = self._find(iter(frames), every, cut, drift, gap, side)

    def __iter__(self) -> Iterator[KeyFrame]:
        return self._found

    def _find(
        self,
        frames: Iterator[Frame],
        every: float,
        cut: float,
        drift: float,
        gap: float,
        side: int,
    ) -> Iterator[KeyFrame]:
        before = key = None  # the looks of the frame before and of the last key frame
        shown, reason = -np.inf, ""  # seconds of the last key frame, and why it is one
        for frame in frames:
            self.frames, self.seconds = self.frames + 1, frame.seconds
            look, waited = look_of(frame.image), frame.seconds - shown + 1e-6
            if key is None:
                why = "first"
            elif colour_difference(look, before) > cut and (waited >= gap or reason != "cut"):
                why = "cut"
            elif waited < gap:
                why = ""
            elif pixel_difference(look, key) > drift:
                why = "drift"
            else:
                why = "time" if waited >= every else ""
            before = look
            if why:
                key, shown, reason = look, frame.seconds, why
                yield KeyFrame(frame.number, shown, _reduced(frame.image, side), reason)


def key_frames(
    frames: Iterable[Frame],
    every: float = 1.0,
    cut: float = CUT,
    drift: float = DRIFT,
    gap: float = 0.2,
    side: int = 512,
) -> KeyFrames:
    """The key frames among the frames of a video, found as a stream.

    Args:
        frames: from ``helpers.scenarios.video.frames.read_frames``, or any frames in their order.
        every: seconds after which there is a new key frame even if nothing moves.
        cut: a ``colour_difference`` from the frame before that is larger starts a new shot.
        drift: a ``pixel_difference`` from the last key frame that is larger asks for a new one.
        gap: seconds without another after a key frame, so that fast movement does not make each
            frame one. A cut is taken even then, unless another was just before: a strobe light.
        side: pixels; pictures whose longer side is longer are reduced to it. Networks look at far
            fewer, and a batch of key frames takes the same memory whatever the video's size.

    Returns:
        An object to loop over once; afterwards ``frames`` says how many frames were read.

    Raises:
        ValueError: ``every`` or ``side`` is not more than 0.
    """
    if not (every > 0 and side > 0):
        raise ValueError(f"every={every} seconds and side={side} pixels must be more than 0")
    return KeyFrames(frames, every, cut, drift, gap, side)


def some_key_frames(path: Path | str, most: int = 20) -> list[KeyFrame]:
    """At most ``most`` key frames spread over a video of any length, the first among them.

    Args:
        path: a video.
        most: at least 2.

    Raises:
        BadItem: there is no video in it that can be read.
        ValueError: ``most`` is less than 2.
    """
    if most < 2:
        raise ValueError(f"most={most} key frames cannot be spread over a video; ask for 2 or more")
    kept: list[KeyFrame] = []
    step = 1
    for count, key in enumerate(key_frames(read_frames(path))):
        if count % step == 0:
            kept.append(key)
        if len(kept) > most:  # however long the video, no more are ever held
            kept, step = kept[::2], step * 2
    return kept


def _reduced(image: np.ndarray, side: int) -> Image.Image:
    picture = Image.fromarray(image)
    picture.thumbnail((side, side))  # never enlarges
    return picture
