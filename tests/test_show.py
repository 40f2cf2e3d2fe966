"""Pictures, bars and controls, as a notebook and its reader get them."""

import asyncio
from datetime import datetime

import nbformat
import numpy as np
import pytest
import run_notebooks
from nbclient import NotebookClient
from PIL import Image

from helpers import show
from helpers.errors import HelpfulError
from helpers.show import Tile, show_bars, show_grid, show_map, show_matrix
from helpers.widgets import file_box, text_box


def has(picture: Image.Image, colour: str) -> bool:
    """Whether at least 50 pixels are of a colour, given as ``#rrggbb``."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return (
        np.abs(np.asarray(picture.convert("RGB")).astype(int) - wanted).max(axis=2) < 4
    ).sum() > 50


PHOTO = Image.new("RGB", (200, 100), "#123456")


def test_a_grid_marks_right_and_wrong(shown):
    show_grid([[Tile(PHOTO, "query"), Tile(PHOTO, "hit", True)], [Tile(PHOTO, "query")]])
    assert has(shown[0], show.RIGHT)
    assert not has(shown[0], show.WRONG)
    show_grid([[Tile(PHOTO, "query"), Tile(PHOTO, "hit", False)]])
    assert has(shown[1], show.WRONG)
    assert has(shown[1], "#123456"), "the photo itself is there"


def test_large_pictures_are_shown_in_few_colours_and_plots_as_they_are(shown):
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3), np.uint8)
    show_grid([[Tile(Image.fromarray(noise))] * 6] * 3)
    assert shown[0].mode == "P"
    show_bars({"a": 0.5, "b": 0.9}, "title", "unit")
    assert shown[1].convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    assert shown[1].mode != "P"


def test_a_map_shows_every_class_in_its_colour(shown):
    points = np.random.default_rng(0).normal(size=(30, 2))
    labels = ["cat", "dog", "bird"] * 10
    show_map(points, [PHOTO] * 30, labels, axis="t-SNE dimension")
    assert all(has(shown[0], colour) for colour in show.COLOURS[:3])
    assert not has(shown[0], show.COLOURS[3])
    assert max(shown[0].size) <= 1600


def test_a_map_of_more_classes_than_colours(shown):
    points = np.random.default_rng(0).normal(size=(12, 2))
    show_map(points, [PHOTO] * 12, [f"class {i}" for i in range(12)], axis="dimension")
    assert len(shown) == 1


def test_a_map_of_one_photo(shown):
    show_map(np.zeros((1, 2)), [PHOTO], ["cat"], axis="dimension")
    assert has(shown[0], show.COLOURS[0])


def test_a_picture_that_cannot_be_read_is_grey(shown, tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    show_grid([[Tile(tmp_path / "text.jpg", "query"), Tile(PHOTO, "hit", True)]])
    assert has(shown[0], "#d3d3d3")


def test_thumbnails_show_what_is_encoded(tmp_path):
    """Transparent is white and 16 bits are scaled, as in open_image."""
    Image.new("RGBA", (300, 300), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert show.thumbnail(tmp_path / "clear.png", 16).getpixel((8, 8)) == (255, 255, 255)
    grey = Image.fromarray(np.full((300, 300), 32768, np.uint16))
    assert show.thumbnail(grey, 16).getpixel((8, 8)) == (127, 127, 127)


def test_bars_and_matrix(shown):
    show_bars({"a": 0.5, "b": 0.9}, "title", "unit")
    show_matrix(np.eye(3), ["a", "b", "c"], "title", "unit")
    assert has(shown[0], show.COLOURS[0])
    assert len(shown) == 2


UPLOAD = {
    "name": "photo.jpg", "content": memoryview(b"pixels"), "size": 6, "type": "image/jpeg",
    "last_modified": datetime(2020, 1, 1),
}  # fmt: skip


def press(box, path="", upload=None):
    controls, result = box.children
    if upload:
        controls.children[0].value = [upload]
    controls.children[-2].value = path
    controls.children[-1].click()
    return "".join(output.get("text", "") for output in result.outputs)


@pytest.fixture
def box(monkeypatch):
    """A file box whose output widget can be read without a kernel."""
    got = []
    return file_box(lambda content, name: got.append((content, name)), "image/*", "Search"), got


def test_a_file_named_by_its_path(box, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"pixels")
    press(box[0], str(tmp_path / "photo.jpg"))
    assert box[1] == [(b"pixels", "photo.jpg")]


def test_a_file_uploaded(box):
    press(box[0], upload=UPLOAD)
    assert box[1] == [(b"pixels", "photo.jpg")]


def test_the_latest_choice_counts(box, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"old")
    press(box[0], str(tmp_path / "photo.jpg"))
    upload = box[0].children[0].children[0]
    upload.value = [UPLOAD]
    assert box[0].children[0].children[-2].value == ""


def test_mistakes_are_one_sentence(box, tmp_path, capsys):
    press(box[0])
    assert "Upload a file or type the path of one" in capsys.readouterr().out
    press(box[0], str(tmp_path / "nowhere.jpg"))
    assert "nowhere.jpg could not be read: No such file or directory." in capsys.readouterr().out
    press(box[0], str(tmp_path))
    assert "could not be read" in capsys.readouterr().out
    assert box[1] == []


def test_an_error_of_the_handler(tmp_path, capsys):
    def refuse(content, name):
        raise HelpfulError("This cannot be searched.")

    (tmp_path / "a").touch()
    press(file_box(refuse, "*", "Search"), str(tmp_path / "a"))
    assert capsys.readouterr().out.endswith("This cannot be searched.\n")


def test_a_line_of_text(capsys):
    got = []
    line = text_box(got.append, "a sentence", "Search")
    line.children[0].children[0].value = " hello "
    line.children[0].children[-1].click()
    assert got == ["hello"]
    line.children[0].children[0].value = " "
    line.children[0].children[-1].click()
    assert "Type something first (a sentence)" in capsys.readouterr().out


def run_cell(source: str) -> list:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    asyncio.run(NotebookClient(notebook, kernel_name="python3", timeout=60).async_execute())
    return notebook.cells[0].outputs


def run_bar(source: str) -> str:
    """What a reader sees of the output in the end: what was drawn over is gone."""
    outputs = run_cell(f"from helpers.progress import progress_bar\n{source}")
    assert {output.name for output in outputs} == {"stdout"}
    tidied = run_notebooks._tidy_outputs(outputs)
    return "".join(output.text for output in tidied)


def test_progress_in_a_notebook_leaves_one_finished_line():
    text = run_bar(
        "with progress_bar(50, 'Encoding photos', 'photo') as bar:\n"
        "    for _ in range(50): bar.update()\n"
        "print('done')"
    )
    first, second = text.splitlines()
    assert first.startswith("Encoding photos: 50/50 |████████████████████|")
    assert second == "done"
    assert "%|" not in text


def test_progress_stopped_by_an_error_says_how_far_it_came():
    text = run_bar(
        "try:\n"
        "    with progress_bar(50, 'Encoding', 'photo') as bar:\n"
        "        bar.update(7); raise KeyError\n"
        "except KeyError: print('stopped')"
    )
    assert "7/50" in text.splitlines()[0]
    assert text.endswith("stopped\n")


def test_a_helpful_error_is_one_sentence_in_a_notebook():
    from nbclient.exceptions import CellExecutionError

    with pytest.raises(CellExecutionError) as caught:
        run_cell("from helpers.errors import HelpfulError\nraise HelpfulError('Do this.')")
    assert caught.value.traceback.count("\n") < 12
    assert "HelpfulError: Do this." in caught.value.traceback
    assert "errors.py" not in caught.value.traceback
