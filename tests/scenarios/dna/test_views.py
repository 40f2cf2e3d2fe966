"""Pictures of classes: what stands in them, and that they have the size a notebook takes."""

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


def test_each_of_many_families_has_its_own_look_and_its_name_where_most_of_it_is(figures, shown):
    drawn, names = np.random.default_rng(0), [f"family {i}" for i in range(17)]
    centres = dict(zip(names, drawn.uniform(-50, 50, (17, 2)), strict=True))
    labels = names * 20 + names  # the last of each lies far from the others
    points = np.array([centres[label] for label in labels]) + drawn.normal(0, 0.1, (357, 2))
    points[340:] += 500
    views.show_families(points, labels, "t-SNE dimension")
    axes = figures[0].axes[0]
    assert sum(len(group.get_offsets()) for group in axes.collections) == 357
    looks = {
        (bytes(group.get_facecolor()), group.get_paths()[0].vertices.tobytes())
        for group in axes.collections
    }
    assert len(looks) == 17
    assert len(axes.texts) == 17
    for text in axes.texts:
        assert np.linalg.norm(text.xy - centres[text.get_text()]) < 1
    assert axes.get_xlabel() == "t-SNE dimension 1 (no unit)"
    assert 600 < shown[0].width < 1600


def test_a_confusion_matrix_says_shares_and_leaves_none_blank(figures, shown):
    views.show_confusion(["a", "b", "b"], ["a", "a", "b"], "few")
    axes = figures[0].axes[0]
    said = [text.get_text() for text in axes.texts if text.get_visible()]
    assert said == ["1.00", "0.50", "0.50"]
    assert axes.get_title() == "few"
    many = [f"family {i}" for i in range(17)]
    views.show_confusion(many, many[::-1], "many")
    assert shown[0].height < shown[1].height < 1600


def test_tests_side_by_side_have_a_panel_per_measure_and_a_bar_per_method(figures, shown):
    columns = pd.MultiIndex.from_product([["accuracy", "F1"], ["DNA", "protein"]])
    values = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]]
    results = pd.DataFrame(values, index=["naive", "far relatives"], columns=columns)
    views.show_tests(results, "share")
    accuracy, f1 = figures[0].axes
    heights = [[bar.get_height() for bar in axes.patches] for axes in (accuracy, f1)]
    assert heights == [[0.1, 0.5, 0.2, 0.6], [0.3, 0.7, 0.4, 0.8]]
    assert [axes.get_title() for axes in (accuracy, f1)] == ["accuracy", "F1"]
    assert [tick.get_text() for tick in f1.get_xticklabels()] == ["naive", "far\nrelatives"]
    assert [text.get_text() for text in f1.get_legend().texts] == ["DNA", "protein"]
    assert shown[0].width > 2 * shown[0].height


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
