"""Frames with marks, animations and timelines."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from helpers.scenarios.video import views
from helpers.scenarios.video.track import Track
from helpers.scenarios.video.views import (
    Mark,
    annotate,
    draw_tracks,
    kind_colours,
    show_animation,
    show_timeline,
)
from helpers.show import COLOURS, NEUTRAL

TIMES = np.arange(0, 10, 0.2)  # seconds
GREY = np.full((90, 160, 3), 100, np.uint8)


def pixels(picture):
    return np.asarray(picture.convert("RGB")).astype(int)


def test_a_frame_is_drawn_around_the_box_in_its_colour():
    picture = pixels(annotate(GREY, [Mark((40, 30, 60, 40), "", "#0072B2")]))
    blue = (picture == (0, 0x72, 0xB2)).all(axis=2)
    assert blue[30, 41:99].all() and blue[31:69, 40].all() and blue[70, 41:99].all()
    assert not blue[34:66, 44:96].any() and (GREY == 100).all(), "the frame itself is unchanged"


def test_marks_follow_when_the_frame_is_scaled():
    picture = annotate(GREY, [Mark((40, 30, 60, 40), "", "#0072B2")], width=320)
    assert picture.size == (320, 180)
    blue = (pixels(picture) == (0, 0x72, 0xB2)).all(axis=2)
    assert blue[60, 81:199].all() and not blue[:60].any()


def test_texts_that_have_no_room_are_left_out():
    def changed(*marks):
        bare = [mark._replace(text="") for mark in marks]
        return (pixels(annotate(GREY, marks)) != pixels(annotate(GREY, bare))).any(axis=2).sum()

    large = Mark((20, 40, 80, 40), "large")
    assert changed(large) > 100
    assert changed(large, Mark((22, 42, 70, 30), "")) == changed(large)
    assert changed(Mark((20, 40, 8, 8), "a text far too long for it")) == 0
    covered = Mark((20, 41, 70, 30), "hidden")
    assert changed(large, covered) == changed(large)
    assert changed(Mark((150, 0, 30, 20), "edge")) > 50, "moved into the picture"


def test_texts_are_black_on_light_colours_and_white_on_dark_ones():
    for colour, ink, other in ((COLOURS[1], 0, 255), (COLOURS[0], 255, 0)):
        text = pixels(annotate(GREY, [Mark((20, 40, 80, 40), "large", colour)]))[26:39]
        assert (text == ink).all(axis=2).any() and not (text == other).all(axis=2).any()


def test_an_animation_shows_every_frame_and_repeats(shown):
    frames = []
    for x in range(0, 100, 10):
        frames.append(annotate(GREY, [Mark((x, 30, 30, 30), "car", COLOURS[1])]))
    show_animation(iter(frames), TIMES[:10])
    (movie,) = shown
    assert movie.format == "PNG" and movie.n_frames == 10 and movie.info["loop"] == 0
    for number, frame in enumerate(frames):
        movie.seek(number)
        assert movie.info["duration"] == 200
        difference = np.abs(pixels(movie) - pixels(frame)).max(axis=2)
        assert (difference > 40).mean() < 0.01, "what was drawn before is gone"


def test_an_animation_plays_at_the_speed_of_its_frames(shown):
    frames = [Image.new("RGB", (9, 9), (40 * number,) * 3) for number in range(4)]
    show_animation(frames, [5.0, 5.04, 6.04, 6.1])
    waits = []
    for number in range(4):
        shown[0].seek(number)
        waits.append(shown[0].info["duration"])
    assert waits == [40, 1000, 60, 60]


def test_only_what_changes_takes_room(shown):
    noise = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    flicker = np.random.default_rng(1)
    still = [Image.fromarray(noise)] * 2
    moving = [Image.fromarray(flicker.integers(0, 255, noise.shape, np.uint8)) for _ in range(12)]
    faint = [
        Image.fromarray((noise // 2 + flicker.integers(0, 8, noise.shape)).astype(np.uint8))
        for _ in range(12)
    ]
    for frames in (still[:1], faint, moving):
        show_animation(frames, TIMES[: len(frames)])
    one, of_faint, of_moving = (len(movie.fp.getvalue()) for movie in shown)
    assert of_faint < 1.5 * one < of_moving / 4


def test_marks_have_their_exact_colour_whatever_the_scene(shown):
    scene = np.zeros((90, 160, 3), np.uint8)
    scene[..., 0] = np.arange(160)
    marked = annotate(scene, [Mark((40, 30, 60, 40), "", COLOURS[2])])
    show_animation([marked], [0], colours=16)
    assert (pixels(shown[0])[30, 50] == pixels(marked)[30, 50]).all()


def test_a_lamp_does_not_take_on_the_colour_of_a_mark(shown):
    scene = np.full((90, 160, 3), 60, np.uint8)
    scene[20:60, 20:60] = (225, 155, 10)  # nearly COLOURS[1]
    show_animation([Image.fromarray(scene)], [0])
    assert tuple(pixels(shown[0])[40, 40]) != (0xE6, 0x9F, 0)


def test_what_cannot_be_an_animation_is_refused():
    small, large = Image.new("RGB", (10, 10)), Image.new("RGB", (20, 10))
    for frames, colours in (([], 40), ([small, large], 40), ([small], 15), ([small], 256)):
        with pytest.raises(ValueError, match="frames of one size and 16 to 255 colours"):
            show_animation(frames, TIMES[: len(frames)], colours)


def test_texts_of_an_animation_are_sharp_where_an_object_stops(shown):
    frames = [annotate(GREY, [Mark((x, 30, 60, 40), f"{x} car")]) for x in (10, 30, 50, 50)]
    show_animation(frames, TIMES[: len(frames)])
    shown[0].seek(3)
    assert np.abs(pixels(shown[0]) - pixels(frames[3])).max() < 40


def test_kinds_share_a_colour_and_run_out_of_them_gracefully():
    colours = kind_colours(["black car", "white van", "police car", "van"])
    assert colours["black car"] == colours["police car"] == COLOURS[0]
    assert colours["white van"] == colours["van"] == COLOURS[1]
    many = kind_colours([f"thing{n}" for n in range(12)])
    assert len(set(many.values())) == 8 and many["thing11"] == NEUTRAL
    assert kind_colours(["a", "b", "b c", ""])[""] not in ("", None)


def test_tracks_are_drawn_where_they_are_in_that_frame():
    track = Track(3, 1, [0, 10], [np.array([0, 30, 40, 40.0]), np.array([80, 30, 40, 40.0])])
    track.classes, track.confidences = ["car", "car"], [0.9, 0.9]
    drawn = draw_tracks(GREY, 5, [track], {3: "van"}, {"van": COLOURS[1]})
    orange = (pixels(drawn) == (0xE6, 0x9F, 0)).all(axis=2)
    assert orange[31:69, 40].all() and not orange[:, :36].any()
    unnamed = pixels(draw_tracks(GREY, 5, [track], {}, {}))
    assert (unnamed[31:69, 40] == 0x55).all(), "unknown is grey"
    assert (pixels(draw_tracks(GREY, 11, [track], {}, {})) == 100).all()


def test_a_timeline_has_a_row_for_each_and_a_label_for_each_name(monkeypatch):
    kept = []
    monkeypatch.setattr(views, "show_figure", kept.append)
    spans = [("van", 1.0, 3.0), ("car", 0.0, 2.0), ("car", 2.0, 2.0)]
    show_timeline(spans, {"car": COLOURS[0]})
    axes = kept[0].axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["car (2)", "van (1)"]
    bars = [(bar.get_x(), round(bar.get_width(), 2)) for bar in axes.patches]
    assert bars == [(0.0, 2.0), (2.0, 0.03), (1.0, 2.0)], "a moment can be seen too"
    faces = [to_hex(bar.get_facecolor()) for bar in axes.patches]
    assert faces == [COLOURS[0].lower()] * 2 + [NEUTRAL], "names without a colour are grey"
    assert list(axes.get_yticks()) == [0.5, 2], "a name stands in the middle of its bars"
    assert axes.get_xlabel() == "time in the video (seconds)"
