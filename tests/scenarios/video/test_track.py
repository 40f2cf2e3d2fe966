"""What is known of an object through time."""

import numpy as np
import pytest

from helpers.scenarios.video.detect import Detections
from helpers.scenarios.video.track import Track, boxes_at


def test_between_two_looks_a_box_moves_evenly_and_outside_there_is_none():
    track = Track(1)
    for look, (frame, box, sure) in enumerate(
        [(10, [0, 0, 20, 10], 0.4), (20, [6, 2, 20, 10], 0.8)]
    ):
        track.add(look, frame, Detections(np.array([box]), ["car"], np.array([sure])), 0)
    (there,), boxes, sure = boxes_at([track], 15)
    assert there is track and boxes.tolist() == [[3, 1, 20, 10]] and sure == pytest.approx([0.6])
    assert boxes_at([track], 10)[1].tolist() == [[0, 0, 20, 10]]
    assert boxes_at([track], 9)[0] == boxes_at([track], 21)[0] == []


def test_the_class_of_a_track_is_the_one_with_most_confidence():
    boxes, classes = [np.zeros(4)] * 3, ["car", "truck", "car"]
    assert Track(1, 2, [0, 1, 2], boxes, classes, [0.3, 0.9, 0.4]).name == "truck"


def test_who_is_there_in_a_frame():
    early = Track(1, 1, [0, 10], [np.zeros(4), np.full(4, 10.0)], ["a", "a"], [0.2, 0.4])
    late = Track(2, 1, [8, 20], [np.ones(4), np.ones(4)], ["b", "b"], [1.0, 1.0])
    there, boxes, sure = boxes_at([early, late], 5)
    assert there == [early] and boxes.tolist() == [[5, 5, 5, 5]] and sure == pytest.approx([0.3])
    assert [track.number for track in boxes_at([early, late], 9)[0]] == [1, 2]
    there, boxes, sure = boxes_at([early, late], 50)
    assert there == [] and boxes.shape == (0, 4) and sure.shape == (0,)
