"""Known objects: pictures, and what each of them shows."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.assets import fetch
from helpers.errors import HelpfulError
from helpers.inputs.files import list_files
from helpers.inputs.tables import own_table
from helpers.paths import store_folder
from helpers.scenarios.video.boxes import load_labels
from helpers.scenarios.video.frames import read_frames


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
        Path -> name; the pictures are named like a reader's own and lie in the notebook's store,
        which git ignores. What was there before is removed.
    """
    labels = load_labels("motorway_names.csv")
    wanted = [(frame, box) for frame, one in labels.items() for box in one.boxes]
    names = [name for one in labels.values() for name in one.kinds]
    pictures = cut_from_video(fetch("clips-pycsr") / "sample_car_video.mp4", wanted)
    folder = store_folder("video_object_search") / "vehicles"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    vehicles = {folder / f"{name} {number:03}.png": name for number, name in enumerate(names)}
    for path, picture in zip(vehicles, pictures, strict=True):
        picture.save(path)
    return vehicles


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
    if not wanted:
        return []
    missing: dict[int, list[int]] = {}  # frame number -> places in the order given
    for place, (frame, _) in enumerate(wanted):
        missing.setdefault(frame, []).append(place)
    pictures: dict[int, Image.Image] = {}
    for frame in read_frames(video, every=int(np.gcd.reduce(list(missing))) or 1):
        for place in missing.pop(frame.number, ()):
            pictures[place] = cut_out(frame.image, wanted[place][1])
        if not missing:
            return [pictures[place] for place in range(len(wanted))]
    raise HelpfulError(
        f"{Path(video).name} has no frame {min(missing)} that can be read; the boxes belong "
        "to another video."
    )


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
