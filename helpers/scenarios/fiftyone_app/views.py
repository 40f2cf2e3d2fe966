"""Between FiftyOne's samples and this project's vectors and pictures.

FiftyOne itself is imported where it is used: on import it reads its settings, which
``helpers.scenarios.fiftyone_app.setup`` makes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from helpers.encoders.base import Encoder
from helpers.errors import BadItem, HelpfulError
from helpers.ingest import encode_batches
from helpers.inputs.files import print_left_out
from helpers.inputs.pictures import open_image
from helpers.scenarios.video.known_objects import cut_out
from helpers.scenarios.video.screenshots import CHANGES
from helpers.show import Tile

if TYPE_CHECKING:
    import fiftyone
    from fiftyone.core.collections import SampleCollection


class Copy(NamedTuple):
    """A photo that was changed and saved anew.

    Attributes:
        path: of the changed photo.
        original: the place of its original among the photos.
        how: the name of the change.
    """

    path: str
    original: int
    how: str


def storable(photos: Mapping[Path, str]) -> list[tuple[str, str]]:
    """Photos as MongoDB can store them: (path, class); names that are no UTF-8 are left out.

    Args:
        photos: path -> class. Those left out are counted and named.
    """
    odd = [path for path in photos if re.search("[\ud800-\udfff]", f"{path}")]
    print_left_out("MongoDB stores only names in UTF-8", [path.name for path in odd])
    return [(str(path), kind) for path, kind in photos.items() if path not in odd]


def encode_samples(dataset: fiftyone.Dataset, encoder: Encoder) -> np.ndarray:
    """Turn the photo of each sample into a vector; samples whose photo cannot be read are deleted.

    Args:
        dataset: a data set of photos.
        encoder: of photos.

    Returns:
        float32, (samples left, dim), in the order of the data set. A report that names the photos
        left out is printed.

    Raises:
        HelpfulError: no photo can be read.
    """
    from fiftyone import ViewField

    vector_of: dict[str, np.ndarray] = {}
    batches = encode_batches(map(Path, dataset.values("filepath")), encoder, unit="photo")
    for _, paths, vectors in batches:
        vector_of.update(zip(map(str, paths), vectors, strict=True))
    print(batches.report())
    dataset.delete_samples(dataset.match(~ViewField("filepath").is_in(list(vector_of))))
    if not vector_of:
        raise HelpfulError("None of these photos can be read; choose others.")
    return np.stack([vector_of[path] for path in dataset.values("filepath")])


def sample_tiles(view: SampleCollection, caption: str) -> list[Tile]:
    """The photos of a view for ``show_grid``.

    Args:
        view: samples, in the order in which they are to be shown.
        caption: a format of the sample ``s``, as in ``"{s.label.label} {s.similarity:.2f}"``.
    """
    return [Tile(sample.filepath, caption.format(s=sample)) for sample in view]


def patch_tiles(view: SampleCollection, field: str) -> list[Tile]:
    """The objects of a view made by ``dataset.to_patches(field)``, cut out, for ``show_grid``.

    Args:
        view: patches, in the order in which they are to be shown.
        field: the name of their detections, as in ``"objects"``.
    """
    tiles = []
    for patch in view:
        try:
            image = np.asarray(open_image(patch.filepath))
            box = np.array(patch[field].bounding_box) * (image.shape[1::-1] * 2)
            picture = cut_out(image, box)
        except BadItem:  # gone since it was indexed; the grid shows it grey
            picture = patch.filepath
        tiles.append(Tile(picture, patch[field].label))
    return tiles


def save_changed(paths: Sequence[str], folder: Path, every: int = 10) -> list[Copy]:
    """Save changed copies of some photos, each changed in one of the ways of ``CHANGES``, in turn.

    Args:
        paths: photos.
        folder: takes the copies; it is created if it is not there.
        every: 10 for every tenth photo, from the first on.

    Returns:
        The copies, in the order of the photos.

    Raises:
        BadItem: one of these photos cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ways = [how for how in CHANGES if how != "unchanged"]
    copies = []
    for place, original in enumerate(range(0, len(paths), every)):
        how, path = ways[place % len(ways)], folder / f"{place}.png"
        CHANGES[how](open_image(paths[original]), random.Random(place)).save(path)
        copies.append(Copy(str(path), original, how))
    return copies
