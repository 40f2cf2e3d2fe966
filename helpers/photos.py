"""Data sets put together from assets, ready for a notebook to loop over."""

from pathlib import Path

from helpers.assets import fetch
from helpers.errors import HelpfulError
from helpers.inputs.files import IMAGE_SUFFIXES, by_folder, list_files
from helpers.inputs.pictures import looks_like_a_picture

_BIRDS = 140  # of 919, so that no class outnumbers the others


def load_photos(source: Path | str = "photos") -> dict[Path, str]:
    """Photos and the class each belongs to.

    Args:
        source: ``"photos"`` for 720 photos in six classes (cat, dog, pizza, steak, sushi, bird),
            ``"pascal_voc"`` for the extract of PASCAL VOC 2012 that the classic image search
            tutorial uses, or the path of your own folder, zip or tar of pictures.

    Returns:
        Path -> class, in a fixed order. In ``"photos"`` every picture is there once. The class of a
        PASCAL VOC photo is that of the largest object marked in it, the class of an own picture
        the name of its folder. Own files that are no pictures are left out, counted and named.

    Raises:
        HelpfulError: there is nothing at that path, or no picture in it.
        AssetError: the data set could not be fetched.
    """
    if source == "photos":
        return _six_classes()
    if source == "pascal_voc":
        return pascal_voc(fetch("pascal_voc"))
    return by_folder(source, IMAGE_SUFFIXES, looks_like_a_picture, "picture")


def unseen_birds(count: int) -> list[Path]:
    """Photos of birds that are not among the 720, at most 779."""
    return list_files(fetch("birds"))[_BIRDS : _BIRDS + count]


def pascal_voc(folder: Path) -> dict[Path, str]:
    """The photos of a PASCAL VOC folder, each with the class of its largest marked object.

    Args:
        folder: the unpacked archive; ``JPEGImages`` and ``Annotations`` lie somewhere in it.

    Raises:
        HelpfulError: there is no photo in a folder ``JPEGImages``.
    """
    photos = [path for path in list_files(folder) if path.parent.name == "JPEGImages"]
    if not photos:
        raise HelpfulError(f"{folder} holds no folder JPEGImages with photos; is it PASCAL VOC?")
    return {path: _largest_object(path) for path in photos}


def _largest_object(photo: Path) -> str:
    from defusedxml import ElementTree

    marks = photo.parent.parent / "Annotations" / f"{photo.stem}.xml"
    if not marks.exists():
        return "unmarked"

    def area(thing: ElementTree) -> float:
        low_x, low_y, high_x, high_y = (
            float(thing.findtext(f"bndbox/{corner}", "0"))
            for corner in ("xmin", "ymin", "xmax", "ymax")
        )
        return (high_x - low_x) * (high_y - low_y)

    things = ElementTree.parse(marks).findall("object")
    return max(things, key=area).findtext("name", "unmarked") if things else "unmarked"


def _six_classes() -> dict[Path, str]:
    found = list_files(fetch("dogs_cats")) + list_files(fetch("pizza_steak_sushi"))
    # The folder "val" holds copies of those in "train".
    photos = [path for path in found if path.parent.parent.name != "val"]
    photos.sort(key=lambda path: path.parent.name)
    classes = {path: path.parent.name.removesuffix("s") for path in photos}
    return classes | dict.fromkeys(list_files(fetch("birds"))[:_BIRDS], "bird")
