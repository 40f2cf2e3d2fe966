"""Finding a reader's photos in folders and archives, and the photos of the notebooks."""

import io
import tarfile
import zipfile
from collections import Counter

import pytest
from PIL import Image

from helpers.archives import ArchiveError
from helpers.datasets import load_photos
from helpers.errors import HelpfulError
from helpers.files import list_files


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "mine"
    for name in ("b/2.png", "a/1.JPG", "a/deep/3.webp", "notes.txt", ".hidden/4.png", "b/._2.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(picture())
    return root


def test_a_folder_and_what_lies_below_it_in_order(folder):
    found = [path.relative_to(folder).as_posix() for path in list_files(folder)]
    assert found == ["a/1.JPG", "a/deep/3.webp", "b/2.png"]


def test_a_single_file(folder):
    assert list_files(folder / "a" / "1.JPG") == [folder / "a" / "1.JPG"]


def test_other_kinds_of_files(folder):
    assert [path.name for path in list_files(folder, {".txt"})] == ["notes.txt"]


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_an_archive(folder, tmp_path, ending, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    archive = tmp_path / f"mine.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(archive, "w") as out:
            for path in folder.rglob("*"):
                out.write(path, path.relative_to(folder))
    else:
        with tarfile.open(archive, "w:gz" if ending == "tar.gz" else "w") as out:
            out.add(folder, arcname=".")
    first = list_files(archive)
    assert [path.name for path in first] == ["1.JPG", "3.webp", "2.png"]
    assert list_files(archive) == first, "the second time it is not unpacked again"


def test_an_archive_that_wants_out_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as out:
        out.writestr("../../outside.png", picture())
    with pytest.raises(ArchiveError):
        list_files(tmp_path / "evil.zip")
    assert not list(tmp_path.rglob("outside.png"))


def test_a_folder_without_photos_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(HelpfulError, match=r"empty holds no file of the kinds .*\.jpg"):
        list_files(tmp_path / "empty")


def test_a_path_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(HelpfulError, match="There is no file or folder .*nowhere"):
        list_files(tmp_path / "nowhere")


def test_what_is_no_archive_is_named(folder):
    with pytest.raises(ArchiveError, match=r"notes\.txt"):
        list_files(folder / "notes.txt")


def test_the_720_photos():
    photos = load_photos()
    assert Counter(photos.values()) == {
        "cat": 140, "dog": 140, "bird": 140, "pizza": 103, "sushi": 103, "steak": 94,
    }  # fmt: skip
    assert len({path.read_bytes() for path in photos}) == len(photos) == 720
    assert list(photos) == list(load_photos()), "the order is always the same"


def test_own_photos_take_their_folders_as_classes(folder):
    assert list(load_photos(folder).values()) == ["a", "deep", "b"]
