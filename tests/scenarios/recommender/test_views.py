"""What the recommender shows."""

import re

import numpy as np
import pandas as pd
import pytest

from helpers.scenarios.recommender.views import (
    Advice,
    show_advice,
    show_comparison,
    show_training,
)


@pytest.fixture
def tables(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    return shown


@pytest.fixture
def drawn_axes(monkeypatch):
    kept = []
    monkeypatch.setattr("helpers.scenarios.recommender.views.show_figure", kept.append)
    return kept


def test_advice_is_a_table_with_its_text_beside(tables):
    title = "A Title of More than Fifty Letters, for Which Some Tables Have no Room (1995)"
    heat = Advice(title, ["Action", "Crime"], 0.51234, "Ronin <1998>")
    show_advice("Somebody & co", ["A <1>", "B"], [heat, Advice("X", [], 0)])
    (data,) = tables
    rich, plain = data["text/html"], data["text/plain"].splitlines()
    assert "<b>Somebody &amp; co</b><br>latest: A &lt;1&gt; · B" in rich
    cells = re.findall(r'<(?:td|th) style="text-align:left">(.*?)</t', rich)
    assert cells == [
        *("", "recommended", "genres", "score", "because you watched"),
        *("1", title, "Action, Crime", "0.512", "Ronin &lt;1998&gt;"),
        *("2", "X", "", "0.000", "-"),
    ]
    assert plain[:2] == ["Somebody & co", "latest: A <1> · B"]
    assert re.split("  +", plain[3]) == ["1", title, "Action, Crime", "0.512", "Ronin <1998>"]
    assert re.split(" +", plain[4].strip()) == ["2", "X", "0.000", "-"]


def test_without_a_history_the_table_says_so(tables):
    show_advice("New", [], [])
    assert "latest: nothing yet" in tables[0]["text/plain"]
    assert all("No film that is left fits" in text for text in tables[0].values())


def count(picture, *colours):
    """How many pixels have each colour."""
    pixels = np.array(picture.convert("RGB")).reshape(-1, 3)
    return [int((pixels == colour).all(axis=1).sum()) for colour in colours]


BLUE, ORANGE, GREY = (0, 0x72, 0xB2), (0xE6, 0x9F, 0), (0x55, 0x55, 0x55)


def test_a_training_has_a_curve_for_the_loss_and_for_each_check(shown):
    show_training([3.0, 2, 1], pd.DataFrame({"a": [0.1, 0.2]}), "share")
    show_training([3.0, 2, 1], pd.DataFrame({"a": [0.1, 0.2], "b": [0.2, 0.1]}), "share")
    (blue, orange), (blue_too, orange_too) = (count(picture, BLUE, ORANGE) for picture in shown)
    assert min(blue, blue_too) > 100 and orange == 0 and orange_too > 100


def test_the_comparison_sets_the_last_apart_in_colour(shown):
    show_comparison({"here": {"them": (0.1, 0.09, 0.11), "us": (0.2, 0.19, 0.21)}}, "HR@10")
    ours, theirs = count(shown[0], BLUE, GREY)
    assert 1.5 < ours / theirs < 2.5


def test_each_question_has_a_panel_of_its_own(drawn_axes):
    here = {"them": (0.1, 0.09, 0.11), "us": (0.2, 0.19, 0.23)}
    there = {"them": (0.05, 0.04, 0.06), "us": (0.1, 0.09, 0.11)}
    show_comparison({"here": here, "there": there}, "HR@10")
    (figure,) = drawn_axes
    assert [axes.get_title() for axes in figure.axes] == ["here", "there"]
    widths = [[bar.get_width() for bar in axes.patches] for axes in figure.axes]
    assert widths == [[0.1, 0.2], [0.05, 0.1]]
    whisker = figure.axes[0].collections[0].get_segments()[1]
    assert whisker[:, 0].tolist() == pytest.approx([0.19, 0.23])
