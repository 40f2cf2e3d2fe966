"""Videos as streams of frames: one or two frames are held at a time, however long the video is."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple, NoReturn

import numpy as np
from PIL import Image

from helpers.errors import BadItem
from helpers.inputs.files import open_file

_PATIENCE = 120  # seconds for one answer; a slow disk and a busy computer need less


class Frame(NamedTuple):
    """One picture of a video.

    Attributes:
        number: 0 for the first frame.
        seconds: when it is shown, from the video's own time stamps, so that a rate which varies
            or which the header states wrongly does no harm.
        image: uint8, (height, width, 3), red, green and blue, turned as the video says.
    """

    number: int
    seconds: float
    image: np.ndarray


class KeyFrame(NamedTuple):
    """One frame that stands for those around it.

    Attributes:
        number: that of the frame in its video, from 0.
        seconds: when it is shown.
        shot: how many cuts lie before it.
        reason: why it was taken, in a word.
        picture: a Pillow image, at most 512 pixels wide and high.
    """

    number: int
    seconds: float
    shot: int
    reason: str
    picture: Image.Image


class VideoFacts(NamedTuple):
    """What a video's header says; any of it can be wrong where the file is damaged or was cut."""

    width: int
    height: int
    frames: int
    rate: float


def video_facts(path: Path | str) -> VideoFacts:
    """Size in pixels, number of frames and frames per second, as the header states them.

    Raises:
        BadItem: there is no file, or no video in it.
    """
    with _opened(path, every=1) as (_, facts):
        return VideoFacts(**facts)


def read_frames(path: Path | str, every: int = 1) -> Iterator[Frame]:
    """The frames of a video in their order.

    Args:
        path: any format that FFmpeg reads, such as mp4, mov, mpg, webm, avi or gif.
        every: 1 for all frames, n for each n-th; those between are not turned into pictures.

    A damaged video gives the frames that can be read. Frames of more than 16 million pixels come
    at half their width and height, or a third.

    Raises:
        ValueError: ``every`` is less than 1.
        BadItem: there is no file, no video in it, or not one frame that can be read; or the file
            crashes the decoder, which costs this file and nothing else.
    """
    if every < 1:
        raise ValueError(f"every={every} must be 1 or more")
    number = None
    with _opened(path, every) as (decoder, _):
        decoder.ask()
        while frame := decoder.answer()[1]:
            decoder.ask()  # the next one is decoded while this one is looked at
            number = frame.number
            yield frame
    if number is None:
        raise BadItem("a video without a readable frame")


def frame_at(path: Path | str, seconds: float) -> Frame:
    """The first frame of a video from a time on; its last where it ends before.

    Raises:
        BadItem: as for ``read_frames``.
    """
    for frame in read_frames(path):
        if frame.seconds >= seconds:
            break
    return frame


class _Decoder:
    """A process of ``decoder.py``; it ends with this one, because then its input ends.

    Attributes:
        waiting: for how many answers.
        in_step: whether all that came has been read to the end of an answer.
    """

    def __init__(self) -> None:
        self.waiting, self.in_step = 0, True
        self._process = subprocess.Popen(
            [sys.executable, "-I", Path(__file__).with_name("decoder.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that Ctrl-C does not end it
        )

    def ask(self, **request: Any) -> None:
        """For a video (``path`` and ``every``), or for its next frame."""
        self.waiting += 1
        with suppress(OSError):  # it ended, which its answer will say
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def answer(self) -> tuple[dict[str, Any], Frame | None]:
        """The next answer, and the frame in it; None if there is none, as after the last."""
        overdue = Timer(_PATIENCE, self._process.kill)
        overdue.daemon = True
        overdue.start()
        self.in_step, frame = False, None
        try:
            line = self._process.stdout.readline()
            facts = json.loads(line) if line.endswith(b"\n") else _crashed()
            if "number" in facts:
                image = np.empty((*facts["shape"], 3), np.uint8)
                left = memoryview(image).cast("B")
                while left:
                    left = left[self._process.stdout.readinto(left) or _crashed() :]
                frame = Frame(facts["number"], facts["seconds"], image)
        finally:
            overdue.cancel()
        self.waiting, self.in_step = self.waiting - 1, True
        return facts, frame

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _crashed() -> NoReturn:
    raise BadItem("damaged in a way that ends the decoder of videos, or far too large")


_idle: list[_Decoder] = []  # ready for the next video; several are read at once only now and then


@contextmanager
def _opened(path: Path | str, every: int) -> Iterator[tuple[_Decoder, dict[str, Any]]]:
    """A decoder that has opened a video, and what the header says."""
    path = Path(path).expanduser()
    with open_file(path) as file:
        if not file.read(1):
            raise BadItem("an empty file")
    decoder = _idle.pop() if _idle else _Decoder()
    try:
        # An absolute path, because FFmpeg takes "concat:a.mp4" for more than a name.
        decoder.ask(path=os.path.abspath(path), every=every)
        facts, _ = decoder.answer()
        if "problem" in facts:
            raise BadItem(facts["problem"])
        yield decoder, facts
    finally:
        with suppress(BadItem):
            while decoder.waiting and decoder.in_step:  # the frame after the last that was wanted
                decoder.answer()
            if decoder.in_step:
                decoder.ask(path="", every=1)  # lets go of the file
                decoder.answer()
        if decoder.in_step:
            _idle.append(decoder)
        else:
            decoder.end()
