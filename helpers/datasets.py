"""Data sets put together from assets, ready for a notebook to loop over."""

import hashlib
from pathlib import Path

from helpers.assets import fetch
from helpers.files import list_files

_BIRDS = 140  # of 919, so that no class outnumbers the others


def load_photos(source: Path | str = "photos") -> dict[Path, str]:
    """Photos and the class each belongs to.

    Args:
        source: ``"photos"`` for 720 photos in six classes (cat, dog, pizza, steak, sushi, bird),
            ``"pascal_voc"`` for the extract of PASCAL VOC 2012 that the classic image search
            tutorial uses, or the path of your own folder, zip or tar of pictures.

    Returns:
        Path -> class, in a fixed order. The class of an own picture is the name of its folder.
        Of files with the same bytes only the first is kept in ``"photos"``.

    Raises:
        HelpfulError: there is nothing at that path, or no picture in it.
        AssetError: the data set could not be fetched.
    """
    if source != "photos":
        folder = fetch("pascal_voc") if source == "pascal_voc" else source
        return {path: path.parent.name for path in list_files(folder)}
    pets = list_files(fetch("dogs_cats"))
    dishes = list_files(fetch("pizza_steak_sushi"))
    birds = list_files(fetch("birds"))[:_BIRDS]
    photos = {path: path.parent.name.removesuffix("s") for path in pets}
    photos |= {path: path.parent.name for path in dishes} | dict.fromkeys(birds, "bird")
    classes = list(dict.fromkeys(photos.values()))
    ordered = sorted(photos, key=lambda path: (classes.index(photos[path]), path))
    return {path: photos[path] for path in _without_copies(ordered)}


def _without_copies(paths: list[Path]) -> list[Path]:
    by_content = {}
    for path in paths:
        by_content.setdefault(hashlib.sha256(path.read_bytes()).digest(), path)
    return list(by_content.values())
