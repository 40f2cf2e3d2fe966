"""Drawing screenshots from a film, and every change that is made to them."""

import random
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from helpers.errors import BadItem
from helpers.scenarios.video.clips import load_clips
from helpers.scenarios.video.frames import read_frames
from helpers.scenarios.video.screenshots import CHANGES, cropped, draw_screenshots
from tests.scenarios.video.test_frames import make_video


@pytest.fixture(scope="module")
def photo():
    return Image.fromarray(next(read_frames(load_clips()["city street"])).image)


def grey(picture, size=(64, 36)):
    return np.asarray(picture.convert("L").resize(size)).astype(float)


def test_screenshots_are_in_order_and_never_of_the_frames_left_out(tmp_path):
    path = make_video(tmp_path / "a.mp4", range(0, 200, 10))
    without = [0.0, 0.5, 1.0]
    shots = draw_screenshots(path, random.Random(0), count=10, without=without)
    times = [seconds for seconds, _ in shots]
    assert len(times) == 10 and times == sorted(times) and not set(times) & set(without)
    for seconds, picture in shots:
        assert abs(np.asarray(picture).mean() - 100 * seconds) < 8, "each with its own picture"


def test_every_frame_has_the_same_chance(tmp_path):
    path, rng = make_video(tmp_path / "a.mp4", [90] * 10), random.Random(0)
    times = Counter(s for _ in range(300) for s, _ in draw_screenshots(path, rng, count=3))
    assert len(times) == 10 and 60 < min(times.values()) < max(times.values()) < 120


def test_a_short_video_gives_what_it_has(tmp_path):
    path = make_video(tmp_path / "a.mp4", [90] * 3)
    assert len(draw_screenshots(path, random.Random(0), count=8)) == 3
    shots = draw_screenshots(path, random.Random(0), without=[0.0, 0.1, 0.2])
    assert [seconds for seconds, _ in shots] == [0.0, 0.1, 0.2], "there are no others"


def test_the_same_seed_draws_the_same(tmp_path):
    path = make_video(tmp_path / "a.mp4", range(0, 200, 10))
    one, same, other = (
        [seconds for seconds, _ in draw_screenshots(path, random.Random(seed), count=5)]
        for seed in (1, 1, 2)
    )
    assert one == same != other


def test_large_frames_are_reduced(photo):
    ((_, picture),) = draw_screenshots(load_clips()["city street"], random.Random(0), count=1)
    assert max(picture.size) == 512 < max(photo.size)


def test_no_video_is_refused(tmp_path):
    with pytest.raises(BadItem, match="No such file"):
        draw_screenshots(tmp_path / "missing.mp4", random.Random(0))


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_gives_an_rgb_picture_and_leaves_the_original(change, photo):
    before = np.asarray(photo).copy()
    result = CHANGES[change](photo, random.Random(0))
    assert result.mode == "RGB" and (np.asarray(photo) == before).all()
    changed = np.abs(grey(result) - grey(photo)).mean()
    assert changed == 0 if change == "unchanged" else changed > 1


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("size", [(1, 1), (3, 500), (512, 4)])
def test_no_size_of_picture_is_too_small_or_too_long(change, size):
    result = CHANGES[change](Image.new("RGB", size, "red"), random.Random(0))
    assert min(result.size) >= 1


def test_a_crop_is_a_part_from_anywhere(photo):
    rng = random.Random(0)
    parts = [cropped(photo, rng) for _ in range(5)]
    assert {part.size for part in parts} == {(int(photo.width * 0.6), int(photo.height * 0.6))}
    assert len({part.tobytes() for part in parts}) == 5
    assert cropped(photo, rng, share=0.1).width == photo.width // 10


def test_each_change_does_what_its_name_says(photo):
    made = {name: change(photo, random.Random(0)) for name, change in CHANGES.items()}
    before = grey(photo)
    assert (grey(made["mirrored"])[:, ::-1] - before).mean() == pytest.approx(0, abs=1)
    assert grey(made["brighter"]).mean() > before.mean() + 20
    sharp = np.abs(np.diff(np.asarray(photo.convert("L")).astype(int), axis=1)).mean()
    assert (
        np.abs(np.diff(np.asarray(made["blurred"].convert("L")).astype(int), axis=1)).mean()
        < sharp / 2
    )
    colours = [len(made[name].getcolors(10**7)) for name in ("unchanged", "compressed")]
    assert made["compressed"].size == photo.size and colours[1] < colours[0]
    bar = np.asarray(made["captioned"])[: photo.height // 4]
    assert made["captioned"].height == photo.height + photo.height // 4
    assert (bar == 255).mean() > 0.8 and (bar < 50).any(), "white, with writing on it"


def test_a_photo_of_a_screen_shows_the_wall_and_comes_from_both_sides(photo):
    rng, taller = random.Random(0), set()
    for _ in range(12):
        result = np.asarray(CHANGES["photographed"](photo, rng)).astype(int)
        wall = (np.abs(result[5, [5, -5]] - [120, 105, 95]) < 20).all()
        assert wall, "the corners show the wall"
        dark = [(result[:, x].max(axis=1) < 30).sum() for x in range(result.shape[1])]
        columns = np.flatnonzero(np.array(dark) > 50)  # the upright edges of the screen
        taller.add(dark[columns[0]] > dark[columns[-1]])
    assert taller == {True, False}
