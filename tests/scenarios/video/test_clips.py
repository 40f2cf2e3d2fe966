"""Where videos come from, and what a query may be."""

import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from helpers.assets import fetch
from helpers.errors import BadItem, HelpfulError
from helpers.scenarios.video.clips import (
    file_hash,
    load_clips,
    mirrored_excerpt,
    preview_all,
    query_pictures,
)
from helpers.scenarios.video.frames import KeyFrame, read_frames, video_facts
from tests.scenarios.video.test_frames import make_video

pytest_plugins = ["tests.services_world"]


def test_there_are_thirteen_clips_that_can_be_read():
    clips = load_clips()
    assert len(clips) == 13 and len(set(clips.values())) == 13
    for path in clips.values():
        assert next(read_frames(path)).image.ndim == 3


def test_the_shortened_copy_holds_frames_of_the_other():
    clips = load_clips()
    whole, cut = (
        [frame.image.astype(int) for frame in read_frames(clips[name])]
        for name in ("flight 2", "flight 2, cut")
    )
    assert len(cut) < 0.6 * len(whole)
    for image in (cut[0], cut[20], cut[-1]):
        assert min(np.abs(image - other).mean() for other in whole) < 3


def test_own_videos_are_named_after_their_files_and_folders(tmp_path):
    (tmp_path / "summer").mkdir()
    for name in ("b.mp4", "summer/a.MOV", "summer/notes.txt", ".hidden.mp4"):
        (tmp_path / name).write_text("whatever")
    assert list(load_clips(tmp_path)) == ["b.mp4", "summer/a.MOV"]
    assert load_clips(str(tmp_path / "b.mp4")) == {"b.mp4": tmp_path / "b.mp4"}
    assert list(load_clips(tmp_path / "summer")) == ["a.MOV"]


def test_a_zip_of_videos(tmp_path, monkeypatch):
    monkeypatch.setattr("helpers.inputs.files.cache_dir", lambda: tmp_path / "cache")
    make_video(tmp_path / "film.mp4", [0, 100])
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        archive.write(tmp_path / "film.mp4", "deep/film.mp4")
    ((name, path),) = load_clips(tmp_path / "films.zip").items()
    assert name == "film.mp4" and len(list(read_frames(path))) == 2


def test_nothing_to_load_is_said_in_words(tmp_path):
    (tmp_path / "notes.txt").write_text("no film")
    with pytest.raises(HelpfulError, match="holds no file of the kinds .*mp4"):
        load_clips(tmp_path)
    with pytest.raises(HelpfulError, match="no file or folder .*missing"):
        load_clips(tmp_path / "missing")


def test_a_hash_is_that_of_the_content(tmp_path):
    for name, content in {"a": "one", "b": "one", "c": "two"}.items():
        (tmp_path / name).write_text(content)
    same, also, other = (file_hash(tmp_path / name) for name in "abc")
    assert same == also != other and len(same) == 64
    assert file_hash(str(tmp_path / "a")) == same


def test_a_file_that_cannot_be_read_has_no_hash(tmp_path):
    for path, reason in {tmp_path / "missing.mp4": "No such file", tmp_path: "a folder"}.items():
        with pytest.raises(BadItem, match=reason):
            file_hash(path)


def test_names_of_own_videos_can_be_written_everywhere(tmp_path):
    names = [b"caf\xe9.mp4", b"a\nb.mp4", "\N{CLAPPER BOARD} \u05e9.mp4".encode()]
    for name in names:
        (tmp_path / os.fsdecode(name)).touch()
    clips = load_clips(tmp_path)
    assert set(clips) == {"caf\\udce9.mp4", "a\\nb.mp4", "\N{CLAPPER BOARD} \u05e9.mp4"}
    assert all(path.exists() for path in clips.values())


def each_tenth(frames):
    for frame in frames:
        if frame.number % 10 == 0:
            picture = Image.fromarray(frame.image)
            yield KeyFrame(frame.number, frame.seconds, 0, "", picture)


def test_a_query_is_a_picture_or_frames_of_a_video(tmp_path):
    Image.new("RGB", (40, 30), "red").save(tmp_path / "shot.jpg")
    (picture,) = query_pictures(tmp_path / "shot.jpg", each_tenth)
    assert picture.size == (40, 30) and picture.getpixel((0, 0))[0] > 240
    video = make_video(tmp_path / "Film.MP4", [90] * 35)
    assert [p.size for p in query_pictures(video, each_tenth)] == [(64, 48)] * 4
    shades = [number % 250 for number in range(410)]
    many = query_pictures(make_video(tmp_path / "long.mp4", shades), each_tenth)
    assert 10 <= len(many) <= 20, "of 41 at most 20, over all its length"
    assert abs(np.asarray(many[-1]).mean() - 400 % 250) < 8


def test_an_animated_gif_is_a_video():
    pictures = query_pictures(fetch("clips-imageio") / "newtonscradle.gif", each_tenth)
    assert [picture.size for picture in pictures] == [(200, 150)] * 4


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "a.jpg", "empty file"),
        (b"", "a.mp4", "an empty file"),
        (b"not a film", "a.mp4", "holds no video"),
        (b"not a picture", "a", "not a picture"),
        (b"not a picture", "\N{CLAPPER BOARD} \u05e9.png", "not a picture"),
    ],
)
def test_a_query_that_is_neither_is_refused(content, name, reason, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadItem, match=reason):
        query_pictures(tmp_path / name, each_tenth)


def test_an_excerpt_is_the_mirrored_beginning(tmp_path):
    path = load_clips()["bikes"]
    (tmp_path / "excerpt.mp4").write_bytes(mirrored_excerpt(path, seconds=1))
    facts = video_facts(tmp_path / "excerpt.mp4")
    assert (facts.width, facts.height, facts.frames) == (320, 136, 25)
    first, excerpt = (
        next(read_frames(path)).image,
        next(read_frames(tmp_path / "excerpt.mp4")).image,
    )
    small = np.asarray(Image.fromarray(first).resize((320, 136))).astype(int)
    as_it_was, mirrored = (np.abs(excerpt - side).mean() for side in (small, small[:, ::-1]))
    assert mirrored < 6 < as_it_was


def test_an_excerpt_of_nothing_is_refused(tmp_path):
    with pytest.raises(BadItem, match="No such file"):
        mirrored_excerpt(tmp_path / "missing.mp4")


def test_previews_are_frames_from_near_the_beginning_of_what_can_be_read(tmp_path):
    (tmp_path / "text.mp4").write_text("not a film")
    clips = {"bad": tmp_path / "text.mp4", "long": make_video(tmp_path / "a.mp4", range(0, 250, 5))}
    clips |= {name: make_video(tmp_path / f"{name}.mp4", [90]) for name in ("one", "two", "three")}
    previews = preview_all(clips, most=3)
    assert list(previews) == ["long", "one", "two"]
    assert abs(np.asarray(previews["long"]).mean() - 35 * 5) < 8
    assert abs(np.asarray(previews["one"]).mean() - 90) < 8
    with pytest.raises(HelpfulError, match=r"None of these videos .* bad \(holds no video"):
        preview_all({"bad": clips["bad"]}, most=3)
