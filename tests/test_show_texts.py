"""Texts of readers, whatever is in them, through all that shows texts: shown is what was given."""

from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from helpers import show
from helpers.inputs import texts
from helpers.scenarios.audio import players
from helpers.scenarios.audio.players import SoundTile, show_sounds
from helpers.scenarios.audio.sounds import Sound
from helpers.scenarios.dna import views as of_dna
from helpers.scenarios.molecules import views as of_molecules
from helpers.scenarios.news.columns import show_columns
from helpers.scenarios.questions.choices import show_choices
from helpers.scenarios.questions.questions import Question
from helpers.scenarios.recommender import views as of_films
from helpers.scenarios.recommender.views import Advice, show_advice
from helpers.scenarios.start_here import views as of_start
from helpers.scenarios.video import filmstrip
from helpers.scenarios.video import views as of_video
from helpers.scenarios.video.filmstrip import Shot, Strip, show_film_strips
from helpers.show import Passage, Tile, show_passages

# What is given -> what is to be read; None for the same.
TEXTS = {
    "$5_$10": None,
    "$$": None,
    "sold for $31 a share, or $135 million": None,
    r"\$ 5 \alpha $\frac$": None,
    r"\(x^2\) \[y\] \begin{equation}": None,
    "a_b^c~d": None,
    "_first": None,
    "<b>bold</b> <script>alert(1)</script>": None,
    "&amp; & &lt;": None,
    "'single' \"double\" `back`": None,
    "# *not* [a link](b) | c": None,
    "100 % {0} {name} %s": None,
    "C:\\new\\table": None,
    "\U0001f600 \U0001f680": None,
    "\u4e2d\u6587\u5b57\u5e55": None,
    "\u0645\u0631\u062d\u0628\u0627": None,
    "\u0939\u093f\u0928\u094d\u0926\u0940": None,
    "e\u0301 nai\u0308ve": None,
    "\udce9t\udce9": r"\udce9t\udce9",
    "safe\u202egnp.exe": r"safe\u202egnp.exe",
    "nul\0 bell\a esc\x1b": r"nul\x00 bell\x07 esc\x1b",
    "a\tb": "a    b",
    "two\r\nlines": "two\nlines",
    "": None,
}
CASES = [pytest.param(given, given if then is None else then, id=ascii(given))
         for given, then in TEXTS.items()]  # fmt: skip
PHOTO = Image.new("RGB", (64, 64), "#123456")
SOUND = Sound(np.sin(np.arange(22_050) / 9).astype(np.float32), 22_050)
POINTS = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 1.0]])


class Reader(HTMLParser):
    """What a browser shows of an HTML page, and which tags there are in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags = "", set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.add(tag)
        self.text += "\n" if tag in ("br", "p", "td", "tr") else ""

    def handle_data(self, data: str) -> None:
        self.text += data


def formulas(page: str) -> list[str]:
    """The stretches between tags in which MathJax would find the beginning or end of a formula."""
    stretches = []

    class Stretches(HTMLParser):
        def handle_data(self, data: str) -> None:
            stretches.append(data)

    Stretches().feed(page)
    return [s for s in stretches if ("$" in s or "\\" in s) and s not in ("$", "\\")]


@pytest.fixture
def pages(monkeypatch):
    """What was displayed as HTML and plain text; pictures are left out."""
    kept = []

    def keep(data, raw=False):
        if raw:
            kept.append(data)

    monkeypatch.setattr("IPython.display.display", keep)
    return kept


@pytest.fixture
def drawn(monkeypatch, pages):
    """The texts of the figures, as they were drawn without any formula."""
    kept = []

    def keep(figure):
        texts.draw_plainly(figure)
        figure.canvas.draw()
        found = [text for text in figure.findobj(Text) if text.get_visible()]
        assert not any(text._preprocess_math(text.get_text())[1] for text in found)
        kept.extend(text.get_text() for text in found)
        plt.close(figure)

    for module in (show, of_dna, of_films, of_molecules, of_start, of_video, players):
        monkeypatch.setattr(module, "show_figure", keep)
    return kept


def molecules(text):
    of_molecules.show_molecules([[("CCO", text)]])


def ways(text):
    return {text: (0.5, 0.4, 0.6), "b": (1, 1, 1)}


FIGURES = {
    "grid": lambda text: show.show_grid([[Tile(PHOTO, text), Tile(PHOTO, "next")]]),
    "map": lambda text: show.show_map(POINTS, [PHOTO] * 3, [text, "b", "c"], "axis"),
    "matrix": lambda text: show.show_matrix(np.eye(2), [text, "b"], "title", "unit"),
    "bars": lambda text: show.show_bars({text: 1.0, "b": 2.0}, "title", "unit"),
    "titles": lambda text: show.show_bars({"a": 1.0}, text, text),
    "sounds": lambda text: show_sounds([[SoundTile(SOUND, text)]]),
    "shares": lambda text: of_dna.show_shares({text: [0.1, 0.2], "b": [0.3]}, 0.5, "unit"),
    "ways": lambda text: of_films.show_comparison({"t": ways(text)}, "share"),
    "questions": lambda text: of_films.show_comparison({text: ways("a")}, "share"),
    "stripes": lambda text: of_start.show_stripes(np.eye(2), [text, "b"]),
}


@pytest.mark.parametrize(("given", "then"), CASES)
@pytest.mark.parametrize("shower", FIGURES.values(), ids=FIGURES)
def test_a_figure_draws_the_text_as_it_is(shower, given, then, drawn, monkeypatch):
    monkeypatch.setattr(show, "shortened", lambda text, *_, **__: text)  # has a test of its own
    for module in (of_films, of_start, players):
        monkeypatch.setattr(module, "shortened", show.shortened)
    shower(given)
    assert then in [text.removeprefix("\u2713 ") for text in drawn]


def test_a_timeline_draws_names_as_they_are(drawn):
    of_video.show_timeline([("$5_$10", 0, 1), ("_b", 0, 1)], {})
    assert {"$5_$10 (1)", "_b (1)"} <= set(drawn)


PAGES = {
    "passage": lambda text: show_passages([Passage(text, spans=[(1, 3)])]),
    "title": lambda text: show_passages([Passage("a", text)]),
    "note": lambda text: show_passages([Passage("a", note=text)]),
    "column": lambda text: show_columns({"by words": [Passage(text, spans=[(1, 3)])], text: []}),
    "choice": lambda text: show_choices("lead", [Question("", text, ["answer"])]),
    "advice": lambda text: show_advice(text, [text], [Advice(text, [text], 0.5, text)]),
    "players": lambda text: show_sounds([[SoundTile(SOUND, text)]]),
}


@pytest.mark.parametrize(("given", "then"), CASES)
@pytest.mark.parametrize("shower", PAGES.values(), ids=PAGES)
def test_a_page_shows_the_text_as_it_is(shower, given, then, drawn, pages):
    shower(given)
    (data,) = pages
    read = Reader(data["text/html"])
    assert then in read.text
    own = {
        "p",
        "b",
        "i",
        "br",
        "mark",
        "span",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "audio",
        "ul",
        "div",
        "h3",
        "li",
    }
    assert read.tags <= own
    assert formulas(data["text/html"]) == []
    for line in then.split("\n"):
        assert line.strip() in data["text/plain"].replace("[", "").replace("]", "") or "[" in line
    data["text/plain"].encode()


def test_tables_of_notebooks_are_no_formulas():
    import pandas as pd

    assert "mathjax_ignore" in pd.DataFrame({"a": ["$5_$10"]})._repr_html_()


def test_the_numbers_of_a_log_axis_are_still_powers_of_ten(monkeypatch, shown):
    figure, axes = plt.subplots()
    axes.plot([1, 1000], [1, 1000])
    axes.set(xscale="log", yscale="log", title="$5_$10")
    show.show_figure(figure)
    labels = [label for label in axes.get_xticklabels() if "10^{2}" in label.get_text()]
    assert labels and all(label.get_parse_math() for label in labels)
    assert axes.title.get_text() == "$5_$10" and not axes.title.get_parse_math()


# Pictures made without matplotlib


def ink(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture)[..., 3]


@pytest.mark.parametrize("given", [text for text in TEXTS if text.strip()], ids=ascii)
def test_any_text_is_written_as_a_picture_that_its_box_holds(given):
    for size in (11, 16):
        picture = texts.written(given, size)
        letters = ink(picture) > 0
        assert letters.any() and picture.height == round(1.3 * size)
        assert picture.width <= texts.written(given + "W", size).width


def test_letters_of_other_scripts_differ_and_none_is_an_empty_box(monkeypatch):
    letters = "\u4e2d\u6587\ud55c\u304b\u0939\u0e01\u0645\u05e9\U0001f600"
    pictures = [texts.written(letter, 24) for letter in letters]
    shapes = {picture.tobytes() for picture in pictures}
    assert len(shapes) == len(letters)
    assert texts.drawable("\u4e2d \u0939")[0] == "\u4e2d \u0939"


def test_what_no_font_has_is_written_as_its_number(monkeypatch, capsys):
    assert texts.drawable("a\U00013080b") == ("aU+13080b", ["DejaVu Sans"])


def test_without_the_fonts_other_scripts_are_numbers_and_the_reason_is_told(monkeypatch, capsys):
    def refuse(name):
        raise texts.AssetError("No network.")

    monkeypatch.setattr(texts, "fetch", refuse)
    texts._added.cache_clear()
    try:
        assert texts.drawable("\u4e2d$") == ("U+4E2D$", ["DejaVu Sans"])
        assert "for want of a font: No network." in capsys.readouterr().out
        assert texts.drawable("caf\u00e9")[0] == "caf\u00e9"
        assert capsys.readouterr().out == ""
    finally:
        texts._added.cache_clear()


def test_a_long_name_loses_its_middle():
    name = "photos of last summer, taken in the hills.jpeg"
    short = texts.shortened(name, 150)
    start, end = short.split("\u2026")
    assert name.startswith(start) and name.endswith(end) and len(end) > 4
    assert texts.written(short, 14).width <= 150 < texts.written(name, 14).width
    assert texts.shortened("short", 150) == "short"


def test_long_captions_do_not_reach_the_next(drawn):
    show.show_grid([[Tile(PHOTO, "a very long name of a photo.jpg")] * 3])
    captions = [text for text in drawn if "\u2026" in text]
    assert len(captions) == 3


@pytest.fixture
def pictures(monkeypatch, shown):
    monkeypatch.setattr(filmstrip, "show_photo", shown.append)
    return shown


def test_texts_of_strips_frames_and_molecules_are_all_drawn(pictures):
    """Each text makes a picture of its own, so none is dropped, cut or taken for markup."""
    texts = [text for text in TEXTS if text.strip()]
    for text in texts:
        show_film_strips([Strip([Shot(PHOTO, 1.0)], text, PHOTO, text)])
        molecules(text)
        frame = np.full((90, 900, 3), 100, np.uint8)
        pictures.append(of_video.annotate(frame, [of_video.Mark((10, 40, 800, 40), text)]))
    for kind in range(3):
        assert len({picture.tobytes() for picture in pictures[kind::3]}) == len(texts)


def test_a_molecule_is_drawn_with_its_words_below_it(shown):
    molecules("")
    molecules("a<sub>2</sub>")
    before, after = (np.asarray(picture.convert("L")).astype(int) for picture in shown)
    rows = np.flatnonzero((abs(before - after) > 60).any(axis=1))  # the palettes differ a little
    assert rows.min() >= 160 and rows.max() < 190
    assert before[:160].min() < 100
