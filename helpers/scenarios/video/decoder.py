"""The process in which videos are decoded: a file that crashes OpenCV ends it and nothing else.

``frames.py`` starts it as a program and asks it line by line, in JSON: first for a video, answered
by what its header says, then for frame after frame. The pixels follow their line as bytes. Nothing
is ever unpickled, so a file that takes over this process gains no way into the other.
"""

import json
import math
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

# A text that says it is a video may list others, which FFmpeg would fetch from anywhere.
os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "protocol_whitelist;file"
os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"

import cv2

_MEMORY = 4 << 30  # bytes; a header can claim any size
_LARGE = 16_000_000  # pixels; larger frames are reduced to half their sides, or a third

Answer = tuple[dict[str, Any], Any]


def answers(path: str, every: int) -> Iterator[Answer]:
    """What is to say about a video: what its header says, then each n-th frame with its pixels."""
    video = _opened(path)
    if not video.isOpened():
        yield {"problem": "holds no video, or is damaged from its beginning"}, None
        return
    rate = video.get(cv2.CAP_PROP_FPS)
    yield (
        {
            "width": int(video.get(cv2.CAP_PROP_FRAME_WIDTH)),
            "height": int(video.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            "frames": max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT))),
            "rate": rate if math.isfinite(rate) else 0.0,
        },
        None,
    )
    number, seconds = -1, 0.0
    while video.grab():
        number += 1
        # The stamp can be missing after damage, or be any number; time does not run backwards.
        stamp = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        seconds = max(seconds, stamp) if math.isfinite(stamp) else seconds
        if number % every:
            continue
        readable, image = video.retrieve()
        if readable:
            shrink = math.ceil(math.sqrt(image.shape[0] * image.shape[1] / _LARGE))
            if shrink > 1:
                size = image.shape[1] // shrink, image.shape[0] // shrink
                image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            shape = [image.shape[0], image.shape[1]]
            yield {"number": number, "seconds": seconds, "shape": shape}, image


def _opened(path: str) -> cv2.VideoCapture:
    try:
        path.encode()
    except UnicodeEncodeError:  # a name that OpenCV does not take; it knows the open file by number
        with open(path, "rb") as file:
            return cv2.VideoCapture(f"/dev/fd/{file.fileno()}", cv2.CAP_FFMPEG)
    return cv2.VideoCapture(path, cv2.CAP_FFMPEG)


def main(asked: BinaryIO, out: BinaryIO) -> None:
    """Answer until the other process is gone."""
    stream: Iterator[Answer] = iter(())
    for line in asked:
        if request := json.loads(line):
            stream = answers(request["path"], request["every"])
        facts, image = next(stream, ({"end": True}, None))
        out.write(json.dumps(facts).encode() + b"\n")
        if image is not None:
            out.write(image.data)
        out.flush()


if __name__ == "__main__":
    with suppress(ImportError, ValueError, OSError):  # where there are no such limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers_out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand among the answers
    main(sys.stdin.buffer, answers_out)
