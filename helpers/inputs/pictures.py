"""Read any picture people have into plain 8-bit RGB."""

import contextlib
import io
import math
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms

from helpers.errors import BadItem
from helpers.inputs.files import open_file

# Pillow warns of odd entries in files that it reads all the same, and above 89 million pixels; it
# refuses above 179 million. Panoramas are that large, so the limit that refuses is enough.
warnings.filterwarnings("ignore", module=r"PIL\.")
_LARGE = 30_000_000  # pixels; larger pictures are decoded one at a time and shrunk, for the memory
_one_at_a_time = threading.Lock()
# What EXIF's orientations 2 to 8 ask for.
_TURNS = dict(enumerate([0, 3, 1, 5, 4, 6, 2], start=2))


def open_image(
    item: Path | str | bytes | Image.Image, at_least: tuple[int, int] | None = None
) -> Image.Image:
    """Read a picture into 8-bit RGB, upright, the first frame or page where there are more.

    Args:
        item: a path, the bytes of a file, or a Pillow image.
        at_least: the width and height that will be needed; a large JPEG is then read at a fraction
            of its size, which is much quicker.

    Transparent parts become white. Values of more than 8 bits are scaled to 8: floats up to 1 from
    1, whole numbers of 16 bits from 65,535. A picture of more than 30 million pixels is shrunk
    until it has fewer.

    Raises:
        BadItem: it is not there, empty, not a picture, cut short, or larger than Pillow thinks
            safe.
    """
    with _explained():
        if isinstance(item, Image.Image):
            return _upright_rgb(item)
        with _opened(item) as image:
            width, height = image.size
            shrink = math.ceil(math.sqrt(width * height / _LARGE))
            if at_least or shrink > 1:
                image.draft("RGB", at_least or (width // shrink, height // shrink))
            with _one_at_a_time if shrink > 1 else contextlib.nullcontext():
                plain = _upright_rgb(image)
                image.close()  # frees its pixels before the next one is decoded
                return plain


def looks_like_a_picture(path: Path) -> bool:
    """Whether Pillow knows the kind of a file, as its head tells; nothing is decoded."""
    try:
        with _explained(), _opened(path):
            return True
    except BadItem:
        return False


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except BadItem:
        raise
    except Image.UnidentifiedImageError:
        raise BadItem("not a picture that Pillow can read") from None
    except Image.DecompressionBombError:
        raise BadItem("more pixels than Pillow thinks safe to open") from None
    except Exception as error:  # Pillow's decoders raise many kinds on damaged files
        raise BadItem(f"damaged picture ({str(error) or type(error).__name__})") from error


@contextlib.contextmanager
def _opened(item: Path | str | bytes) -> Iterator[Image.Image]:
    with io.BytesIO(item) if isinstance(item, bytes) else open_file(item) as file:
        if not file.read(1):
            raise BadItem("empty file")
        file.seek(0)
        with Image.open(file) as image:
            yield image


def _upright_rgb(image: Image.Image) -> Image.Image:
    image.load()
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # of odd EXIF data, which are no reason to refuse the pixels
        turn = None
    plain = _shrunk_rgb(image)
    return plain if turn is None else plain.transpose(turn)


def _shrunk_rgb(image: Image.Image) -> Image.Image:
    """The picture in RGB; a large one band by band, so that no second one of its size is made."""
    width, height = image.size
    shrink, to_rgb = math.ceil(math.sqrt(width * height / _LARGE)), _converter(image)
    if shrink <= 1:
        return to_rgb(image)
    plain = Image.new("RGB", (-(-width // shrink), -(-height // shrink)))
    for top in range(0, height, 64 * shrink):
        band = image.crop((0, top, width, min(top + 64 * shrink, height)))
        plain.paste(to_rgb(band).reduce(shrink), (0, top // shrink))
    return plain


def _converter(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """How a picture of this one's kind, or a part of this one, becomes RGB."""
    if image.mode.startswith("I;16"):
        return lambda part: _grey_to_rgb(part, 0, 65535)
    if image.mode in ("I", "F"):  # Pillow would clip these at 255 instead of scaling them
        low, high = image.getextrema()
        tops = (1, 255, 65535) if image.mode == "F" else (255, 65535)
        high = next((top for top in tops if low >= 0 and high <= top), high)
        return lambda part: _grey_to_rgb(part, min(0, low), high)
    if image.mode == "LAB":
        to_srgb = ImageCms.buildTransform(
            ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
        )
        return lambda part: ImageCms.applyTransform(part, to_srgb)
    if image.has_transparency_data:
        return _on_white
    return lambda part: part.convert("RGB")


def _grey_to_rgb(image: Image.Image, low: float, high: float) -> Image.Image:
    grey = np.asarray(image, np.float32)
    if not np.isfinite(grey).all():
        raise BadItem("a picture with NaN or infinite values")
    scaled = (grey - low) / max(high - low, 1e-30) * 255
    return Image.fromarray(scaled.round().clip(0, 255).astype(np.uint8)).convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")
