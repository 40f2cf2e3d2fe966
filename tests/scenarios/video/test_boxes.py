"""Overlaps, matching against labels, and curves, against cases worked out by hand."""

import numpy as np
import pytest

from helpers.scenarios.video.boxes import (
    Labels,
    compare,
    judge,
    load_labels,
    overlap,
    precision_recall,
)


def labels(*boxes, ignored=()):
    return Labels(
        np.array(boxes, np.float32).reshape(-1, 4),
        ["car"] * len(boxes),
        np.array(ignored, np.float32).reshape(-1, 4),
    )


def test_overlap_of_known_boxes():
    boxes = [[0, 0, 10, 10], [5, 0, 10, 10], [20, 20, 5, 5]]
    found = overlap(boxes, boxes)
    assert found.shape == (3, 3)
    assert np.allclose(np.diag(found), 1)
    assert found[0, 1] == pytest.approx(50 / 150)
    assert found[0, 2] == 0
    assert overlap(np.empty((0, 4)), boxes).shape == (0, 3)
    assert overlap([[0, 0, 0, 0]], [[0, 0, 0, 0]]) == 0, "boxes without area share nothing"


def test_the_surest_detection_takes_the_label_and_a_second_one_is_a_false_alarm():
    boxes = np.array([[1, 0, 10, 10], [0, 0, 10, 10], [50, 50, 10, 10]])
    found = judge(boxes, np.array([0.5, 0.9, 0.8]), labels([0, 0, 10, 10]))
    assert found.tolist() == [-1, 0, -1]


def test_a_detection_takes_the_next_best_label_when_the_best_is_taken():
    two = labels([0, 0, 10, 10], [3, 0, 10, 10])
    boxes = np.array([[0, 0, 10, 10], [1, 0, 10, 10]])
    assert judge(boxes, np.array([0.9, 0.8]), two).tolist() == [0, 1]


def test_overlap_just_below_the_least_is_no_match():
    truth = labels([0, 0, 10, 10])
    assert judge(np.array([[0, 0, 10, 5]]), [1.0], truth).tolist() == [0]
    assert judge(np.array([[0, 0, 10, 4.9]]), [1.0], truth).tolist() == [-1]


def test_what_lies_mostly_in_ignored_regions_does_not_count_unless_it_matches():
    truth = labels([0, 0, 10, 10], ignored=[[0, 0, 30, 100]])
    boxes = np.array([[0, 0, 10, 10], [10, 40, 10, 10], [26, 0, 10, 10], [24, 50, 10, 10]])
    assert judge(boxes, [0.9, 0.8, 0.7, 0.6], truth).tolist() == [0, -2, -1, -2]
    halves = labels(ignored=[[0, 0, 4, 10], [6, 0, 4, 10]])
    assert judge(np.array([[0, 0, 10, 10]]), [1.0], halves).tolist() == [-2], "regions add up"
    twice = labels(ignored=[[0, 0, 3, 10], [0, 0, 3, 10]])
    assert judge(np.array([[0, 0, 10, 10]]), [1.0], twice).tolist() == [-1], "counted once"


def test_a_frame_without_labels_or_without_detections():
    assert judge(np.array([[0, 0, 5, 5]]), [0.5], labels()).tolist() == [-1]
    assert judge(np.empty((0, 4)), [], labels([0, 0, 5, 5])).tolist() == []


def test_a_curve_worked_out_by_hand():
    # In order of confidence: right, wrong, ignored, right; four labels in all.
    curve = precision_recall([0.2, 0.9, 0.6, 0.7], [3, 0, -2, -1], total=4)
    assert curve.confidence.tolist() == [0.9, 0.7, 0.2]
    assert curve.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3])
    assert curve.recall.tolist() == [0.25, 0.25, 0.5]
    assert curve.average_precision == pytest.approx(0.25 * 1 + 0.25 * 2 / 3)
    assert curve.at(0.5) == pytest.approx((0.5, 0.25, 1 / 3))
    assert curve.at(0.1) == pytest.approx((2 / 3, 0.5, 4 / 7))
    assert curve.at(0.95) == (0, 0, 0)


def test_perfect_and_empty_results():
    assert precision_recall([0.9, 0.8], [0, 1], total=2).average_precision == 1
    assert precision_recall([], [], total=2).average_precision == 0
    with pytest.raises(ValueError, match="at least one label"):
        precision_recall([0.9], [-1], total=0)


def test_several_frames_are_compared_together():
    truth = {1: labels([0, 0, 10, 10]), 2: labels([0, 0, 10, 10], [50, 0, 10, 10]), 3: labels()}
    found = {
        1: (np.array([[0, 0, 10, 10]]), np.array([0.9])),
        2: (np.array([[70.0, 0, 10, 10]]), np.array([0.8])),
    }
    assert compare(found, truth).at(0.5) == pytest.approx((1 / 2, 1 / 3, 2 / 5))
    nothing = {1: (np.empty((0, 4)), np.empty(0))}
    assert compare(nothing, truth).at(0) == (0, 0, 0)
    with pytest.raises(KeyError):
        compare({9: found[1]}, truth)


def test_the_motorway_labels():
    frames = load_labels()
    assert list(frames) == list(range(190, 344, 17))
    kinds = [kind for one in frames.values() for kind in one.kinds]
    assert (kinds.count("car"), kinds.count("van")) == (166, 42)
    assert set(kinds) == {"car", "van"}
    for one in frames.values():
        assert len(one.boxes) == len(one.kinds) and len(one.ignored) > 10
        assert (one.boxes[:, :2] >= 0).all() and (one.boxes[:, 2:] > 0).all()
        assert (one.boxes[:, :2] + one.boxes[:, 2:] <= [854, 480]).all()
    first = frames[190]
    assert first.boxes[0].tolist() == [0, 170, 26, 63] and first.boxes.dtype == np.float32


def test_the_motorway_names():
    frames = load_labels("motorway_names.csv")
    assert list(frames) == [0, 48, 96, 144]
    assert sum(len(one.kinds) for one in frames.values()) == 80
    assert frames[0].kinds[:2] == ["black car", "red van"]
    for one in frames.values():
        assert (one.boxes[:, 2:] > 0).all() and not len(one.ignored)
        assert (one.boxes[:, :2] + one.boxes[:, 2:] <= [854, 480]).all()
