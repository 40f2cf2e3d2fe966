"""SIFT descriptors of photos: how many, how long, and from which photos."""

import os

import numpy as np
import pytest
from PIL import Image

from helpers.encoders import sift
from helpers.encoders.sift import DIM, sift_descriptors
from helpers.errors import HelpfulError


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


def test_any_name_and_no_file(photos, tmp_path):
    odd = tmp_path / "caf\udce9.png"
    photos[2].rename(odd)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").touch()
    nothing = [tmp_path / name for name in ("pipe.png", "zero.png", "gone.png")]
    assert len(sift_descriptors([*nothing, odd], 100)) == 100


def test_more_photos_give_more(photos):
    with pytest.raises(HelpfulError, match=r"have \d[\d,]* SIFT descriptors, not 1,000,000"):
        sift_descriptors(photos, 1_000_000)
    with pytest.raises(HelpfulError, match="have 0 SIFT descriptors"):
        sift_descriptors(photos[:2], 1)
    both = sift_descriptors(photos, 300)
    assert len(both) == 300 and len(np.unique(both, axis=0)) > 250


def test_queries_come_from_other_photos_and_less_is_the_beginning_of_more(tmp_path, monkeypatch):
    drawn = np.random.default_rng(1)
    for number in range(40):
        blocks = drawn.integers(0, 256, (8, 8), np.uint8).repeat(12, 0).repeat(12, 1)
        Image.fromarray(blocks).save(tmp_path / f"{number:02}.png")
    monkeypatch.setattr(sift, "load_photos", lambda: dict.fromkeys(sorted(tmp_path.glob("*")), ""))
    monkeypatch.setattr(sift, "unseen_birds", lambda count: [])
    monkeypatch.setattr(sift, "fetch", lambda name: tmp_path / name)
    monkeypatch.setattr(sift, "list_files", lambda folder: [])
    base, queries = sift.load_sift(600, queries=3)
    assert base.shape == (600, DIM) and queries.shape == (3, DIM)
    assert (queries @ base.T).max() < 0.999, "no query is in the base"
    less, same = sift.load_sift(200, queries=3)
    assert np.array_equal(less, base[:200]) and np.array_equal(same, queries)
