"""Pictures of every kind that people have, whole and broken."""

import io
from pathlib import Path

from PIL import Image

from helpers.pictures import open_image
from tests.hostile.form import Case, LeftOut, Read, each


def _photo(colour: str):
    def make(folder: Path) -> Path:
        Image.new("RGB", (40, 30), colour).save(folder / f"{colour}.png")
        return folder / f"{colour}.png"

    return make


def _file(name: str, content: bytes):
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def _bytes(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def middle(path: Path) -> tuple[int, int, int]:
    image = open_image(path)
    return image.getpixel((image.width // 2, image.height // 2))


GOOD = [_photo("red"), _photo("blue")]
READERS = {"open_image": each(middle)}
CASES = [
    Case("empty", _file("empty.jpg", b""), LeftOut("")),
    Case("text", _file("text.jpg", b"no picture"), LeftOut("not a picture")),
    Case(
        "grey",
        _file("grey.png", _bytes(Image.new("L", (9, 9), 128))),
        Read(lambda value: value == (128, 128, 128)),
    ),
]
