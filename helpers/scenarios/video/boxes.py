"""Boxes in pictures: how far they overlap, and which of a detector's are right.

A box is ``x, y, width, height`` in pixels; ``x, y`` is its upper left corner.
"""

import csv
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.errors import HelpfulError
from helpers.paths import DATA

LABELS = DATA / "motorway_labels.csv"
_COLUMNS = ["frame", "kind", "x", "y", "width", "height"]


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
    def f1(self) -> np.ndarray:
        """The harmonic mean of precision and recall."""
        total = np.maximum(self.precision + self.recall, 1e-12)
        return 2 * self.precision * self.recall / total

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
        last = rows[-1]
        return float(self.precision[last]), float(self.recall[last]), float(self.f1[last])


def _shared(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The area in pixels that each box shares with each other one: (n, m)."""
    boxes = np.asarray(boxes, np.float32).reshape(-1, 1, 4)
    others = np.asarray(others, np.float32).reshape(1, -1, 4)
    low = np.maximum(boxes[..., :2], others[..., :2])
    high = np.minimum(boxes[..., :2] + boxes[..., 2:], others[..., :2] + others[..., 2:])
    return np.clip(high - low, 0, None).prod(axis=-1)


def overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union (IoU) of each box with each other one, 0 to 1.

    Args:
        boxes: (n, 4).
        others: (m, 4).

    Returns:
        float32, (n, m).
    """
    shared = _shared(boxes, others)
    area = np.asarray(boxes, np.float32).reshape(-1, 4)[:, 2:].prod(axis=1)
    other = np.asarray(others, np.float32).reshape(-1, 4)[:, 2:].prod(axis=1)
    return shared / np.maximum(area[:, None] + other[None] - shared, 1e-9)


def load_labels(
    path: Path | str = LABELS, ignored: Collection[str] = ("small", "crowd")
) -> dict[int, Labels]:
    """Boxes that were drawn by hand, by frame number.

    Args:
        path: a CSV with the columns frame, kind, x, y, width, height.
        ignored: kinds that mark regions in which a detection is neither right nor wrong.

    Raises:
        HelpfulError: the file is missing, lacks a column, or has something else than numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise HelpfulError(f"There is no file {path.name} with labels; check the path.")
    frames: dict[int, list[tuple[str, list[float]]]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                box = [float(row[name]) for name in _COLUMNS[2:]]
                frames.setdefault(int(row["frame"]), []).append((row["kind"], box))
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise HelpfulError(
            f"{path.name} does not hold labels ({error}); its columns must be "
            f"{', '.join(_COLUMNS)}, all but kind as numbers."
        ) from None
    return {frame: _labels(rows, ignored) for frame, rows in frames.items()}


def _labels(rows: list[tuple[str, list[float]]], ignored: Collection[str]) -> Labels:
    wanted = [(kind, box) for kind, box in rows if kind not in ignored]
    others = [box for kind, box in rows if kind in ignored]
    return Labels(
        np.array([box for _, box in wanted], np.float32).reshape(-1, 4),
        [kind for kind, _ in wanted],
        np.array(others, np.float32).reshape(-1, 4),
    )


def judge(
    boxes: np.ndarray, confidences: np.ndarray, labels: Labels, least: float = 0.5
) -> np.ndarray:
    """Which label each detection of a frame has found.

    The surest detection chooses first: of the labels nobody has taken yet it gets the one with
    which it overlaps most, if that is at least ``least`` (IoU). What is left over and lies by more
    than half of its area in ignored regions counts neither for nor against.

    Args:
        boxes: (n, 4).
        confidences: (n,).
        labels: of this frame.
        least: the least overlap.

    Returns:
        int64, (n,): the number of the label, -1 for a false alarm, -2 for an ignored detection.
    """
    found = np.full(len(boxes), -1)
    overlaps = overlap(boxes, labels.boxes)
    for place in np.argsort(-np.asarray(confidences), kind="stable"):
        best = int(overlaps[place].argmax()) if overlaps.shape[1] else 0
        if overlaps.shape[1] and overlaps[place, best] >= least:
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
