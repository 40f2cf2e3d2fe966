"""The detector: what it finds in real pictures, and what it says to wrong input."""

import numpy as np
import pytest
from PIL import Image

from helpers.assets import AssetError, fetch
from helpers.errors import HelpfulError
from helpers.scenarios.video import detect
from helpers.scenarios.video.boxes import overlap
from helpers.scenarios.video.detect import Detections, load_detector
from helpers.scenarios.video.frames import read_frames


@pytest.fixture(scope="module")
def detector():
    return load_detector()


@pytest.fixture(scope="module")
def road():
    return next(read_frames(fetch("clips-pycsr") / "sample_car_video.mp4")).image


def test_it_knows_the_80_classes_of_coco(detector):
    assert len(detector.classes) == len(set(detector.classes)) == 80
    assert {"person", "car", "truck", "bus", "umbrella"} <= set(detector.classes)


def test_a_bus_fills_its_photo(detector):
    photo = np.asarray(Image.open(fetch("object_photos") / "59.jpg").convert("RGB"))
    found = detector.detect(photo, least=0.3, size=416)
    assert found.classes[0] == "bus"
    assert found.boxes[0, 2:].prod() > 0.3 * photo.shape[0] * photo.shape[1]


def test_the_black_car_at_the_left_of_the_motorway(detector, road):
    found = detector.detect(road)
    assert set(found.classes) <= {"car", "truck", "bus"} and len(found.classes) > 12
    by_eye = [[0, 154, 78, 62]]
    overlaps = overlap(found.boxes, by_eye)[:, 0]
    assert overlaps.max() > 0.7
    assert found.classes[overlaps.argmax()] == "car" and found.confidences[overlaps.argmax()] > 0.8


def test_boxes_lie_in_the_picture_and_come_in_order(detector, road):
    found = detector.detect(road, least=0.05)
    assert found.boxes.dtype == found.confidences.dtype == np.float32
    assert (found.boxes[:, :2] >= 0).all() and (found.boxes[:, 2:] >= 1).all()
    assert (found.boxes[:, :2] + found.boxes[:, 2:] <= np.array([854, 480]) + 1e-3).all()
    assert (np.diff(found.confidences) <= 0).all()
    assert 0.05 <= found.confidences.min() < 0.1, "lower than OpenCV's own limit of 0.2"


def test_no_two_boxes_overlap_more_than_allowed(detector, road):
    overlaps = overlap(*[detector.detect(road, least=0.05).boxes] * 2)
    assert overlaps[~np.eye(len(overlaps), dtype=bool)].max() <= 0.51


def test_colours_are_read_as_red_green_blue(detector):
    photo = np.asarray(Image.open(fetch("object_photos") / "59.jpg").convert("RGB"))
    right, swapped = detector.detect(photo), detector.detect(photo[..., ::-1])
    assert not np.array_equal(right.confidences, swapped.confidences)


def test_a_grey_picture_holds_nothing_and_a_single_pixel_does_no_harm(detector):
    nothing = detector.detect(np.full((120, 160, 3), 128, np.uint8), least=0.3)
    assert nothing.boxes.shape == (0, 4) and nothing.classes == [] and not len(nothing.confidences)
    assert nothing.of(["car"]).boxes.shape == (0, 4)
    assert detector.detect(np.zeros((1, 1, 3), np.uint8), least=0.3).boxes.shape == (0, 4)


def test_choosing_by_class():
    boxes = np.arange(12, dtype=np.float32).reshape(3, 4)
    sure = np.array([0.9, 0.5, 0.2], np.float32)
    found = Detections(boxes, ["car", "dog", "car"], sure)
    assert found.of(["car"]).boxes.tolist() == boxes[[0, 2]].tolist()
    assert found.of(["cat"]).classes == []


@pytest.mark.parametrize("bad", [None, np.zeros((4, 4)), np.zeros((0, 4, 3), np.uint8), "a.jpg"])
def test_what_is_no_picture_is_refused(detector, bad):
    with pytest.raises(HelpfulError, match="takes a picture"):
        detector.detect(bad)


@pytest.mark.parametrize(("size", "better"), [(630, 640), (0, 32)])
def test_a_size_that_does_not_fit_the_network_is_refused(detector, road, size, better):
    with pytest.raises(HelpfulError, match=f"not a multiple of 32; try {better}"):
        detector.detect(road, size=size)


def test_an_unknown_detector_is_refused():
    with pytest.raises(HelpfulError, match="no detector 'yolov9'; choose yolov4-tiny or yolov3"):
        load_detector("yolov9")


def test_yolov3_out_of_reach_is_said_and_nothing_else_is_loaded(monkeypatch):
    asked = []

    def unreachable(name):
        asked.append(name)
        raise AssetError(f"{name} could not be fetched from pjreddie.com")

    monkeypatch.setattr(detect, "fetch", unreachable)
    with pytest.raises(AssetError, match=r"yolov3.*pjreddie\.com"):
        load_detector("yolov3")
    assert asked == ["yolov3-cfg"]


def test_yolov3_is_built_from_its_own_files(monkeypatch, tmp_path):
    folder = fetch("yolov4-tiny")
    files = {"yolov3-cfg": "yolov4-tiny.cfg", "yolov3-weights": "yolov4-tiny.weights"}
    places = {name: folder / file for name, file in files.items()} | {"yolov4-tiny": folder}
    monkeypatch.setattr(detect, "fetch", places.__getitem__)
    loaded = load_detector("yolov3")
    assert loaded.name == "yolov3" and len(loaded.classes) == 80


def test_an_opencv_that_reads_no_such_networks_is_explained(monkeypatch):
    monkeypatch.delattr(detect.cv2.dnn, "readNetFromDarknet")
    with pytest.raises(HelpfulError, match="OpenCV .* install the OpenCV 4"):
        load_detector()
