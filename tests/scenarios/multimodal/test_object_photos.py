"""What was written about the object photos, and what readers bring of their own."""

import os
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from helpers.errors import HelpfulError
from helpers.inputs.tables import own_table
from helpers.scenarios.multimodal.object_photos import (
    Photo,
    load_object_photos,
    load_own_photos,
    load_queries,
    record,
    text_card,
)


@pytest.fixture(scope="module")
def photos():
    return load_object_photos()


def test_each_photo_has_a_file_a_short_description_and_five_keywords(photos):
    assert len(photos) == len({photo.path for photo in photos}) == 99
    assert all(photo.path.is_file() for photo in photos)
    assert "54.jpg" not in {photo.path.name for photo in photos}
    assert len({photo.label for photo in photos}) == 99
    for photo in photos:
        assert 10 <= len(photo.description.split()) <= 50, photo
        assert len(set(photo.keywords)) == 5, photo


def test_labels_that_were_corrected(photos):
    labels = {photo.path.stem: photo.label for photo in photos}
    assert "match" in labels["56"]
    assert "tube anemone" in labels["62"]
    assert labels["89"] == "mongoose"


def test_queries_cover_every_photo_and_avoid_its_label(photos):
    queries = load_queries(photos)
    assert len(queries) == 130
    assert {number for _, number in queries} == set(range(99))
    common = {"a", "on", "of", "in", "and", "at", "the", "with", "style"}
    for text, number in queries:
        words = set(re.findall(r"\w+", text.lower()))
        label = set(re.findall(r"\w+", photos[number].label.lower())) - common
        assert len(words & label) <= 1, (text, photos[number].label)
        assert not label <= words, (text, photos[number].label)


def test_queries_about_missing_photos_are_left_out(photos):
    some = load_queries(photos[1:3])
    assert {number for _, number in some} == {0, 1}
    assert load_queries([]) == []


def test_each_class_of_imagenet_has_a_sentence():
    classes = own_table("imagenet_classes.csv")
    assert [int(row["index"]) for row in classes] == list(range(1000))
    assert classes[1]["name"] == "goldfish"
    assert classes[999]["name"].startswith("toilet")
    assert all(4 <= len(row["description"].split()) <= 60 for row in classes)


def test_chinese_queries_repeat_every_sixth_query():
    english = {(row["query"], row["file"]) for row in own_table("object_photo_queries.csv")}
    chinese = own_table("object_photo_queries_chinese.csv")
    assert len(chinese) == 22
    assert {(row["english"], row["file"]) for row in chinese} <= english
    assert not any(re.search("[a-z]", row["query"]) for row in chinese)


def test_what_milvus_stores_is_readable_and_fits(tmp_path):
    odd = tmp_path / os.fsdecode(b"\xff$x_1$.png")
    stored = record(Photo(odd, "x", "象" * 30_000, ["a"]))
    assert stored["origin"] == "\N{REPLACEMENT CHARACTER}$x_1$.png"
    assert stored["image_description"] == "象" * 21_845  # 65,535 bytes
    assert stored["description"] == "象" * 30_000
    assert stored["path"] == str(odd)


@pytest.fixture
def folder(tmp_path):
    for name in ("red_barn.jpg", "IMG-1.png", "sub/car.jpg"):
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), "red").save(path)
    return tmp_path / "mine"


def test_own_photos_are_described_by_their_names(folder):
    found = load_own_photos(folder)
    assert [(p.path.name, p.label, p.description, p.keywords) for p in found] == [
        ("IMG-1.png", "IMG 1", "IMG 1", []),
        ("red_barn.jpg", "red barn", "red barn", []),
        ("car.jpg", "car", "car", []),
    ]


def test_own_photos_with_a_csv(folder, capsys):
    (folder / "descriptions.csv").write_text(
        "\ufefffile,description,keywords\n"
        "red_barn.jpg, A barn in the snow. ,barn; snow;\n"
        'IMG-1.png,"\U0001f600 ...",\n'
        "gone.jpg,Not there.,\n"
        "sub/car.jpg\n",
        encoding="utf-8",
    )
    first, barn, car = load_own_photos(folder)
    assert barn.description == "A barn in the snow."
    assert (barn.label, barn.keywords) == ("red barn", ["barn", "snow"])
    assert (first.description, car.description) == ("IMG 1", "car")
    assert capsys.readouterr().out == (
        "3 left out, rows of descriptions.csv: line 3: no description, "
        "line 4: no picture gone.jpg, line 5: no description\n"
    )


def test_a_csv_in_composed_letters_finds_a_mac_s_names(folder, capsys):
    Image.new("RGB", (9, 9)).save(folder / "cafe\u0301.png")
    (folder / "notes.csv").write_text("a,b")
    many = ";".join(["word"] * 65)
    (folder / "descriptions.csv").write_text(
        f"file,description,keywords\ncafé.png,A café.,\nred_barn.jpg,A barn.,{many}\n",
        encoding="utf-8",
    )
    found = {photo.path.name: photo.description for photo in load_own_photos(folder)}
    assert found["cafe\u0301.png"] == "A café." and found["red_barn.jpg"] == "red barn"
    assert capsys.readouterr().out == (
        "1 left out, not named descriptions.csv: notes.csv\n"
        "1 left out, rows of descriptions.csv: line 3: more than 64 keywords, or one of more than "
        "256 bytes\n"
    )


def test_own_photos_whose_names_say_nothing(tmp_path):
    for name in ("___.png", "\N{GRINNING FACE}.png", "\udcff.png", "caf\udce9 noir.png"):
        Image.new("RGB", (9, 9)).save(tmp_path / name, "PNG")
    found = {photo.path.name: photo.description for photo in load_own_photos(tmp_path)}
    assert found.pop("caf\udce9 noir.png") == "caf\ufffd noir"
    assert list(found.values()) == ["a photo"] * 3


def test_own_photos_in_a_zip(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path / "cache"))
    (folder / "descriptions.csv").write_text("file,description\nred_barn.jpg,A barn.\n")
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        for name in ("red_barn.jpg", "descriptions.csv"):
            archive.write(folder / name, name)
    assert [photo.description for photo in load_own_photos(tmp_path / "mine.zip")] == ["A barn."]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name,text\na,b\n", "no column file and no column description"),
        (b"", "descriptions.csv is empty"),
    ],
)
def test_a_csv_that_is_wrong_is_explained(folder, content, said):
    (folder / "descriptions.csv").write_bytes(content)
    with pytest.raises(HelpfulError, match=said):
        load_own_photos(folder)


def test_a_folder_without_pictures_is_explained(tmp_path):
    with pytest.raises(HelpfulError, match="holds no file of the kinds"):
        load_own_photos(tmp_path)
    with pytest.raises(HelpfulError, match="There is no file or folder"):
        load_own_photos(tmp_path / "nowhere")


def ink(card):
    return np.asarray(card.convert("L")) < 128


@pytest.mark.parametrize(
    "text",
    ["a red barn", "x" * 100_000, "word " * 500, "שלום עולם", "\U0001f600 and more", "in the"],
)
def test_a_text_card_shows_the_text_inside_its_edges(text):
    card = text_card(text)
    dark = ink(card)
    assert card.size == (256, 256)
    assert dark.sum() > 50
    edge = np.ones_like(dark)
    edge[3:-3, 3:-3] = False
    assert not (dark & edge).any()


def test_a_longer_text_covers_more_of_its_card():
    assert ink(text_card("a red barn in deep snow by a lake")).sum() > ink(text_card("barn")).sum()
    assert not ink(text_card("")).any()


def test_chinese_is_set_as_large_as_other_texts():
    heights = []
    for text in ("a songbird with a black bib", "喉部黑色脸颊白色的鸣禽站在细茎上"):
        dark = np.asarray(text_card(text).convert("L")) < 128
        heights.append(np.flatnonzero(dark.any(axis=1)).size)
    assert min(heights) > max(heights) / 2
