"""The pictures of vectors, metrics and index types, and the plot of recall against time."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers.scenarios.start_here import views

POINTS = np.random.default_rng(0).normal(size=(80, 2))
QUERY = np.array([0.5, 0.4])
OTHER_QUERY = np.array([0.9, -0.7])  # near a corner of cells
ONE, OTHER = np.array([3.0, 4.0]), np.array([0.0, 2.0])


@pytest.fixture
def figures(monkeypatch):
    """The figures that were shown, before they became pictures."""
    kept = []
    monkeypatch.setattr(views, "show_figure", kept.append)
    yield kept
    plt.close("all")


def compared(axes):
    """The number in a panel's title: how many points the index compares with the query."""
    return int(next(word for word in axes.get_title().split() if word.isdigit()))


def test_an_index_compares_fewer_than_all(axes):
    views.draw_flat(axes, POINTS, QUERY)
    assert compared(axes) == len(POINTS)
    views.draw_ivf(axes, POINTS, QUERY)
    assert 0 < compared(axes) < len(POINTS) / 2
    views.draw_hnsw(axes, POINTS, QUERY)
    assert 0 < compared(axes) < len(POINTS) / 2


def test_a_neighbour_in_a_cell_that_is_not_searched_is_crossed_out(axes):
    views.draw_ivf(axes, POINTS, OTHER_QUERY)
    *_, compared_dots, crosses = (group.get_offsets() for group in axes.collections)
    apart = [np.linalg.norm(group - OTHER_QUERY, axis=1) for group in (compared_dots, crosses)]
    tenth = np.sort(np.linalg.norm(POINTS - OTHER_QUERY, axis=1))[9]
    assert len(crosses) > 0 and (apart[1] <= tenth).all()
    assert (apart[0] <= tenth).sum() == 10 - len(crosses)
    assert f", {len(crosses)} of the 10" in axes.get_title()


def test_a_walk_that_ends_too_soon_leaves_a_cross_on_the_nearest(figures):
    titles, crosses = {}, {}
    for place in ((0.9, 0.75), (0.2, 0.8)):
        views.show_index_ideas(place)
        panel = figures[-1].axes[5]
        titles[place] = panel.get_title().split()[-1]
        crosses[place] = panel.collections[-1].get_offsets()
    assert titles == {(0.9, 0.75): "found", (0.2, 0.8): "missed"}
    assert len(crosses[0.9, 0.75]) == 0
    (cross,), points = crosses[0.2, 0.8], views._POINTS
    assert np.allclose(cross, points[np.linalg.norm(points - [0.2, 0.8], axis=1).argmin()])


def test_the_small_plane_has_the_query_and_two_cells(figures):
    views.show_place(1.0, -0.6)
    (axes,) = figures[-1].axes
    (star,) = axes.lines
    assert star.get_xydata().tolist() == [[1.0, -0.6]]
    *_, skipped, dots = axes.collections
    assert len(skipped.get_offsets()) + len(dots.get_offsets()) == 150


def test_the_walk_ends_at_a_point_whose_links_are_no_nearer():
    edges = {0: {1, 2}, 1: {0, 3}, 2: {0}, 3: {1}}
    points = np.array([[0.0, 0], [1, 0], [-1, 0], [2, 0]])
    seen = {0}
    assert views._walk(points, np.array([2.2, 0]), 0, edges, seen) == [1, 3]
    assert seen == {0, 1, 2, 3}
    assert views._walk(points, np.array([0.1, 0]), 0, edges, set()) == []


def test_rounding_moves_no_point_further_than_half_a_level(axes):
    views.draw_sq8(axes, POINTS, QUERY)
    exact, rounded = (group.get_offsets() for group in axes.collections if len(group.get_offsets()))
    assert np.abs(exact - rounded).max() <= 2.4 / 15 + 1e-9
    assert len(np.unique(rounded, axis=0)) < len(POINTS)


def test_codes_take_four_values_a_half():
    coded, values = views._codes(POINTS)
    for half, book in zip(coded.T, values, strict=True):
        assert set(half) == set(book) and len(book) == 4


def test_every_idea_has_a_panel_with_the_query_in_it(figures):
    views.show_index_ideas()
    panels = figures[0].axes
    names = [axes.get_title().split(":")[0] for axes in panels]
    assert names == ["FLAT", "IVF", "SQ8", "PQ", "SCANN", "HNSW"]
    for axes in panels:
        (star,) = [line for line in axes.lines if line.get_marker() == "*"]
        assert star.get_xydata().tolist() == [[0.9, 0.75]]
    ends = panels[0].lines[0].get_xydata().reshape(150, 3, 2)
    assert len(np.unique(ends[:, 0], axis=0)) == 150, "FLAT draws a line from each point"
    assert (ends[:, 1] == [0.9, 0.75]).all() and np.isnan(ends[:, 2]).all()
    assert compared(panels[1]) < 75 and compared(panels[5]) < 75


def test_recall_and_time_may_differ_in_their_indexes(figures):
    columns = ["index", "recall@10", "ms"]
    left = pd.DataFrame(
        [("FLAT", 1.0, 2.0), ("HNSW", 0.9, 0.1), ("HNSW", 0.95, 0.2)], columns=columns
    )
    right = pd.DataFrame([("FLAT", 1.0, 3.0), ("SCANN", 0.8, 0.2)], columns=columns)
    views.show_recall_and_time({"a": left, "b": right}, {"FLAT": 25.6, "HNSW": 33.0, "SCANN": 27.7})
    one, other = figures[0].axes
    assert [line.get_xydata().tolist() for line in one.lines] == [
        [[2, 1]],
        [[0.1, 0.9], [0.2, 0.95]],
    ]
    assert [line.get_xydata().tolist() for line in other.lines] == [[[3, 1]], [[0.2, 0.8]]]
    assert one.lines[0].get_color() == other.lines[0].get_color() != other.lines[1].get_color()
    assert (one.get_title(), other.get_title()) == ("a", "b") and one.get_xscale() == "log"
    labels = [text.get_text() for text in other.get_legend().get_texts()]
    assert labels == ["FLAT, 26 MB", "HNSW, 33 MB", "SCANN, 28 MB"]


def test_titles_give_the_metric_of_the_vectors_drawn(axes):
    assert views.draw_l2(axes, ONE, OTHER).endswith("3.61")
    assert views.draw_ip(axes, ONE, OTHER).endswith("8.00")
    assert views.draw_cosine(axes, ONE, OTHER).endswith("0.80")


def test_the_shadow_falls_at_a_right_angle(axes):
    views.draw_ip(axes, ONE, OTHER)
    dotted = axes.lines[0].get_xydata()
    assert np.allclose(dotted[0], OTHER)
    assert np.isclose((dotted[1] - dotted[0]) @ ONE, 0)
    assert np.isclose(np.linalg.norm(dotted[1]) * np.linalg.norm(ONE), 8)


def test_the_arc_goes_from_one_vector_to_the_other(axes):
    views.draw_cosine(axes, ONE, OTHER)
    arc = axes.lines[0].get_xydata()
    for end, vector in ((arc[0], ONE), (arc[-1], OTHER)):
        assert np.allclose(end / np.linalg.norm(end), vector / np.linalg.norm(vector))


def test_the_three_metrics_stand_side_by_side(figures):
    views.show_metrics()
    panels = figures[0].axes
    assert [axes.get_title().split()[0] for axes in panels] == ["L2:", "IP:", "Cosine:"]
    for axes in panels:
        assert {"query", "vector"} <= {text.get_text() for text in axes.texts}


def test_stripes_show_the_first_numbers_of_each_vector(figures):
    for vectors, count in ((np.arange(12.0).reshape(3, 4), 4), (np.eye(3, 200), 96)):
        views.show_stripes(vectors, ["a", "b", "c"])
        axes = figures[-1].axes[0]
        assert axes.images[0].get_array().tolist() == vectors[:, :count].tolist()
        assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
        assert axes.get_xlabel() == f"the first {count} of {vectors.shape[1]} numbers"
