"""Videos as streams of frames: one frame is held at a time, however long the video is."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# FFmpeg writes about every damaged block to the terminal; what matters is said here in words.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np

from helpers.errors import BadItem

# Nor OpenCV's warning about every file without a video.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


class Frame(NamedTuple):
    """One picture of a video.

    Attributes:
        number: 0 for the first frame.
        seconds: when it is shown, from the video's own time stamps, so that a rate which varies
            does no harm.
        image: uint8, (height, width, 3), red, green and blue.
    """

    number: int
    seconds: float
    image: np.ndarray


class VideoFacts(NamedTuple):
    """What a video's header says; ``frames`` is a guess where the file is damaged or was cut."""

    width: int
    height: int
    frames: int
    rate: float


def video_facts(path: Path | str) -> VideoFacts:
    """Size in pixels, number of frames and frames per second, as the header states them.

    Raises:
        BadItem: there is no file, or no video in it.
    """
    video = _open(path)
    size = int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT))
    frames, rate = int(video.get(cv2.CAP_PROP_FRAME_COUNT)), video.get(cv2.CAP_PROP_FPS)
    video.release()
    return VideoFacts(*size, max(0, frames), rate)


def read_frames(path: Path | str, every: int = 1) -> Iterator[Frame]:
    """The frames of a video in their order.

    Args:
        path: any format that FFmpeg reads, such as mp4, mov, mpg, webm, avi or gif.
        every: 1 for all frames, n for each n-th; those between are not turned into pictures.

    A damaged video gives the frames that can be read.

    Raises:
        BadItem: there is no file, no video in it, or not one frame that can be read.
    """
    video, number, seconds = _open(path), -1, 0.0
    try:
        while video.grab():
            number += 1
            # The stamp can be missing after damage; time does not run backwards.
            seconds = max(seconds, video.get(cv2.CAP_PROP_POS_MSEC) / 1000)
            if number % every:
                continue
            readable, image = video.retrieve()
            if readable:
                yield Frame(number, seconds, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    finally:
        video.release()
    if number < 0:
        raise BadItem("a video without a readable frame")


def _open(path: Path | str) -> cv2.VideoCapture:
    path = Path(path).expanduser()
    if not path.is_file():
        raise BadItem(f"no file {path.name} there")
    if path.stat().st_size == 0:
        raise BadItem("an empty file")
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not video.isOpened():
        video.release()
        raise BadItem("holds no video, or is damaged from its beginning")
    return video
