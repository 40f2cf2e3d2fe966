"""Film strips: drawn, marked, shown, and their pictures packed into text."""

import base64

import numpy as np
import pytest
from PIL import Image

from helpers.errors import BadItem
from helpers.scenarios.video import filmstrip
from helpers.scenarios.video.filmstrip import (
    Shot,
    Strip,
    pack_picture,
    show_film_strips,
    unpack_picture,
)
from helpers.show import COLOURS, RIGHT, WRONG

PHOTO = Image.new("RGB", (320, 180), "#123456")
MARK = COLOURS[1]


@pytest.fixture
def shown(monkeypatch):
    """The strips before they became JPEGs."""
    strips = []
    monkeypatch.setattr(filmstrip, "show_photo", strips.append)
    return strips


def of_colour(picture, colour):
    """Which pixels have a colour, given as ``#rrggbb``: (height, width)."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return np.abs(np.asarray(picture.convert("RGB")).astype(int) - wanted).max(2) < 4


def count(picture, colour):
    return int(of_colour(picture, colour).sum())


def test_a_strip_is_as_wide_as_its_pictures_and_marks_the_hit(shown):
    show_film_strips([Strip([Shot(PHOTO, 1.0)])])
    show_film_strips([Strip([Shot(PHOTO, 1.0), Shot(PHOTO, 2.0, hit=True), Shot(PHOTO, 3.0)])])
    one, three = shown
    assert one.height == three.height < 150
    assert three.width / one.width == 3
    assert count(one, MARK) == 0 and count(three, MARK) > 500
    columns = np.flatnonzero(of_colour(three, MARK).any(axis=0))
    assert columns.min() == three.width / 3 and columns.max() == 2 * three.width / 3 - 1
    assert count(three, "#123456") > 20_000, "the pictures themselves are there"


def test_each_time_stands_below_its_picture(shown):
    for seconds in (0.0, 4_000.0):
        show_film_strips([Strip([Shot(PHOTO, seconds)])])
    lowest = np.flatnonzero(of_colour(shown[0], "#123456").any(axis=1)).max()
    below = [np.asarray(strip.convert("L"))[lowest + 8 :] for strip in shown]
    assert (below[0] != below[1]).any() and all((text < 100).any() for text in below)


def test_the_time_of_a_hit_is_marked_not_by_colour_only(shown):
    for hit in (True, False):
        show_film_strips([Strip([Shot(PHOTO, 1.0, hit)])])
    marked, plain = (np.asarray(strip.convert("L"))[110:] < 100 for strip in shown)
    assert marked.sum() > 1.5 * plain.sum() > 0


@pytest.mark.parametrize("size", [(4000, 40), (40, 4000), (1, 1)])
def test_pictures_of_any_shape_fit_and_keep_it(size, shown):
    show_film_strips([Strip([Shot(Image.new("RGB", size, "#123456"), 0.0)])])
    rows, columns = np.nonzero(of_colour(shown[0], "#123456"))
    assert 0 <= np.ptp(columns) < 140 and 0 <= np.ptp(rows) < 79
    assert (np.ptp(columns) > np.ptp(rows)) == (size[0] > size[1])


def test_a_strip_of_nothing_is_refused():
    for strips in ([], [Strip([])], [Strip([Shot(PHOTO, 1.0)]), Strip([])]):
        with pytest.raises(ValueError, match="a film strip to show, and in each at least one shot"):
            show_film_strips(strips)


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
    upper, lower = np.split(of_colour(picture, "#123456"), 2)
    assert (upper == lower).all() and upper.any()
    caption = np.asarray(left.convert("L"))[105 : left.height // 2]
    assert (caption < 100).sum() > 50


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
    packed = pack_picture(gradient)
    assert isinstance(packed, str) and len(packed) < 3_000 and gradient.size == (256, 128)
    back = unpack_picture(packed)
    assert back.size == (192, 96)
    assert np.abs(np.asarray(back).astype(int) - np.asarray(gradient.resize((192, 96)))).mean() < 6


def test_small_pictures_are_not_enlarged():
    assert unpack_picture(pack_picture(Image.new("RGB", (20, 10)))).size == (20, 10)


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_what_is_no_packed_picture_is_refused(content):
    with pytest.raises(BadItem):
        unpack_picture(base64.b64encode(content).decode())
