"""Known objects: names from file names, cut-outs, and readers' own pictures."""

import zipfile

import cv2
import numpy as np
import pytest
from PIL import Image

from helpers.assets import fetch
from helpers.encoders import load_encoder
from helpers.errors import BadItem, HelpfulError
from helpers.ingest import encode_batches
from helpers.scenarios.video.known_objects import (
    cut_from_video,
    cut_out,
    load_known_objects,
    motorway_vehicles,
    name_of,
)


@pytest.fixture
def stripes(tmp_path):
    """6 frames of 64 x 48: the left half of frame n is 40 * n bright, the right half black."""
    writer = cv2.VideoWriter(
        str(tmp_path / "stripes.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 10, (64, 48)
    )
    for number in range(6):
        image = np.zeros((48, 64, 3), np.uint8)
        image[:, :32] = 40 * number
        writer.write(image)
    writer.release()
    return tmp_path / "stripes.mp4"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("taxi.jpg", "taxi"),
        ("taxi 2.jpg", "taxi"),
        ("white_van-03.png", "white van"),
        ("white van (2).jpeg", "white van"),
        ("bus007.jpg", "bus"),
        ("Ford Model T.jpg", "Ford Model T"),
        ("出租车 1.jpg", "出租车"),
        ("red van/0012.jpg", "red van"),
        ("007/012.jpg", "012"),
    ],
)
def test_a_name_is_read_from_the_file_or_its_folder(path, name):
    assert name_of(path) == name


def test_known_objects_of_ones_own_from_a_folder_or_a_zip(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("taxi.jpg", "taxi 2.png", "milk float.png"):
        Image.new("RGB", (30, 20), "yellow").save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    assert {path.name: name for path, name in load_known_objects(folder).items()} == {
        "milk float.png": "milk float",
        "taxi 2.png": "taxi",
        "taxi.jpg": "taxi",
    }
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.write(folder / "taxi.jpg", "taxi.jpg")
    assert list(load_known_objects(tmp_path / "mine.zip").values()) == ["taxi"]


def test_no_known_objects_there_is_explained(tmp_path):
    with pytest.raises(HelpfulError, match="no file or folder"):
        load_known_objects(tmp_path / "nothing")
    with pytest.raises(HelpfulError, match="holds no file of the kinds"):
        load_known_objects(tmp_path)


def test_bad_pictures_among_them_are_skipped_and_named(tmp_path):
    Image.new("RGB", (30, 20), "yellow").save(tmp_path / "taxi.png")
    (tmp_path / "bus.jpg").touch()
    (tmp_path / "van.jpg").write_text("not a picture")
    batches = encode_batches(load_known_objects(tmp_path), load_encoder("resnet18"), "picture")
    assert [path.name for batch in batches for path in batch.items] == ["taxi.png"]
    assert {path.name for path, _ in batches.skipped} == {"bus.jpg", "van.jpg"}


def test_ours_has_80_vehicles_of_the_first_five_seconds_and_99_photos(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOTCAMP_STORES", str(tmp_path))
    known = load_known_objects()
    vehicles = [path for path in known if path.is_relative_to(tmp_path)]
    assert (len(vehicles), len(known)) == (80, 179)
    assert {known[path].split()[-1] for path in vehicles} == {"car", "van"}
    assert sum(known[path] == "police car" for path in vehicles) == 4
    assert all(name_of(path) == known[path] for path in vehicles), "named like a reader's own"
    assert "bow tie" in known.values()
    older = vehicles[0].with_name("older 000.png")
    older.touch()
    assert motorway_vehicles() == {path: known[path] for path in vehicles}, "again, no more"
    assert not older.exists()
    assert Image.open(vehicles[0]).size == (79, 79), "the first of the table is 79 by 63 pixels"


def test_squares_are_cut_from_the_right_frames_in_the_order_asked(stripes):
    left, right = np.array([2, 2, 20, 20]), np.array([40, 2, 20, 20])
    crops = cut_from_video(stripes, [(4, left), (0, left), (4, right), (2, left)])
    assert [round(np.asarray(crop).mean(), -1) for crop in crops] == [160, 0, 0, 80]
    assert cut_from_video(stripes, []) == []


def test_a_frame_that_is_not_there_is_explained(stripes, tmp_path):
    box = np.array([0, 0, 5, 5])
    with pytest.raises(HelpfulError, match=r"stripes\.mp4 has no frame 9"):
        cut_from_video(stripes, [(2, box), (9, box)])
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(BadItem, match="an empty file"):
        cut_from_video(tmp_path / "empty.mp4", [(0, box)])


def test_a_cut_out_is_the_smallest_square_that_holds_the_box():
    image = np.arange(48 * 64 * 3, dtype=np.uint32).reshape(48, 64, 3).astype(np.uint8)
    assert cut_out(image, [10, 10, 20, 8]).size == (20, 20)
    assert np.array_equal(np.asarray(cut_out(image, [10, 14, 20, 8])), image[8:28, 10:30])


def test_at_an_edge_the_square_moves_inwards_and_never_leaves_the_picture():
    image = np.zeros((48, 64, 3), np.uint8)
    image[38:, :] = 255
    corner = cut_out(image, [44, 38, 20, 10])
    assert corner.size == (20, 20)
    assert np.asarray(corner)[10:].min() == 255 and np.asarray(corner)[:10].max() == 0
    assert cut_out(image, [0, 0, 64, 48]).size == (64, 48), "as much as there is"
    assert cut_out(image, [63.9, 47.9, 0.1, 0.1]).size == (1, 1)


def test_cutting_the_real_clip_shows_the_car_at_its_place():
    video = fetch("clips-pycsr") / "sample_car_video.mp4"
    (car,) = cut_from_video(video, [(0, np.array([0, 154, 78, 62]))])
    assert car.size == (78, 78)
    red = np.asarray(car).astype(int)
    assert (red[..., 0] - red[..., 2]).max() > 100, "its rear lights"
