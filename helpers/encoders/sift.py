"""SIFT descriptors: 128-d vectors of small places in photos, the classic data of benchmarks."""

import random
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from helpers.assets import fetch
from helpers.errors import BadItem, HelpfulError
from helpers.inputs.files import list_files, open_file
from helpers.photos import load_photos, unseen_birds
from helpers.progress import progress_bar

DIM = 128


def load_sift(size: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors to search among and others to search for, from different photos.

    Args:
        size: how many to search among, at most 1,200,000.
        queries: how many to search for, at most 3,000.

    Returns:
        float32, (size, 128) and (queries, 128), each of length 1, the same in every call; a
        smaller size gives the beginning of a larger one.

    Raises:
        HelpfulError: the photos have fewer.
        AssetError: the photos could not be fetched.
    """
    photos = [*load_photos(), *unseen_birds(779)]
    photos += list_files(fetch("object_photos")) + list_files(fetch("city_photos"))
    random.Random(0).shuffle(photos)
    base = sift_descriptors([path for i, path in enumerate(photos) if i % 20], size)
    spread = sift_descriptors(photos[::20], 20 * queries)  # of many photos, a few of each
    return base, spread[::20]


def sift_descriptors(photos: Iterable[Path | str], count: int) -> np.ndarray:
    """The first ``count`` SIFT descriptors of photos, photo by photo (Lowe 2004, by OpenCV).

    A descriptor says how bright and dark meet around one corner or blob: histograms of gradient
    directions in 4 x 4 squares, 8 directions each. Here it is scaled to length 1, so that inner
    product, cosine and L2 put neighbours in the same order.

    Args:
        photos: paths of pictures; what OpenCV cannot read is passed over.
        count: how many descriptors.

    Returns:
        float32, (count, 128), each of length 1.

    Raises:
        HelpfulError: the photos together have fewer.
    """
    sift, parts, got = cv2.SIFT_create(), [], 0
    with progress_bar(count, "Describing photos", "descriptor") as bar:
        for path in photos:
            if got == count:
                break
            photo = _grey(path)
            _, found = sift.detectAndCompute(photo, None) if photo is not None else (None, None)
            if found is None:  # not a picture, or one without any corner
                continue
            parts.append(found[: count - got])
            got += len(parts[-1])
            bar.update(len(parts[-1]))
    if got < count:
        raise HelpfulError(
            f"These photos have {got:,} SIFT descriptors, not {count:,}: ask for fewer, or give "
            "more photos."
        )
    vectors = np.concatenate(parts)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _grey(path: Path | str) -> np.ndarray | None:
    """A picture as OpenCV reads it; given bytes, because it takes not every name of a file."""
    try:
        with open_file(path) as file:
            return cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_GRAYSCALE)
    except (BadItem, cv2.error):  # the second for a file of no bytes
        return None
