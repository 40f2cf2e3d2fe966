"""Finding a reader's photos in folders and archives, and the photos of the notebooks."""

import io
import os
import subprocess
import tarfile
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from helpers.errors import HelpfulError
from helpers.fetching.archives import ArchiveError
from helpers.inputs.files import list_files
from helpers.photos import load_photos, pascal_voc, unseen_birds


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
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path / "cache"))
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
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path / "cache"))
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


def test_own_photos_take_their_folders_as_classes(folder, capsys):
    (folder / "notes.txt").unlink()
    assert list(load_photos(folder).values()) == ["a", "deep", "b"]
    assert capsys.readouterr().out == ""


def test_a_class_can_be_shown_whatever_the_name_of_its_folder(folder):
    (folder / "a").rename(folder / os.fsdecode(b"cl\xe4ss\n"))
    classes = list(load_photos(folder).values())
    assert classes == ["b", "cl\\udce4ss\\n", "deep"]


def test_a_flat_folder_or_archive_is_a_class_of_its_name(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(folder / "b")
    assert list(load_photos(".").values()) == ["b"]
    with zipfile.ZipFile(tmp_path / "holiday.zip", "w") as out:
        out.write(folder / "b" / "2.png", "2.png")
    assert list(load_photos(tmp_path / "holiday.zip").values()) == ["holiday"]


def test_an_archive_that_changed_is_unpacked_again(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path / "cache"))
    for count in (1, 2):
        with zipfile.ZipFile(tmp_path / "mine.zip", "w") as out:
            for number in range(count):
                out.write(folder / "b" / "2.png", f"{number}.png")
        assert len(list_files(tmp_path / "mine.zip")) == count


def test_four_threads_that_open_one_archive_at_once(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path / "cache"))
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as out:
        for number in range(200):
            out.write(folder / "b" / "2.png", f"{number}.png")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(list_files, [tmp_path / "mine.zip"] * 4))
    assert [len(files) for files in found] == [200] * 4


def test_own_files_that_are_no_pictures_are_left_out_and_named(folder, capsys):
    (folder / "a" / "empty.jpg").touch()
    (folder / "a" / "text.png").write_text("no picture")
    (folder / "a" / "phone.heic").write_bytes(b"....ftypheic")
    assert list(load_photos(folder).values()) == ["a", "deep", "b"]
    said = capsys.readouterr().out
    assert said == (
        "1 left out, other kinds of files: 1 .txt\n"
        "3 left out, no pictures: empty.jpg, phone.heic, text.png\n"
    )


def test_links_and_pipes_are_followed_or_named(folder, tmp_path, capsys):
    away = tmp_path / "away"
    away.mkdir()
    (away / "9.png").write_bytes(picture())
    (folder / "a" / "8.png").symlink_to(away / "9.png")
    (folder / "album").symlink_to(away)
    (folder / "gone.png").symlink_to(tmp_path / "nowhere")
    (folder / "round.png").symlink_to(folder / "round.png")
    os.mkfifo(folder / "pipe.png")
    found = [path.name for path in list_files(folder)]
    assert found == ["1.JPG", "8.png", "3.webp", "2.png"]
    assert capsys.readouterr().out.splitlines()[0] == (
        "4 left out, cannot be read: album (a link to a folder), gone.png (a link to nothing), "
        "pipe.png (a pipe or a device), round.png (a link to nothing)"
    )


def test_folders_deeper_than_python_can_recurse(tmp_path):
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1_500):
            os.mkdir("d")
            os.chdir("d")
        Path("1.png").write_bytes(picture())
    finally:
        os.chdir(here)
    (found,) = list_files(tmp_path)
    assert found.name == "1.png"
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # pytest would recurse


@pytest.mark.parametrize("path", ["~nosuchuser/x", "x" * 5_000, "a\0b.png", "\udcff.png"])
def test_paths_that_cannot_be_are_named_in_one_line(path):
    with pytest.raises(HelpfulError, match="There is no file or folder .*check the path") as caught:
        list_files(path)
    assert str(caught.value).isprintable()


def test_an_archive_without_anything_wanted_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path / "cache"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as out:
        out.writestr("a.png", bytes(1_000_000))
        out.writestr("a.txt", bytes(1_000_000))
    for read in (load_photos, lambda archive: list_files(archive, {".wav"})):
        with pytest.raises(HelpfulError):
            read(tmp_path / "a.zip")
        kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in kept) == 0


def test_a_folder_of_nothing_but_bad_files_is_an_error(tmp_path):
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(HelpfulError, match="None of these files is a picture"):
        load_photos(tmp_path)


def test_unseen_birds_are_unseen():
    birds = unseen_birds(100)
    assert len(birds) == 100
    assert not set(birds) & set(load_photos())


def test_pascal_voc_takes_the_largest_marked_object(tmp_path):
    """A made-up folder of the layout that the PASCAL VOC development kit describes."""
    voc = tmp_path / "VOCdevkit" / "VOC2012"
    for name in ("JPEGImages", "Annotations", "SegmentationClass"):
        (voc / name).mkdir(parents=True)
    for name in ("1", "2", "3"):
        (voc / "JPEGImages" / f"{name}.jpg").write_bytes(picture())
    (voc / "SegmentationClass" / "1.png").write_bytes(picture())
    box = "<bndbox><xmin>0</xmin><ymin>0</ymin><xmax>{0}</xmax><ymax>{0}</ymax></bndbox>"
    objects = "".join(
        f"<object><name>{name}</name>{box.format(size)}</object>"
        for name, size in (("person", 20), ("horse", 90.5), ("dog", 30))
    )
    (voc / "Annotations" / "1.xml").write_text(f"<annotation>{objects}</annotation>")
    (voc / "Annotations" / "2.xml").write_text("<annotation></annotation>")
    assert list(pascal_voc(tmp_path).values()) == ["horse", "unmarked", "unmarked"]
    with pytest.raises(HelpfulError, match="no folder JPEGImages"):
        pascal_voc(voc / "SegmentationClass")
