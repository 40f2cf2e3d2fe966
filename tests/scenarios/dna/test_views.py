"""Pictures of classifiers: what stands in them, and that they have the size a notebook takes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
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
