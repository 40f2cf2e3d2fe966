"""The gallery of known objects: pictures, and what each of them shows."""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.assets import fetch
from helpers.errors import HelpfulError
from helpers.files import list_files
from helpers.paths import DATA, store_folder
from helpers.scenarios.video.boxes import Labels, load_labels
from helpers.scenarios.video.frames import read_frames
from helpers.tables import own_table

MOTORWAY = "sample_car_video.mp4"
NAMES = DATA / "motorway_names.csv"


def name_of(path: Path | str) -> str:
    """What a picture shows, from its file name: ``white_van-03.jpg`` is a white van.

    A number at the end only tells pictures of the same thing apart. Where nothing else is left,
    the folder has the name.
    """
    path = Path(path)
    for text in (path.stem, path.parent.name):
        name = re.sub(r"[\s_-]+", " ", text)
        name = re.sub(r"(?<=[^\W\d])\s*\(?\d+\)?\s*$|^\s*\(?\d+\)?\s*$", "", name).strip()
        if name:
            return name
    return path.stem


def load_known_objects(source: Path | str = "ours") -> dict[Path, str]:
    """Pictures of known objects, and what each shows.

    Args:
        source: ``"ours"`` for 80 vehicles and 99 photos of other things, or a folder, zip or tar
            of pictures that are named after what they show, such as ``taxi.jpg``, ``taxi 2.jpg``.

    Returns:
        Path -> name. Own pictures come in alphabetical order; those that cannot be read are among
        them, and ``encode_batches`` skips and names them.

    Raises:
        HelpfulError: there is nothing at that path, or no picture in it.
        AssetError: the clip or the photos could not be fetched.
    """
    if source == "ours":
        folder, rows = fetch("object_photos"), own_table("object_photos.csv")
        return motorway_vehicles() | {folder / row["file"]: row["label"] for row in rows}
    return {path: name_of(path) for path in list_files(source)}


def motorway_vehicles() -> dict[Path, str]:
    """Cut 80 vehicles with names out of the first five seconds of the motorway clip.

    Boxes and names stand in ``data/motorway_names.csv``: proposed by the detector or drawn by hand
    in frames 0, 48, 96 and 144, each looked at and named by hand.

    Returns:
        Path -> name; the pictures lie in the notebook's store, which git ignores.
    """
    folder = store_folder("video_object_search") / "vehicles"
    return save_crops(fetch("clips-pycsr") / MOTORWAY, load_labels(NAMES, ignored=()), folder)


def save_crops(video: Path | str, labels: Mapping[int, Labels], folder: Path) -> dict[Path, str]:
    """Save what lies in named boxes as pictures named after it, a gallery like a reader's own.

    Args:
        video: any video.
        labels: boxes by frame number; their kinds become the names.
        folder: where to put the pictures; what was in it is removed.

    Returns:
        Path -> name.

    Raises:
        BadItem: the video cannot be read.
        HelpfulError: it is shorter than a frame with boxes.
    """
    wanted = [(frame, box) for frame in labels for box in labels[frame].boxes]
    names = [name for frame in labels for name in labels[frame].kinds]
    pictures = cut_from_video(video, wanted)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    gallery = {}
    for number, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        path = folder / f"{name.replace('/', '-')} {number:03}.png"
        picture.save(path)
        gallery[path] = name
    return gallery


def cut_from_video(
    video: Path | str, wanted: Sequence[tuple[int, np.ndarray]]
) -> list[Image.Image]:
    """The squares around boxes, in one pass through a video; no frame is kept.

    Args:
        video: any video.
        wanted: (frame number, box) of each; a box is x, y, width and height in pixels.

    Returns:
        A picture for each, in the order given.

    Raises:
        BadItem: the video cannot be read.
        HelpfulError: it is shorter than a frame that is wanted.
    """
    by_frame: dict[int, list[int]] = {}
    for place, (frame, _) in enumerate(wanted):
        by_frame.setdefault(frame, []).append(place)
    pictures: dict[int, Image.Image] = {}
    every = int(np.gcd.reduce(list(by_frame))) or 1 if by_frame else 1
    for frame in read_frames(video, every) if by_frame else ():
        for place in by_frame.pop(frame.number, ()):
            pictures[place] = cut_out(frame.image, wanted[place][1])
        if not by_frame:
            break
    if by_frame:
        raise HelpfulError(
            f"{Path(video).name} has no frame {min(by_frame)} that can be read; the boxes belong "
            "to another video."
        )
    return [pictures[place] for place in range(len(wanted))]


def cut_out(image: np.ndarray, box: Sequence[float]) -> Image.Image:
    """The smallest square that holds a box, so that an encoder of squares sees all of it.

    Args:
        image: uint8, (height, width, 3).
        box: (4,): x, y, width and height in pixels.

    At an edge of the picture the square is moved inwards; it is cut where the picture is smaller.
    """
    height, width = image.shape[:2]
    x, y, w, h = (float(value) for value in box)
    side = max(1, round(max(w, h)))
    left = min(max(0, round(x + w / 2 - side / 2)), max(0, width - side))
    top = min(max(0, round(y + h / 2 - side / 2)), max(0, height - side))
    square = image[top : top + side, left : left + side]
    return Image.fromarray(np.ascontiguousarray(square))
