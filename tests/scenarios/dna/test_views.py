"""Pictures of classifiers: what stands in them, and that they have the size a notebook takes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyopal
import pytest

from helpers.scenarios.dna import views


@pytest.fixture
def figures(monkeypatch, shown):
    """The figures before they became pictures."""
    kept, show_figure = [], views.show_figure
    monkeypatch.setattr(views, "show_figure", lambda f: (kept.append(f), show_figure(f)))
    return kept


def test_each_method_has_a_point_and_an_interval_in_each_test_it_was_in(figures, shown):
    pairs = {("naive", "DNA"): (0.9, 0.8, 1), ("naive", "both"): (0.5, 0.5, 0.5)}
    pairs["far", "both"] = (0.4, 0.1, 0.5)
    results = pd.DataFrame(pairs, index=["accuracy", "low", "high"]).T
    views.show_intervals(results, "test")
    (axes,) = figures[0].axes
    assert [text.get_text() for text in axes.get_legend().texts] == ["DNA", "both"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["naive", "far"]
    one, other = axes.containers
    assert one.lines[0].get_ydata().tolist() == [0.9]
    assert other.lines[0].get_xdata().round().tolist() == [0, 1]
    ends = [segment[:, 1].tolist() for segment in other.lines[2][0].get_segments()]
    assert ends == [pytest.approx([0.5, 0.5]), pytest.approx([0.1, 0.5])]
    assert one.lines[0].get_marker() != other.lines[0].get_marker()
    assert "95 % interval" in axes.get_ylabel()
    assert shown[0].width > 1.5 * shown[0].height


def test_shares_of_groups_of_any_size_sum_to_one(figures, shown):
    views.show_shares({"known": [0.5, 0.5, 0.9], "unknown": np.array([0.1])}, 0.3, "similarity")
    axes = figures[0].axes[0]
    assert {text.get_text() for text in axes.get_legend().texts} == {"known", "unknown"}
    highest = [outline.get_xy()[:, 1].max() for outline in axes.patches]
    assert sorted(highest) == pytest.approx([2 / 3, 1])
    assert axes.lines[0].get_xdata() == [0.3, 0.3]
    assert axes.get_xlabel() == "similarity"
    assert len(shown) == 1
    assert not plt.get_fignums()


@pytest.mark.parametrize("turned", [False, True])
def test_an_alignment_has_equal_letters_above_each_other_and_gaps_on_either_side(
    monkeypatch, turned
):
    long = "MRYVRLCVISLLATLPLAVYAGPQPLEQIKQSESQLSGRVGMVEMDLASGRTLAAWRADE" * 2
    short = long[5:35] + long[38:60] + "K" + long[61:90]
    one, other = (short, long) if turned else (long, short)
    aligner = pyopal.Aligner("BLOSUM62", gap_open=12, gap_extend=1)
    (hit,) = aligner.align(one, pyopal.Database([other]), mode="full")
    kept = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: kept.append(data))
    views.show_alignment(hit, ("asked", one), ("bla<1>", other))
    about, _, *lines = kept[0]["text/plain"].split("\n")
    above, strokes, below = ("".join(line[8:].ljust(60) for line in lines[n::4]) for n in range(3))
    assert "equal amino acids" in about
    assert all(len(line) <= 68 for line in lines) and lines[2].startswith("bla<1>  ")
    assert above.replace("-", "").strip() == one[hit.query_start : hit.query_end + 1]
    assert below.replace("-", "").strip() == other[hit.target_start : hit.target_end + 1]
    assert (below, above)[turned].count("-") == 3
    letters = zip(above.rstrip(), below.rstrip(), strict=True)
    assert strokes.rstrip() == "".join(" |"[a == b] for a, b in letters)
    assert strokes.count("|") == len(short) - 1
    assert "bla&lt;1&gt;  " in kept[0]["text/html"] and "white-space: pre" in kept[0]["text/html"]


def test_proteins_with_nothing_in_common_are_said_to_be_so(monkeypatch):
    (hit,) = pyopal.Aligner("BLOSUM62").align("WWWW", pyopal.Database(["PPPP"]), mode="full")
    kept = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: kept.append(data))
    views.show_alignment(hit, ("asked", "WWWW"), ("other", "PPPP"))
    assert kept[0]["text/plain"] == "No part of it can be aligned."
