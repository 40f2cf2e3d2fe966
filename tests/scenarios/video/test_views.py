"""Frames with marks, animations, timelines and the controls for videos."""

import io

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from helpers.scenarios.video import controls, views
from helpers.scenarios.video.controls import object_chooser, video_box
from helpers.scenarios.video.track import Track
from helpers.scenarios.video.views import (
    Mark,
    animated_png,
    annotate,
    draw_tracks,
    kind_colours,
    show_animation,
    show_frame,
    show_matches,
    show_timeline,
)
from helpers.show import COLOURS, NEUTRAL, Tile
from helpers.stopwatch import Stopwatch

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


def test_an_animation_shows_every_frame_and_repeats():
    frames = []
    for x in range(0, 100, 10):
        frames.append(annotate(GREY, [Mark((x, 30, 30, 30), "car", COLOURS[1])]))
    movie = Image.open(io.BytesIO(animated_png(frames, 0.2)))
    assert movie.format == "PNG" and movie.n_frames == 10 and movie.info["loop"] == 0
    for number, frame in enumerate(frames):
        movie.seek(number)
        assert movie.info["duration"] == 200
        difference = np.abs(pixels(movie) - pixels(frame)).max(axis=2)
        assert (difference > 40).mean() < 0.01, "what was drawn before is gone"


def test_only_what_changes_takes_room():
    noise = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    flicker = np.random.default_rng(1)
    still = [Image.fromarray(noise)] * 2
    moving = [Image.fromarray(flicker.integers(0, 255, noise.shape, np.uint8)) for _ in range(12)]
    faint = [
        Image.fromarray((noise // 2 + flicker.integers(0, 8, noise.shape)).astype(np.uint8))
        for _ in range(12)
    ]
    one = len(animated_png(still[:1], 0.1))
    assert len(animated_png(faint, 0.1)) < 1.5 * one < len(animated_png(moving, 0.1)) / 4


def test_marks_have_their_exact_colour_whatever_the_scene():
    scene = np.zeros((90, 160, 3), np.uint8)
    scene[..., 0] = np.arange(160)
    marked = annotate(scene, [Mark((40, 30, 60, 40), "", COLOURS[2])])
    movie = Image.open(io.BytesIO(animated_png([marked], 1, colours=16)))
    assert (pixels(movie)[30, 50] == pixels(marked)[30, 50]).all()


def test_a_lamp_does_not_take_on_the_colour_of_a_mark():
    scene = np.full((90, 160, 3), 60, np.uint8)
    scene[20:60, 20:60] = (225, 155, 10)  # nearly COLOURS[1]
    movie = Image.open(io.BytesIO(animated_png([Image.fromarray(scene)], 1)))
    assert tuple(pixels(movie)[40, 40]) != (0xE6, 0x9F, 0)


def test_what_cannot_be_an_animation_is_refused():
    small, large = Image.new("RGB", (10, 10)), Image.new("RGB", (20, 10))
    for frames, colours in (([], 40), ([small, large], 40), ([small], 15), ([small], 256)):
        with pytest.raises(ValueError, match="frames of one size and 16 to 255 colours"):
            animated_png(frames, 0.1, colours)


def test_frames_and_animations_are_shown_as_png(shown):
    frame = annotate(GREY, [Mark((10, 20, 40, 30), "car")])
    show_frame(frame)
    show_animation(iter([frame, Image.new("RGB", frame.size, "white")]), 0.5)
    still, movie = shown
    assert still.format == movie.format == "PNG" and still.size == movie.size == (160, 90)
    assert getattr(still, "n_frames", 1) == 1 and movie.n_frames == 2


def test_kinds_share_a_colour_and_run_out_of_them_gracefully():
    colours = kind_colours(["black car", "white van", "police car", "van"])
    assert colours["black car"] == colours["police car"] == COLOURS[0]
    assert colours["white van"] == colours["van"] == COLOURS[1]
    many = kind_colours([f"thing{n}" for n in range(12)])
    assert len(set(many.values())) == 8 and many["thing11"] == NEUTRAL
    assert kind_colours(["a", "b", "b c", ""])[""] not in ("", None)


def test_tracks_are_drawn_where_they_are_in_that_frame():
    track = Track(3, [0, 10], [np.array([0, 30, 40, 40.0]), np.array([80, 30, 40, 40.0])])
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
    assert axes.get_xlabel() == "time in the video (seconds)"


def test_matches_show_the_frame_and_every_tile(monkeypatch):
    kept = []
    monkeypatch.setattr(views, "show_figure", kept.append)
    tile = Tile(Image.new("RGB", (20, 20), "red"), "car 0.90")
    show_matches(Image.fromarray(GREY), [[tile] * 3, [tile] * 3, [tile] * 2])
    assert len(kept[0].axes) == 1 + 3 + 3 + 2
    assert [axes.get_xlabel() for axes in kept[0].axes[1:]] == ["car 0.90"] * 8


def widgets_in(box, kind):
    found = [box] if isinstance(box, kind) else []
    return found + [w for child in getattr(box, "children", ()) for w in widgets_in(child, kind)]


def test_objects_are_offered_by_time_and_shown(capsys):
    shown = []
    tracks = [Track(n, [n, n + 10], [np.zeros(4)] * 2, ["car"] * 2, [0.9] * 2) for n in (0, 5, 30)]
    names = {0: "van", 5: "bus"}
    box = object_chooser(
        tracks, names, range(0, 60, 8), 10, lambda t, n: shown.append((t.number, n))
    )
    (clock,) = widgets_in(box, ipywidgets.SelectionSlider)
    (things,) = widgets_in(box, ipywidgets.Dropdown)
    (button,) = widgets_in(box, ipywidgets.Button)
    assert things.options == (("0 van", 0),) and things.value == 0 and shown == []
    button.click()
    assert shown == [(0, 0)]
    clock.value = 8
    assert things.options == (("0 van", 0), ("5 bus", 5)) and things.value == 0, "kept"
    things.value = 5
    button.click()
    assert shown[-1] == (5, 8)
    clock.value = 32
    assert things.options == (("30 unknown", 30),)
    button.click()
    assert shown[-1] == (30, 32)
    clock.value = 48
    assert things.options == () and things.value is None
    button.click()
    assert len(shown) == 3 and "Nothing was found at this time" in capsys.readouterr().out


def test_an_uploaded_video_is_handed_over_as_a_file_and_removed(monkeypatch):
    seen, boxes = [], []
    monkeypatch.setattr(
        controls, "file_box", lambda handle, **options: boxes.append((handle, options))
    )
    video_box(lambda path: seen.append((path, path.read_bytes())), "Watch")
    ((handle, options),) = boxes
    handle(b"film", "../my film.mov")
    ((path, content),) = seen
    assert options == {"accept": "video/*", "label": "Watch"}
    assert content == b"film" and path.name == "video.mov" and not path.exists()


def test_a_stopwatch_adds_up_by_part_and_lets_errors_through():
    watch = Stopwatch()
    assert watch("add", sum, [1, 2]) == 3 and watch("sort", sorted, [2, 1], reverse=True) == [2, 1]
    before = watch.seconds["add"]
    with pytest.raises(TypeError):
        watch("add", sum, None)
    assert list(watch.seconds) == ["add", "sort"] and watch.seconds["add"] > before
    assert watch.total == pytest.approx(sum(watch.seconds.values()))
