"""Boxes in pictures: how far they overlap, and which of a detector's are right.

A box is ``x, y, width, height`` in pixels; ``x, y`` is its upper left corner.
"""

from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

import numpy as np

from helpers.inputs.tables import own_table

_IGNORED = ("small", "crowd")  # kinds of regions


class Labels(NamedTuple):
    """What was marked by hand in one frame.

    Attributes:
        boxes: float32, (n, 4), the objects that a detector should find.
        kinds: n words.
        ignored: float32, (m, 4), regions in which objects are too small or too many to mark.
    """

    boxes: np.ndarray
    kinds: list[str]
    ignored: np.ndarray


class Curve(NamedTuple):
    """Precision and recall as the least confidence falls; the arrays have the same length."""

    confidence: np.ndarray
    precision: np.ndarray
    recall: np.ndarray

    @property
    def average_precision(self) -> float:
        """The area under the curve, precision made monotone first, as PASCAL VOC 2010 has it."""
        best = np.maximum.accumulate(self.precision[::-1])[::-1]
        return float(np.sum(best * np.diff(self.recall, prepend=0.0)))

    def at(self, confidence: float) -> tuple[float, float, float]:
        """Precision, recall and F1 of what has at least this confidence; 0 where that is none."""
        rows = np.flatnonzero(self.confidence >= confidence)
        if not len(rows):
            return 0.0, 0.0, 0.0
        precision, recall = float(self.precision[rows[-1]]), float(self.recall[rows[-1]])
        return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union (IoU) of each box with each other one, 0 to 1.

    Args:
        boxes: (n, 4).
        others: (m, 4).

    Returns:
        float32, (n, m).
    """
    boxes = np.asarray(boxes, np.float32).reshape(-1, 1, 4)
    others = np.asarray(others, np.float32).reshape(1, -1, 4)
    low = np.maximum(boxes[..., :2], others[..., :2])
    high = np.minimum(boxes[..., :2] + boxes[..., 2:], others[..., :2] + others[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    areas = boxes[..., 2:].prod(axis=-1) + others[..., 2:].prod(axis=-1)
    return shared / np.maximum(areas - shared, 1e-9)


def load_labels(name: str = "motorway_labels.csv") -> dict[int, Labels]:
    """Boxes that were drawn by hand, by frame number.

    Args:
        name: a table in ``data`` with the columns frame, kind, x, y, width and height, in which the
            kinds small and crowd mark regions where a detection is neither right nor wrong.
    """
    by_frame = groupby(own_table(name), key=lambda row: int(row["frame"]))
    return {frame: _labels(list(rows)) for frame, rows in by_frame}


def _labels(rows: list[dict[str, str]]) -> Labels:
    wanted = [row for row in rows if row["kind"] not in _IGNORED]
    others = [row for row in rows if row["kind"] in _IGNORED]
    return Labels(_boxes(wanted), [row["kind"] for row in wanted], _boxes(others))


def _boxes(rows: list[dict[str, str]]) -> np.ndarray:
    sides = [[row[side] for side in ("x", "y", "width", "height")] for row in rows]
    return np.array(sides, np.float32).reshape(-1, 4)


def judge(boxes: np.ndarray, confidences: np.ndarray, labels: Labels) -> np.ndarray:
    """Which label each detection of a frame has found.

    The surest detection chooses first: of the labels nobody has taken yet it gets the one with
    which it overlaps most, if that is at least 0.5 (IoU). What is left over and lies by more
    than half of its area in ignored regions counts neither for nor against.

    Args:
        boxes: (n, 4).
        confidences: (n,).
        labels: of this frame.

    Returns:
        int64, (n,): the number of the label, -1 for a false alarm, -2 for an ignored detection.
    """
    found = np.full(len(boxes), -1)
    overlaps = overlap(boxes, labels.boxes)
    surest_first = np.argsort(-np.asarray(confidences), kind="stable")
    for place in surest_first if len(labels.boxes) else ():
        best = int(overlaps[place].argmax())
        if overlaps[place, best] >= 0.5:
            found[place] = best
            overlaps[:, best] = 0  # taken
    area = np.asarray(boxes, np.float32).reshape(-1, 4)[:, 2:].prod(axis=1)
    hidden = _covered(boxes, labels.ignored) > area / 2
    found[(found == -1) & hidden] = -2
    return found


def _covered(boxes: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """The area of each box that lies in any of the regions, overlaps counted once."""
    covered = np.zeros(len(boxes), np.float32)
    for place, (x, y, w, h) in enumerate(np.asarray(boxes, np.float32).reshape(-1, 4)):
        mask = np.zeros((max(1, round(h)), max(1, round(w))), bool)
        for left, top, width, height in regions:
            rows = slice(max(0, round(top - y)), max(0, round(top + height - y)))
            columns = slice(max(0, round(left - x)), max(0, round(left + width - x)))
            mask[rows, columns] = True
        covered[place] = mask.mean() * w * h
    return covered


def precision_recall(confidences: np.ndarray, found: np.ndarray, total: int) -> Curve:
    """Precision and recall over all thresholds, of the detections of one or many frames.

    Args:
        confidences: (n,).
        found: (n,), from ``judge``.
        total: how many labels there were to find.

    Raises:
        ValueError: there was nothing to find.
    """
    if total < 1:
        raise ValueError("recall needs at least one label")
    confidences, found = np.asarray(confidences, np.float64), np.asarray(found)
    order = np.argsort(-confidences, kind="stable")
    order = order[found[order] != -2]
    right = np.cumsum(found[order] >= 0)
    return Curve(confidences[order], right / np.arange(1, len(order) + 1), right / total)


def compare(
    found: Mapping[int, tuple[np.ndarray, np.ndarray]], labels: Mapping[int, Labels]
) -> Curve:
    """Precision and recall of what was found in several labelled frames.

    Args:
        found: frame number -> boxes (n, 4) and confidences (n,); only these frames count.
        labels: from ``load_labels``.

    Raises:
        KeyError: a frame has no labels.
        ValueError: there was nothing to find.
    """
    judged = [judge(boxes, sure, labels[frame]) for frame, (boxes, sure) in found.items()]
    total = sum(len(labels[frame].boxes) for frame in found)
    sure = [confidences for _, confidences in found.values()]
    return precision_recall(np.concatenate([*sure, []]), np.concatenate([*judged, []]), total)
