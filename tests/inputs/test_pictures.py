"""Large pictures: decoded one at a time, shrunk, and by JPEG's own means where that can be."""

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from helpers.errors import BadItem
from helpers.inputs import pictures
from helpers.inputs.pictures import open_image


def encoded(image, kind):
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.fixture
def low_limit(monkeypatch):
    """Pictures of more than 10,000 pixels count as large."""
    monkeypatch.setattr(pictures, "_LARGE", 10_000)


@pytest.mark.parametrize(("side", "most"), [(90, 4), (400, 1)])
def test_large_pictures_are_decoded_one_at_a_time(low_limit, monkeypatch, side, most):
    at_once, peak, decode = [], [], pictures._upright_rgb

    def counted(image):
        at_once.append(threading.current_thread())
        time.sleep(0.05)
        peak.append(len(at_once))
        at_once.pop()
        return decode(image)

    monkeypatch.setattr(pictures, "_upright_rgb", counted)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(open_image, [encoded(Image.new("RGB", (side, side)), "PNG")] * 4))
    assert (max(peak) == 1) == (most == 1)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "F"])
def test_a_large_picture_is_a_small_one_of_the_same(low_limit, mode):
    ramp = np.tile(np.linspace(0, 255, 400), (300, 1))
    if mode in ("I;16", "F"):
        image = Image.fromarray((ramp * 257).astype("u2") if mode == "I;16" else ramp.astype("f4"))
    else:
        image = Image.fromarray(ramp.astype(np.uint8)).convert(mode)
    found = open_image(encoded(image, "TIFF"))
    assert found.mode == "RGB" and found.size == (100, 75)
    across = np.asarray(found, float).mean((0, 2))
    assert np.abs(np.sort(across) - np.linspace(0, 255, 100)).max() < (60 if mode == "1" else 6)


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size(low_limit, monkeypatch):
    decoded, draft = [], JpegImagePlugin.JpegImageFile.draft

    def watched(self, mode, size):
        decoded.append((self.size, size))
        return draft(self, mode, size)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "draft", watched)
    assert open_image(encoded(Image.new("RGB", (400, 300)), "JPEG")).size == (100, 75)
    assert decoded == [((400, 300), (100, 75))]


def test_an_error_without_words_is_named(monkeypatch):
    """As when the memory is not enough."""

    def fail(image):
        raise MemoryError

    monkeypatch.setattr(pictures, "_upright_rgb", fail)
    with pytest.raises(BadItem, match=r"damaged picture \(MemoryError\)"):
        open_image(encoded(Image.new("RGB", (9, 9)), "PNG"))
