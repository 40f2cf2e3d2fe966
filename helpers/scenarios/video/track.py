"""What is known of an object through time; notebook 03 follows objects."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from helpers.scenarios.video.detect import Detections


@dataclass(eq=False)
class Track:
    """One object through time.

    Attributes:
        number: 1 for the first object that was found.
        look: the last look at which it was seen, counted from 0.
        frames: numbers of the frames in which it was detected, in order.
        boxes: its box in each of them, float64, (4,) each: x, y, width, height.
        classes: what the detector called it in each.
        confidences: how sure the detector was.
    """

    number: int
    look: int = 0
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

    def add(self, look: int, frame: int, found: Detections, row: int) -> None:
        """Go on with a row of the detections in a frame."""
        self.look = look
        self.frames.append(frame)
        self.boxes.append(np.asarray(found.boxes[row], np.float64))
        self.classes.append(found.classes[row])
        self.confidences.append(float(found.confidences[row]))


def boxes_at(tracks: Iterable[Track], frame: int) -> tuple[list[Track], np.ndarray, np.ndarray]:
    """The tracks that are there in a frame, with their boxes (n, 4) and confidences (n,).

    Between two looks a box moves evenly, and so does the confidence.
    """
    there = [track for track in tracks if track.frames[0] <= frame <= track.frames[-1]]
    rows = [np.column_stack([track.boxes, track.confidences]) for track in there]
    values = [
        [np.interp(frame, track.frames, column) for column in row.T]
        for track, row in zip(there, rows, strict=True)
    ]
    table = np.array(values).reshape(-1, 5)
    return there, table[:, :4], table[:, 4]
