"""Follow objects through a video in which only every n-th frame is looked at.

Boxes of the same object in successive looks are linked by their overlap, the surest first: SORT
(https://arxiv.org/abs/1602.00763) without its Kalman filter, and with the second round for unsure
boxes of ByteTrack (https://arxiv.org/abs/2110.06864). Between two looks a box moves evenly.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from scipy.optimize import linear_sum_assignment

from helpers.scenarios.video.boxes import overlap
from helpers.scenarios.video.detect import Detections


@dataclass(eq=False)
class Track:
    """One object through time.

    Attributes:
        number: 1 for the first object that was found.
        frames: numbers of the frames in which it was detected, in order.
        boxes: its box in each of them, (4,) each: x, y, width, height.
        classes: what the detector called it in each.
        confidences: how sure the detector was.
    """

    number: int
    frames: list[int] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The class in which the detector had the most confidence over all looks."""
        votes: Counter[str] = Counter()
        for class_, confidence in zip(self.classes, self.confidences, strict=True):
            votes[class_] += confidence
        return votes.most_common(1)[0][0]

    def box_at(self, frame: int) -> np.ndarray | None:
        """Its box in any frame from the first look to the last, (4,); None outside of them."""
        if not self.frames[0] <= frame <= self.frames[-1]:
            return None
        return np.array([np.interp(frame, self.frames, side) for side in np.array(self.boxes).T])

    def confidence_at(self, frame: int) -> float:
        """The confidence, evenly changing between two looks; the nearest one's outside of them."""
        return float(np.interp(frame, self.frames, self.confidences))

    def _add(self, frame: int, found: Detections, row: int) -> None:
        self.frames.append(frame)
        self.boxes.append(np.asarray(found.boxes[row], np.float64))
        self.classes.append(found.classes[row])
        self.confidences.append(float(found.confidences[row]))

    def _expected(self, frame: int) -> np.ndarray:
        """Where it would be if it went on as between the last two looks."""
        if len(self.frames) < 2:
            return self.boxes[-1]
        (early, late), (before, now) = self.frames[-2:], self.boxes[-2:]
        moved = now + (now - before) * (frame - late) / (late - early)
        return np.concatenate([moved[:2], np.maximum(moved[2:], 1)])


def follow(
    looks: Iterable[tuple[int, Detections]],
    least: float = 0.2,
    begin: float = 0.2,
    same: float = 0.3,
    patience: int = 2,
) -> list[Track]:
    """Link the detections of successive frames to tracks.

    Args:
        looks: (frame number, its detections), in order.
        least: detections below this confidence are not used at all.
        begin: the confidence from which a detection may begin a new track or is linked in the
            first round; surer than this come first, the others only go on with tracks.
        same: the least overlap (IoU) of a box and where its track is expected.
        patience: how many looks in a row a track may be missed before it ends.

    Returns:
        The tracks in the order they began, those seen only once too.

    Raises:
        ValueError: the frames are not in order.
    """
    tracks: list[Track] = []
    living: list[Track] = []
    seen: dict[Track, int] = {}  # the look in which each was last seen, counted from 0
    last = None
    for look, (frame, found) in enumerate(looks):
        if last is not None and frame <= last:
            raise ValueError(f"frame {frame} came after frame {last}")
        last = frame
        living = [track for track in living if look - seen[track] - 1 <= patience]

        # The surer detections choose their tracks first; the others go on with what is left.
        sure = np.flatnonzero(found.confidences >= begin).tolist()
        unsure = (found.confidences >= least) & (found.confidences < begin)
        linked = _link(living, frame, found, sure, same)
        waiting = [track for track in living if track not in linked.values()]
        linked |= _link(waiting, frame, found, np.flatnonzero(unsure).tolist(), same)

        # A sure detection without a track begins one.
        for row in sure:
            if row not in linked:
                linked[row] = Track(len(tracks) + 1)
                tracks.append(linked[row])
                living.append(linked[row])

        for row, track in linked.items():
            track._add(frame, found, row)
            seen[track] = look
    return tracks


def _link(
    tracks: list[Track], frame: int, found: Detections, rows: list[int], same: float
) -> dict[int, Track]:
    """The detections that go on with tracks: row -> track, with the largest sum of overlaps."""
    if not tracks or not rows:
        return {}
    expected = np.array([track._expected(frame) for track in tracks])
    overlaps = overlap(expected, found.boxes[rows])
    pairs = zip(*linear_sum_assignment(-overlaps), strict=True)
    return {rows[j]: tracks[i] for i, j in pairs if overlaps[i, j] >= same}


def surest_looks(tracks: Iterable[Track], span: int = 30) -> list[tuple[Track, int, np.ndarray]]:
    """The looks worth encoding: of each track the surest one in every ``span`` frames.

    Args:
        tracks: from ``follow``.
        span: frames; 30 of a video with 30 frames per second make one look a second.

    Returns:
        (track, frame number, box) of each, track by track.
    """
    chosen = []
    for track in tracks:
        places = range(len(track.frames))
        for _, within in groupby(places, key=lambda place: track.frames[place] // span):
            surest = max(within, key=track.confidences.__getitem__)
            chosen.append((track, track.frames[surest], track.boxes[surest]))
    return chosen


def boxes_at(tracks: Iterable[Track], frame: int) -> tuple[list[Track], np.ndarray, np.ndarray]:
    """The tracks that are there in a frame, with their boxes (n, 4) and confidences (n,)."""
    there = [track for track in tracks if track.box_at(frame) is not None]
    boxes = np.array([track.box_at(frame) for track in there]).reshape(-1, 4)
    return there, boxes, np.array([track.confidence_at(frame) for track in there])
