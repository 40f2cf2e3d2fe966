"""Film strips: drawn, marked, shown, and their pictures packed into text."""

import numpy as np
import pytest
from PIL import Image

from helpers.errors import BadItem
from helpers.scenarios.video.filmstrip import (
    Shot,
    Strip,
    draw_film_strip,
    pack_picture,
    show_film_strips,
    unpack_picture,
)
from helpers.show import COLOURS, RIGHT, WRONG

PHOTO = Image.new("RGB", (320, 180), "#123456")
MARK = COLOURS[1]


def count(picture, colour):
    """The pixels of a colour, given as ``#rrggbb``."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(np.asarray(picture.convert("RGB")).astype(int) - wanted).max(2) < 4).sum())


def test_a_strip_is_as_wide_as_its_pictures_and_marks_the_hit():
    one = draw_film_strip([Shot(PHOTO, 1.0)])
    three = draw_film_strip([Shot(PHOTO, 1.0), Shot(PHOTO, 2.0, hit=True), Shot(PHOTO, 3.0)])
    assert one.height == three.height == 124
    assert 2.8 < three.width / one.width < 3
    assert count(one, MARK) == 0 and count(three, MARK) > 500
    marked = np.argwhere((np.asarray(three) == [0xE6, 0x9F, 0x00]).all(axis=2))[:, 1]
    assert three.width / 3 - 12 < marked.min() < marked.max() < 2 * three.width / 3 + 12
    assert count(three, "#123456") > 20_000, "the pictures themselves are there"


def test_each_time_stands_below_its_picture():
    early, late = (draw_film_strip([Shot(PHOTO, seconds)]) for seconds in (0.0, 4_000.0))
    below = [np.asarray(strip.crop((0, 104, strip.width, 124))) for strip in (early, late)]
    assert (below[0] != below[1]).any() and all((text < 100).any() for text in below)


@pytest.mark.parametrize("size", [(4000, 40), (40, 4000), (1, 1)])
def test_pictures_of_any_shape_fit(size):
    strip = draw_film_strip([Shot(Image.new("RGB", size, "#123456"), 0.0)])
    assert 60 < strip.width < 160 and count(strip, "#123456") > 3_000


def test_what_cannot_be_read_is_grey():
    strip = draw_film_strip([Shot(b"not a picture", 0.0)])
    assert count(strip, "#d3d3d3") > 3_000


def test_a_strip_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one shot"):
        draw_film_strip([])
    with pytest.raises(ValueError, match="at least one shot"):
        show_film_strips([Strip([])])
    with pytest.raises(ValueError, match="no film strip"):
        show_film_strips([])


def test_results_are_marked_right_and_wrong(shown):
    shots = [Shot(PHOTO, 1.0, hit=True)]
    show_film_strips([Strip(shots, "title", right=True)])
    show_film_strips([Strip(shots, "title", right=False)])
    show_film_strips([Strip(shots, "title")])
    right, wrong, neither = shown
    assert count(right, RIGHT) > 50 and count(right, WRONG) == 0
    assert count(wrong, WRONG) > 50 and count(wrong, RIGHT) == 0
    assert count(neither, RIGHT) == count(neither, WRONG) == 0


def test_the_query_stands_at_the_left_and_strips_line_up(shown):
    query = Image.new("RGB", (100, 300), "#cc00cc")
    shots = [Shot(PHOTO, 1.0)]
    show_film_strips([Strip(shots, "first", query, "cropped"), Strip(shots, "second")])
    (picture,) = shown
    left = picture.crop((0, 0, 160, picture.height))
    assert count(left, "#cc00cc") == count(picture, "#cc00cc") > 2_000
    assert count(left, "#123456") == 0


def test_without_a_query_no_room_is_left_for_one(shown):
    show_film_strips([Strip([Shot(PHOTO, 1.0)])])
    assert shown[0].width < 200


def test_long_strips_and_titles_in_any_script_fit_a_page(shown):
    title = "\u05e9\u05dc\u05d5\u05dd \N{CLAPPER BOARD} " + "x" * 300
    show_film_strips([Strip([Shot(PHOTO, float(i)) for i in range(40)], title)])
    assert shown[0].width <= 1600


def test_a_packed_picture_comes_back_smaller_and_alike():
    gradient = Image.fromarray(
        np.arange(256, dtype=np.uint8)[None, :, None].repeat(128, 0).repeat(3, 2)
    )
    packed = pack_picture(gradient, side=64)
    assert isinstance(packed, str) and len(packed) < 3_000
    back = unpack_picture(packed)
    assert back.size == (64, 32)
    assert np.abs(np.asarray(back).astype(int) - np.asarray(gradient.resize((64, 32)))).mean() < 6


def test_small_pictures_are_not_enlarged():
    assert unpack_picture(pack_picture(Image.new("RGB", (20, 10)))).size == (20, 10)


@pytest.mark.parametrize("text", ["", "not base64 \N{CLAPPER BOARD}", "bm90IGEgcGljdHVyZQ=="])
def test_what_is_no_packed_picture_is_refused(text):
    with pytest.raises(BadItem):
        unpack_picture(text)
