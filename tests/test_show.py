"""Pictures and bars, as a notebook and its reader get them."""

import asyncio

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import run_notebooks
from matplotlib.colors import to_hex
from nbclient import NotebookClient
from PIL import Image

from helpers import show
from helpers.show import Tile, show_bars, show_figure, show_grid, show_map, show_matrix


def has(picture: Image.Image, colour: str) -> bool:
    """Whether at least 50 pixels are about of a colour, given as ``#rrggbb``."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    off = np.abs(np.asarray(picture.convert("RGB")).astype(int) - wanted).max(axis=2)
    return (off < 25).sum() > 50  # a JPEG keeps no colour exactly


PHOTO = Image.new("RGB", (200, 100), "#123456")


@pytest.fixture
def figures(monkeypatch, shown):
    """The figures before they became pictures."""
    kept, show_figure = [], show.show_figure
    monkeypatch.setattr(show, "show_figure", lambda f: (kept.append(f), show_figure(f)))
    return kept


def test_a_grid_marks_right_and_wrong(shown):
    show_grid([[Tile(PHOTO, "query"), Tile(PHOTO, "hit", True)], [Tile(PHOTO, "query")]])
    assert has(shown[0], show.RIGHT)
    assert not has(shown[0], show.WRONG)
    show_grid([[Tile(PHOTO, "query"), Tile(PHOTO, "hit", False)]])
    assert has(shown[1], show.WRONG)
    assert has(shown[1], "#123456"), "the photo itself is there"


def test_a_grid_has_a_caption_for_each_and_nothing_where_a_row_is_short(figures):
    show_grid([[Tile(PHOTO, "query"), Tile(PHOTO, "hit", True), Tile(PHOTO, "miss", False)]])
    show_grid([[Tile(PHOTO, "query")], [Tile(PHOTO, "query"), Tile(PHOTO, "hit", True)]])
    labels = [place.xaxis.label for place in figures[0].axes]
    assert [label.get_text() for label in labels] == ["query", "✓ hit", "✗ miss"]
    colours = [show.NEUTRAL, show.RIGHT, show.WRONG]
    assert [label.get_color() for label in labels] == colours
    frames = [place.spines["left"] for place in figures[0].axes]
    assert [to_hex(frame.get_edgecolor(), False).upper() for frame in frames] == colours
    assert [frame.get_linewidth() for frame in frames] == [1, 3, 3]
    assert [len(place.images) for place in figures[1].axes] == [1, 0, 1, 1]
    assert [place.axison for place in figures[1].axes] == [True, False, True, True]


def test_nothing_found_shows_nothing(shown):
    for rows in ([], [[], []]):
        show_grid(rows)
    assert shown == []


def test_photos_are_shown_as_jpegs_and_plots_as_pngs(shown):
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3), np.uint8)
    show_grid([[Tile(Image.fromarray(noise))] * 6] * 3)
    show_bars({"a": 0.5, "b": 0.9}, "title", "unit")
    show_matrix(np.random.default_rng(0).random((300, 300)), [""] * 300, "title", "unit")
    assert [picture.format for picture in shown] == ["JPEG", "PNG", "PNG"]
    assert shown[1].convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    assert [picture.mode for picture in shown[1:]] == ["RGBA", "P"], "large ones in few colours"


def test_the_colours_of_letters_in_a_jpeg_are_as_fine_as_the_greys(shown):
    figure, axes = plt.subplots()
    axes.imshow(np.full((4, 4, 3), 255, np.uint8))
    show_figure(figure)
    assert [(sampling[1], sampling[2]) for sampling in shown[0].layer] == [(1, 1)] * 3


def test_a_map_shows_every_class_in_its_colour(shown):
    points = np.random.default_rng(0).normal(size=(30, 2))
    labels = ["cat", "dog", "bird"] * 10
    show_map(points, [PHOTO] * 30, labels, axis="t-SNE dimension")
    assert all(has(shown[0], colour) for colour in show.COLOURS[:3])
    assert not has(shown[0], show.COLOURS[3])
    assert max(shown[0].size) <= 1600


def at(axes, point):
    """The pixel of a map's canvas at a point of its axes: (row, column)."""
    left, right, bottom, top = axes.images[0].get_extent()
    height, width = axes.images[0].get_array().shape[:2]
    x, y = point
    return round((top - y) / (top - bottom) * height), round((x - left) / (right - left) * width)


def test_a_map_has_every_picture_where_its_point_is(figures):
    points = np.array([[-3.0, 10.0], [5.0, 10.0], [1.0, 90.0]])
    fills = ["#ff0000", "#00ff00", "#0000ff"]
    photos = [Image.new("RGB", (200, 200), fill) for fill in fills]
    show_map(points, photos, ["cat", "dog", "cat"], axis="t-SNE dimension")
    (axes,) = figures[0].axes
    canvas = axes.images[0].get_array()
    for point, fill, frame in zip(points, fills, [0, 1, 0], strict=True):
        row, column = at(axes, point)
        assert to_hex(canvas[row, column] / 255) == fill
        assert to_hex(canvas[row, column - 15] / 255).upper() == show.COLOURS[frame]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "t-SNE dimension 1 (no unit)",
        "t-SNE dimension 2 (no unit)",
    )
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["cat", "dog"]


def test_a_map_of_more_classes_than_colours(figures, shown):
    points = np.random.default_rng(0).normal(size=(12, 2))
    names = [f"class {i}" for i in range(12)]
    show_map(points, [PHOTO] * 12, names, axis="dimension")
    assert all(has(shown[0], colour) for colour in show.COLOURS)
    legend = figures[0].axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == names
    colours = [handle.get_color() for handle in legend.legend_handles]
    assert colours == [*show.COLOURS, *show.COLOURS[:4]], "the first ones are used again"


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
    assert show.thumbnail(grey, 16).getpixel((8, 8)) == (128, 128, 128)


def test_bars_are_labelled_and_the_largest_is_on_top(figures, shown):
    show_bars({"b": 0.5, "a": 0.925, "c": 0.75}, "a title", "share of hits")
    (axes,) = figures[0].axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "c", "a"]
    assert [bar.get_width() for bar in axes.patches] == [0.5, 0.75, 0.925]
    assert [text.get_text() for text in axes.texts] == ["0.50", "0.75", "0.93"]
    assert (axes.get_title(), axes.get_xlabel()) == ("a title", "share of hits")
    assert has(shown[0], show.COLOURS[0])


def test_a_matrix_is_light_where_its_values_are_large(figures):
    values = np.array([[0.0, 1.0], [0.25, 0.5]])
    show_matrix(values, ["a", "b"], "a title", "cosine similarity")
    axes, bar = figures[0].axes
    (picture,) = axes.images
    light = picture.to_rgba(picture.get_array())[..., :3].mean(axis=2)
    assert np.argsort(light, axis=None).tolist() == [0, 2, 3, 1]
    names = [label.get_text() for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]]
    assert names == ["a", "b"] * 2
    assert [text.get_text() for text in axes.texts] == ["0.00", "1.00", "0.25", "0.50"]
    assert (axes.get_title(), bar.get_ylabel()) == ("a title", "cosine similarity")


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
