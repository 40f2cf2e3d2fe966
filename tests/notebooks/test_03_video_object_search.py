"""What notebook 03 does itself: finding, following, cutting out and naming, on odd videos, too."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from helpers.assets import fetch
from helpers.errors import HelpfulError
from helpers.scenarios.video.boxes import overlap
from helpers.scenarios.video.detect import Detections, load_detector
from helpers.scenarios.video.frames import read_frames
from helpers.scenarios.video.track import Track, boxes_at
from tests.notebooks.subject import MeanColour, subject
from tests.scenarios.video.test_frames import make_video

pytest_plugins = ["tests.services_world"]
NAME = "03_video_object_search"


@pytest.fixture(scope="module")
def detector():
    return load_detector()


@pytest.fixture(scope="module")
def method(detector):
    """The notebook's functions where no engine is needed."""
    return SimpleNamespace(**subject(NAME, COLLECTION="known", detector=detector))


@pytest.fixture
def notebook(lite, redis_of_module, detector):
    """The notebook's functions on engines without a collection."""
    given = {"milvus": lite, "redis": redis_of_module, "encoder": MeanColour(), "colours": {}}
    return SimpleNamespace(**subject(NAME, COLLECTION="known", detector=detector, **given))


@pytest.fixture(scope="module")
def road():
    return next(read_frames(fetch("clips-pycsr") / "sample_car_video.mp4")).image


def look(*rows):
    """Detections from (x, y, confidence, class); every box is 20 by 10 pixels."""
    rows = sorted(rows, key=lambda row: -row[2])
    boxes = np.array([[x, y, 20, 10] for x, y, *_ in rows], np.float32).reshape(-1, 4)
    sure = np.array([confidence for _, _, confidence, _ in rows], np.float32)
    return Detections(boxes, [name for *_, name in rows], sure)


@pytest.mark.parametrize(("least", "size"), [(0.05, 640), (0.2, 416), (0.9, 640)])
def test_detecting_in_sight_is_what_the_helper_does(method, detector, road, least, size):
    found, same = method.detect(road, least, size), detector.detect(road, least, size)
    assert np.allclose(found.boxes, same.boxes, atol=1e-3) and found.classes == same.classes
    assert np.allclose(found.confidences, same.confidences)


def test_sizes_follow_the_shape_or_are_given_in_full(method, road):
    kept, given = method.detect(road, size=416), method.detect(road, size=(416, 224))
    assert np.array_equal(kept.boxes, given.boxes), "416 * 480 / 854 is 234, near 224"
    squeezed = method.detect(road, size=(416, 416))
    assert len(squeezed.boxes) and not np.array_equal(kept.boxes, squeezed.boxes)


def test_no_two_boxes_overlap_more_than_allowed(method, road):
    for iou in (0.3, 0.6):
        overlaps = overlap(*[method.detect(road, 0.05, iou=iou).boxes] * 2)
        assert overlaps[~np.eye(len(overlaps), dtype=bool)].max() <= iou + 0.01


def test_detecting_in_an_empty_and_in_a_tiny_picture(method):
    for image in (np.full((120, 160, 3), 128, np.uint8), np.zeros((1, 1, 3), np.uint8)):
        found = method.detect(image, 0.3)
        assert found.boxes.shape == (0, 4) and found.classes == [] and len(found.confidences) == 0


def test_two_objects_keep_their_numbers_while_they_move(method):
    looks = [
        (frame, look((frame, 0, 0.9, "car"), (100 - frame, 50, 0.5, "bus")))
        for frame in range(0, 30, 5)
    ]
    first, second = method.follow(dict(looks))
    assert (first.number, first.name, second.number, second.name) == (1, "car", 2, "bus")
    assert first.frames == second.frames == [0, 5, 10, 15, 20, 25]
    assert [box[0] for box in second.boxes] == [100, 95, 90, 85, 80, 75]


def test_a_fast_object_is_followed_by_its_speed(method):
    # 10 pixels a look: after a look is missed the boxes no longer overlap, only where it is
    # expected to be.
    looks = [(0, look((0, 0, 0.9, "car"))), (5, look((10, 0, 0.9, "car")))]
    looks += [(10, look()), (15, look((30, 0, 0.9, "car")))]
    (track,) = method.follow(dict(looks))
    assert track.frames == [0, 5, 15]
    assert boxes_at([track], 10)[1][0, 0] == pytest.approx(20)


def test_a_track_ends_when_it_is_missed_too_often(method):
    here = look((0, 0, 0.9, "car"))
    looks = [(0, here), (1, look()), (2, look()), (3, here), (4, look()), (5, look()), (6, look())]
    assert [t.frames for t in method.follow(dict([*looks, (7, here)]))] == [[0, 3], [7]]
    assert [t.frames for t in method.follow(dict([*looks, (7, here)]), patience=3)] == [[0, 3, 7]]


def test_surer_boxes_are_linked_first(method):
    looks = [(0, look((0, 0, 0.9, "car"))), (1, look((0, 0, 0.15, "bus"), (4, 0, 0.8, "car")))]
    (track,) = method.follow(dict(looks))
    assert track.classes == ["car", "car"]


def test_the_best_pairs_are_found_for_all_together(method):
    # The first object overlaps both new boxes; it must leave the nearer one to the second.
    looks = [(0, look((0, 0, 0.9, "a"), (10, 0, 0.8, "b")))]
    looks += [(1, look((4, 0, 0.9, "a"), (13, 0, 0.8, "b")))]
    assert [t.classes for t in method.follow(dict(looks))] == [["a", "a"], ["b", "b"]]


def test_unsure_boxes_go_on_with_tracks_but_begin_none(method):
    looks = {0: look((0, 0, 0.9, "car")), 1: look((1, 0, 0.15, "car"), (80, 0, 0.15, "car"))}
    (track,) = method.follow(looks)
    assert track.frames == [0, 1]


def test_nothing_to_follow(method):
    assert method.follow({}) == [] == method.follow({0: look(), 1: look()})


def test_one_look_per_span_and_it_is_the_surest(method):
    frames = [0, 10, 20, 30, 40]
    boxes = [np.full(4, frame) for frame in frames]
    track = Track(7, 4, frames, boxes, ["car"] * 5, [0.1, 0.9, 0.2, 0.4, 0.3])
    for rate, expected in ((15, [10, 30]), (1000, [10]), (5, frames)):
        seconds_of = {frame: frame / rate for frame in frames}
        chosen = method.surest_looks([track], seconds_of)
        assert [(one, frame, box[0]) for one, frame, box in chosen] == [
            (track, frame, frame) for frame in expected
        ]
    assert method.surest_looks([], {}) == []


@pytest.mark.parametrize("every", [1, 3, 7, 100])
def test_looks_are_between_two_times_whatever_the_rate(detector, tmp_path, every):
    look_at = subject(NAME, COLLECTION="known", detector=detector, EVERY=every)["look_at"]
    path = make_video(tmp_path / "a.mp4", [90] * 30, rate=10)
    looks, seconds_of = look_at(path, 0.5, 2)
    assert list(looks) == list(seconds_of) == [n for n in range(0, 30, every) if 5 <= n < 20]
    assert all(seconds == pytest.approx(n / 10) for n, seconds in seconds_of.items())


def test_a_name_is_that_with_the_most_votes(method):
    one, two = Track(1), Track(2)
    hits = [[(0.9, "van", "")], [(0.5, "car", "")], [(0.3, "car", ""), (0.2, "van", "")]]
    assert method.name_tracks([(one, 0, 0), (one, 5, 0), (two, 5, 0)], hits) == {1: "van", 2: "car"}


def test_your_own_video_and_pictures(notebook, tmp_path, capsys, shown):
    folder = tmp_path / "mine"
    folder.mkdir()
    Image.new("RGB", (30, 20), "grey").save(folder / os.fsdecode(b"my \xff $car$ 1.png"))
    (folder / "bad.jpg").write_text("no picture")
    notebook.create("known")
    notebook.learn(folder)
    assert "bad.jpg: not a picture" in capsys.readouterr().out
    notebook.build_index("known")
    clip = fetch("clips-pycsr") / "sample_car_video.mp4"
    name_objects = notebook.name_objects
    tracks, names = name_objects(clip, 0, 0.4)
    assert len(tracks) > 10 and len(set(names.values())) == 1
    assert all(len(boxes_at(tracks, number)[0]) for number in (0, 3, 10))
    still = make_video(tmp_path / "still.mp4", [90])
    notebook.watch(still)
    assert "0 objects in the first six seconds: none" in capsys.readouterr().out and len(shown) == 1


def test_known_objects_of_which_none_can_be_read_are_refused(notebook, tmp_path):
    (tmp_path / "bad.jpg").write_text("no picture")
    notebook.create("known")
    with pytest.raises(HelpfulError, match="None of these pictures can be read"):
        notebook.learn(tmp_path)
