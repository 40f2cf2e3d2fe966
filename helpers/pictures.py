"""Read any picture people have into plain 8-bit RGB; the font to write on pictures with."""

import io
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFont, ImageOps

from helpers.errors import BadItem

# Pillow warns above 89 million pixels and refuses above 179 million. Panoramas are that large; the
# limit that refuses is enough.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def open_image(
    item: Path | str | bytes | Image.Image, at_least: tuple[int, int] | None = None
) -> Image.Image:
    """Read a picture into 8-bit RGB, upright, the first frame of an animation.

    Args:
        item: a path, the bytes of a file, or a Pillow image.
        at_least: the width and height that will be needed; a large JPEG is then read at a fraction
            of its size, which is much quicker.

    Transparent parts become white; greys of more than 8 bits are scaled to 8.

    Raises:
        BadItem: it is empty, not a picture, cut short, or larger than Pillow thinks safe.
    """
    if isinstance(item, bytes) and not item:
        raise BadItem("empty file")
    try:
        if isinstance(item, Image.Image):
            image = item
        else:
            image = Image.open(io.BytesIO(item) if isinstance(item, bytes) else item)
            if at_least:
                image.draft("RGB", at_least)
        image = ImageOps.exif_transpose(image)
        return _to_rgb(image)
    except BadItem:
        raise
    except Image.UnidentifiedImageError:
        raise BadItem("not a picture that Pillow can read") from None
    except Image.DecompressionBombError:
        raise BadItem("more pixels than Pillow thinks safe to open") from None
    except Exception as error:  # Pillow's decoders raise many kinds on damaged files
        raise BadItem(f"damaged picture ({error})") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        image.load()
        return image
    if image.mode.startswith(("I", "F")):  # Pillow would clip these at 255 instead of scaling them
        grey = np.asarray(image, np.float32)
        if not np.isfinite(grey).all():
            raise BadItem("a picture with NaN or infinite values")
        top = next((top for top in (255, 65535) if grey.max() <= top), grey.max())
        top = 65535 if image.mode.startswith("I;16") else top
        return Image.fromarray((grey / top * 255).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


@cache
def plain_font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, ``size`` pixels high; it comes with matplotlib, so on every system."""
    from matplotlib import get_data_path

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(get_data_path(), "fonts/ttf", name), size)
