"""What the recommender shows."""

import re

import numpy as np
import pytest

from helpers.scenarios.recommender.views import (
    Advice,
    main_genre,
    show_advice,
    show_comparison,
    show_film_map,
)


@pytest.fixture
def tables(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    return shown


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


def test_the_main_genre_is_the_first_of_the_list_that_fits():
    assert main_genre(["Action", "Horror"], ["Horror", "Action"]) == "Horror"
    assert main_genre(["War"], ["Horror"]) == "other"


def test_the_map_has_a_dot_in_the_colour_of_each_genre(shown):
    points = np.array([[0.0, 0], [1, 1], [0.5, 0.2]])
    show_film_map(points, ["War", "other", "War"], ["War"], {1: "A film"}, "dimension")
    (picture,) = shown
    pixels = np.array(picture.convert("RGB")).reshape(-1, 3)
    for colour in ((0x00, 0x72, 0xB2), (0xDD, 0xDD, 0xDD)):
        assert (pixels == colour).all(axis=1).any()


def test_the_comparison_sets_the_last_apart_in_colour(shown):
    show_comparison({"them": 0.1, "us": 0.2}, {"them": 0.01, "us": 0.01}, "HR@10")
    pixels = np.array(shown[0].convert("RGB")).reshape(-1, 3)
    ours, theirs = (
        (pixels == colour).all(axis=1).sum() for colour in ((0, 0x72, 0xB2), (0x55, 0x55, 0x55))
    )
    assert 1.5 < ours / theirs < 2.5
