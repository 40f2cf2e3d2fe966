"""Pictures of every kind that people have, whole and broken, and their files' names."""

import contextlib
import io
import os
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.encoders import load_encoder
from helpers.encoders.base import PictureEncoder
from helpers.errors import HelpfulError
from helpers.ingest import encode_batches
from helpers.inputs.pictures import open_image
from helpers.photos import load_photos
from helpers.show import thumbnail
from tests.hostile.form import Case, LeftOut, Read, each


def named(name: str, content: bytes | Callable[[], bytes]):
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content())
        return path

    return make


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def plain(colour="red", size=(40, 30), mode="RGB") -> Image.Image:
    return Image.new(mode, size, colour)


class Corners(PictureEncoder):
    """A small encoder: the mean colour of a picture's left and of its right half."""

    name, dim, batch_size = "corners", 6, 2

    def prepare(self, item):
        image = np.asarray(open_image(item), np.float32)
        middle = max(1, image.shape[1] // 2)
        sides = image[:, :middle], image[:, -middle:]
        return np.concatenate([side.mean((0, 1)) for side in sides])

    def embed(self, prepared):
        return np.stack(prepared) + 1


def halves(path: Path) -> list[int]:
    """The mean colours of the two halves, to the nearest 10: six numbers."""
    return (Corners().prepare(path) / 10).round().astype(int).tolist()


def ingested(encoder: PictureEncoder) -> Callable[[Sequence[Path], Path], list]:
    def read(items: Sequence[Path], folder: Path) -> list:
        batches = encode_batches(items, encoder, "photo")
        vectors = {path: v for _, paths, vs in batches for path, v in zip(paths, vs, strict=True)}
        reasons = dict(batches.skipped)
        assert len(batches.report().splitlines()) <= 2 + len(batches.skipped)
        return [vectors[p] if p in vectors else LeftOut(reasons[p]) for p in items]

    return read


def loaded(items: Sequence[Path], folder: Path) -> list:
    """As the cells of 01 and 11 get them: ``load_photos`` of a folder, then the small pictures."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            photos = load_photos(folder)
        except HelpfulError as error:
            if len(items) > 1:
                raise
            return [LeftOut(f"{said.getvalue().strip()} {error}".replace("\n", " "))]
    lines = said.getvalue().splitlines()
    tiles = {path: np.asarray(thumbnail(path, 8)).mean() for path in photos}
    return [tiles[p] if p in photos else LeftOut(" ".join(lines)) for p in items]


@cache
def resnet() -> PictureEncoder:
    return load_encoder("resnet18")


def with_network(items: Sequence[Path], folder: Path) -> list:
    return ingested(resnet())(items, folder)


GOOD = [
    named("good red.png", encoded(plain("red"))),
    named("good blue.png", encoded(plain("blue"))),
]
READERS = {
    "open_image": each(halves),
    "ingest": ingested(Corners()),
    "resnet18": with_network,
    "load_photos": loaded,
}
ENCODED = ("open_image", "ingest")  # these decode it; load_photos looks at its head


def seen(name: str, content: bytes | Callable[[], bytes], *expected: int) -> Case:
    """A picture that is read as these colours: three numbers in tens for both halves, or six."""
    numbers = np.array(list(expected) * (6 // len(expected)))
    right = Read(lambda got: np.abs(np.array(got) - numbers).max() <= 1)
    return Case(name, named("x.tif", content), right, readers=("open_image",))


def shades(name: str, image: Image.Image, kind: str = "TIFF", right: int = 26, **options) -> Case:
    """A picture that is dark on the left and light on the right."""
    return seen(name, encoded(image, kind, **options), 0, 0, 0, right, right, right)


def broken(name: str, content: bytes, words: str) -> Case:
    """A picture whose head is whole: what is wrong shows when it is decoded."""
    return Case(name, named("x.jpg", content), LeftOut(words), readers=ENCODED)


def no_picture(name: str, content: bytes) -> Case:
    return Case(name, named("x.jpg", content), LeftOut("picture"))


def ramp(kind: str, low: float, high: float) -> Image.Image:
    """Dark on the left, light on the right."""
    values = np.where(np.arange(40) < 20, low, high)
    return Image.fromarray(np.tile(values, (30, 1)).astype(kind))


def two_halves(mode: str = "RGB") -> Image.Image:
    """Red above, blue below: on its side, red on the right and blue on the left."""
    image = plain("red", (30, 40))
    image.paste("blue", (0, 20, 30, 40))
    return image.convert(mode)


def odd_exif() -> bytes:
    """Orientation 6 between an entry that points nowhere and one of a wrong type."""
    entries = [(0x0112, 3, 1, 6), (0x9003, 2, 4000, 9999), (0x8769, 4, 1, 77777)]
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + bytes(4)


def upright(orientation: int = 6) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8))


def flipped(content: bytes, *places: int) -> bytes:
    data = bytearray(content)
    for place in places:
        data[place] ^= 0xFF
    return bytes(data)


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its pixels do not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">L", zlib.crc32(kind + data))
        return struct.pack(">L", len(data)) + kind + data + crc

    head = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b""))


def large_png() -> bytes:
    return encoded(plain((200, 30, 30, 128), (7_000, 6_000), "RGBA"))


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.jpg")
    return folder / "pipe.jpg"


def link(target: str):
    def make(folder: Path) -> Path:
        (folder / "link.jpg").symlink_to(target)
        return folder / "link.jpg"

    return make


def a_folder(folder: Path) -> Path:
    (folder / "folder.jpg").mkdir()
    return folder / "folder.jpg"


def bytes_named(name: bytes, content: bytes = encoded(plain("green"))):
    """A file whose name is these bytes."""

    def make(folder: Path) -> Path:
        path = Path(os.fsdecode(os.path.join(os.fsencode(folder), name)))
        path.write_bytes(content)
        return path

    return make


FRAMES = [plain("red"), plain("blue")]
CLEAR = Image.merge("LA", [plain(0, mode="L"), plain(0, mode="L")])
INDEXED = plain("red").quantize(4)
RED, WHITE = (26, 0, 0), (26, 26, 26)
TWO = {"save_all": True, "append_images": FRAMES[1:]}

NO_PICTURES = [
    Case("empty", named("x.jpg", b""), LeftOut("empty file"), readers=ENCODED),
    Case("empty in a folder", named("x.jpg", b""), LeftOut("picture"), readers=("load_photos",)),
    no_picture("text", b"Dear diary"),
    no_picture("a page of HTML", b"<!doctype html><html>404</html>"),
    no_picture("SVG", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
    no_picture("HEIC", b"\0\0\0\x18ftypheic" + bytes(99)),
    no_picture("zeros", bytes(10_000)),
    no_picture("a head and nothing", b"\xff\xd8\xff\xe0"),
    no_picture("a zip", b"PK\3\4" + bytes(99)),
    Case("a named pipe", fifo, LeftOut("a pipe")),
    Case("a device", link("/dev/zero"), LeftOut("a device")),
    Case("a link to nothing", link("/nowhere/at/all"), LeftOut("o")),
    Case("a link to itself", link("link.jpg"), LeftOut("link")),
    Case("a folder", a_folder, LeftOut("a folder"), readers=ENCODED),
]
BROKEN = [
    broken("a JPEG cut in half", cut(encoded(noise(), "JPEG"), 0.5), "truncated"),
    broken("a JPEG without its last bytes", encoded(plain(), "JPEG")[:-2], "truncated"),
    broken("a PNG cut in half", cut(encoded(noise()), 0.5), "truncated"),
    broken("a GIF cut in half", cut(encoded(noise(), "GIF"), 0.5), "truncated"),
    no_picture("a WebP cut in half", cut(encoded(noise(), "WEBP"), 0.5)),
    broken("a TIFF cut in half", cut(encoded(noise(), "TIFF"), 0.5), "damaged"),
    broken("a PNG with a flipped byte", flipped(encoded(noise()), 60, 61), "damaged"),
    no_picture("a TIFF of flipped tags", flipped(encoded(noise(), "TIFF"), *range(10, 40))),
    broken("a PNG without pixels", png_of(30, 30), "damaged"),
    broken("2 billion pixels", png_of(50_000, 50_000), "more pixels"),
    broken("floats with NaN", encoded(ramp("f4", 0, np.nan), "TIFF"), "NaN"),
    broken("floats with infinity", encoded(ramp("f4", 0, np.inf), "TIFF"), "infinite"),
]
PIXELS = [
    shades("floats of 0 to 1", ramp("f4", 0, 1)),
    shades("floats of -1 to 1", ramp("f4", -1, 1)),
    shades("floats of 0 to 255", ramp("f4", 0, 255)),
    shades("floats of 0 to 9 million", ramp("f4", 0, 9e6)),
    shades("16 bits", ramp("u2", 0, 65535), "PNG"),
    shades("16 bits, half as bright", ramp("u2", 0, 32768), "PNG", right=13),
    shades("16 bits, big-endian", ramp(">u2", 0, 65535)),
    shades("32 bits", ramp("i4", 0, 2_000_000_000)),
    shades("32 bits below zero", ramp("i4", -500, 500)),
    shades("1 bit", ramp("?", 0, 1), "PNG"),
    shades("1 bit of a fax", ramp("?", 0, 1), compression="group4"),
    seen("grey and clear", encoded(CLEAR), *WHITE),
    seen("clear", encoded(plain((9, 9, 9, 0), mode="RGBA")), *WHITE),
    seen("a palette", encoded(INDEXED), *RED),
    seen("a palette with a clear colour", encoded(INDEXED, "GIF", transparency=0), *WHITE),
    seen("CMYK", encoded(plain((0, 255, 255, 0), mode="CMYK"), "JPEG"), *RED),
    seen("LAB", encoded(plain((128, 128, 128), mode="LAB"), "TIFF"), 12, 12, 12),
    seen("an animated GIF", encoded(FRAMES[0], "GIF", **TWO), *RED),
    seen("an animated WebP", encoded(FRAMES[0], "WEBP", **TWO), *RED),
    seen("an animated PNG", encoded(FRAMES[0], "PNG", **TWO), *RED),
    seen("a TIFF of two pages", encoded(FRAMES[0], "TIFF", **TWO), *RED),
    seen("42 million half clear pixels", large_png, 23, 14, 14),
    Case("one pixel", named("x.png", encoded(plain("red", (1, 1)))), Read()),
    Case("very wide", named("x.png", encoded(plain("red", (20_000, 1)))), Read()),
]
BESIDE = [
    *(
        seen(f"taken sideways, {kind}", encoded(two_halves(), kind, exif=upright()), 0, 0, 26, *RED)
        for kind in ("JPEG", "PNG", "WEBP", "TIFF")
    ),
    *(
        seen(f"odd EXIF, {kind}", encoded(two_halves(), kind, exif=odd_exif()), 0, 0, 26, *RED)
        for kind in ("JPEG", "PNG", "WEBP")
    ),
    seen("an orientation that is none", encoded(plain(), "JPEG", exif=upright(99)), *RED),
    seen("junk behind", encoded(plain(), "JPEG") + b"junk" * 999, *RED),
    seen("another ending", encoded(plain(), "WEBP"), *RED),
]
NAMES = [
    Case("a name that is no UTF-8", bytes_named(b"caf\xe9.png"), Read()),
    Case("a name in GBK", bytes_named("照片.png".encode("gbk")), Read()),
    Case("a name in Chinese", bytes_named("照片.png".encode()), Read()),
    Case("a name in NFD", bytes_named("cafe\u0301.png".encode()), Read()),
    Case("an emoji", bytes_named("👩\u200d🚀.png".encode()), Read()),
    Case("a name with a line end", bytes_named(b"two\nlines.png"), Read()),
    Case("a name that turns around", bytes_named("a\u202egnp.png".encode()), Read()),
    Case("a name of dollars and quotes", bytes_named(b'$5_$10 "it\'s" <b>&.png'), Read()),
    Case("a name of 255 bytes", bytes_named(b"n" * 251 + b".png"), Read()),
    Case("a bad file with a bad name", bytes_named(b"\xff\n\xfe.jpg", b"no photo"), LeftOut("")),
]
CASES = NO_PICTURES + BROKEN + PIXELS + BESIDE + NAMES
