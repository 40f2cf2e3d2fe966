"""Following objects: straight paths, gaps, crossings, and where a track begins and ends."""

import numpy as np
import pytest

from helpers.scenarios.video.detect import Detections
from helpers.scenarios.video.track import Track, boxes_at, follow, surest_looks


def look(*rows):
    """Detections from (x, y, confidence, class); every box is 20 by 10 pixels."""
    rows = sorted(rows, key=lambda row: -row[2])
    boxes = np.array([[x, y, 20, 10] for x, y, *_ in rows], np.float32).reshape(-1, 4)
    sure = np.array([confidence for _, _, confidence, _ in rows], np.float32)
    return Detections(boxes, [name for *_, name in rows], sure)


def test_two_objects_keep_their_numbers_while_they_move():
    looks = [
        (frame, look((frame, 0, 0.9, "car"), (100 - frame, 50, 0.5, "bus")))
        for frame in range(0, 30, 5)
    ]
    first, second = follow(looks)
    assert (first.number, first.name, second.number, second.name) == (1, "car", 2, "bus")
    assert first.frames == second.frames == [0, 5, 10, 15, 20, 25]
    assert [box[0] for box in second.boxes] == [100, 95, 90, 85, 80, 75]


def test_between_two_looks_a_box_moves_evenly_and_outside_there_is_none():
    (track,) = follow([(10, look((0, 0, 0.4, "car"))), (20, look((6, 2, 0.8, "car")))])
    assert track.box_at(15).tolist() == [3, 1, 20, 10]
    assert track.confidence_at(15) == pytest.approx(0.6)
    assert track.box_at(10).tolist() == [0, 0, 20, 10]
    assert track.box_at(9) is None and track.box_at(21) is None


def test_a_fast_object_is_followed_by_its_speed():
    # 10 pixels a look: after a look is missed the boxes no longer overlap, only where it is
    # expected to be.
    looks = [(0, look((0, 0, 0.9, "car"))), (5, look((10, 0, 0.9, "car")))]
    looks += [(10, look()), (15, look((30, 0, 0.9, "car")))]
    (track,) = follow(looks)
    assert track.frames == [0, 5, 15]
    assert track.box_at(10)[0] == pytest.approx(20)


def test_a_track_ends_when_it_is_missed_too_often():
    here = look((0, 0, 0.9, "car"))
    looks = [(0, here), (1, look()), (2, look()), (3, here), (4, look()), (5, look()), (6, look())]
    assert [t.frames for t in follow([*looks, (7, here)])] == [[0, 3], [7]]
    assert [t.frames for t in follow([*looks, (7, here)], patience=3)] == [[0, 3, 7]]


def test_unsure_boxes_go_on_with_tracks_but_begin_none():
    looks = [(0, look((0, 0, 0.9, "car"))), (1, look((1, 0, 0.15, "car"), (80, 0, 0.15, "car")))]
    (track,) = follow(looks, least=0.1, begin=0.3)
    assert track.frames == [0, 1]
    (track,) = follow(looks, least=0.2, begin=0.3)
    assert track.frames == [0]


def test_surer_boxes_are_linked_first():
    looks = [(0, look((0, 0, 0.9, "car"))), (1, look((0, 0, 0.15, "bus"), (4, 0, 0.8, "car")))]
    (track,) = follow(looks, least=0.1, begin=0.3)
    assert track.classes == ["car", "car"]


def test_the_best_pairs_are_found_for_all_together():
    # The first object overlaps both new boxes; it must leave the nearer one to the second.
    looks = [(0, look((0, 0, 0.9, "a"), (10, 0, 0.8, "b")))]
    looks += [(1, look((4, 0, 0.9, "a"), (13, 0, 0.8, "b")))]
    assert [t.classes for t in follow(looks)] == [["a", "a"], ["b", "b"]]


def test_the_class_of_a_track_is_the_one_with_most_confidence():
    track = Track(1, [0, 1, 2], [np.zeros(4)] * 3, ["car", "truck", "car"], [0.3, 0.9, 0.4])
    assert track.name == "truck"


def test_nothing_and_disorder():
    assert follow([]) == [] == follow([(0, look()), (1, look())])
    with pytest.raises(ValueError, match="frame 4 came after frame 5"):
        follow([(5, look()), (4, look())])


def test_one_look_per_span_and_it_is_the_surest():
    frames = [0, 10, 20, 30, 40]
    boxes = [np.full(4, frame) for frame in frames]
    track = Track(7, frames, boxes, ["car"] * 5, [0.1, 0.9, 0.2, 0.4, 0.3])
    chosen = surest_looks([track], span=30)
    assert [(one.number, frame, box[0]) for one, frame, box in chosen] == [(7, 10, 10), (7, 30, 30)]
    assert [frame for _, frame, _ in surest_looks([track], span=1000)] == [10]
    assert surest_looks([]) == []


def test_who_is_there_in_a_frame():
    early = Track(1, [0, 10], [np.zeros(4), np.full(4, 10.0)], ["a", "a"], [0.2, 0.4])
    late = Track(2, [8, 20], [np.ones(4), np.ones(4)], ["b", "b"], [1.0, 1.0])
    there, boxes, sure = boxes_at([early, late], 5)
    assert there == [early] and boxes.tolist() == [[5, 5, 5, 5]] and sure == pytest.approx([0.3])
    assert [track.number for track in boxes_at([early, late], 9)[0]] == [1, 2]
    there, boxes, sure = boxes_at([early, late], 50)
    assert there == [] and boxes.shape == (0, 4) and sure.shape == (0,)
