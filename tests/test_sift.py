"""SIFT descriptors of photos: how many, how long, and from which photos."""

import numpy as np
import pytest
from PIL import Image

from helpers.errors import HelpfulError
from helpers.sift import DIM, sift_descriptors


@pytest.fixture
def photos(tmp_path):
    """Two pictures full of corners, an empty one, and a file that is no picture."""
    drawn = np.random.default_rng(0)
    for name in ("one", "two"):
        blocks = drawn.integers(0, 256, (16, 16), np.uint8).repeat(12, 0).repeat(12, 1)
        Image.fromarray(blocks).save(tmp_path / f"{name}.png")
    Image.new("L", (64, 64)).save(tmp_path / "empty.png")
    (tmp_path / "text.png").write_text("no picture")
    return [tmp_path / f"{name}.png" for name in ("empty", "text", "one", "two")]


def test_descriptors_are_unit_vectors_photo_by_photo(photos):
    one = sift_descriptors(photos[2:3], 100)
    assert one.shape == (100, DIM) and one.dtype == np.float32
    assert np.allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5)
    assert np.array_equal(sift_descriptors(photos, 100), one), "bad files change nothing"


def test_more_photos_give_more(photos):
    with pytest.raises(HelpfulError, match=r"have \d[\d,]* SIFT descriptors, not 1,000,000"):
        sift_descriptors(photos, 1_000_000)
    with pytest.raises(HelpfulError, match="have 0 SIFT descriptors"):
        sift_descriptors(photos[:2], 1)
    both = sift_descriptors(photos, 300)
    assert len(both) == 300 and len(np.unique(both, axis=0)) > 250
