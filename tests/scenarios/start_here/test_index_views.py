"""The pictures of index types, and the plot of recall against time."""

import numpy as np
import pandas as pd

from helpers.scenarios.start_here import index_views

POINTS = np.random.default_rng(0).normal(size=(80, 2))
QUERY = np.array([0.5, 0.4])


def compared(axes):
    """The number in a panel's title: how many points the index compares with the query."""
    return int(next(word for word in axes.get_title().split() if word.isdigit()))


def test_an_index_compares_fewer_than_all(axes):
    index_views.draw_flat(axes, POINTS, QUERY)
    assert compared(axes) == len(POINTS)
    index_views.draw_ivf(axes, POINTS, QUERY)
    assert 0 < compared(axes) < len(POINTS) / 2
    index_views.draw_hnsw(axes, POINTS, QUERY)
    assert 0 < compared(axes) < len(POINTS) / 2


def test_the_walk_ends_at_a_point_whose_links_are_no_nearer():
    edges = {0: {1, 2}, 1: {0, 3}, 2: {0}, 3: {1}}
    points = np.array([[0.0, 0], [1, 0], [-1, 0], [2, 0]])
    seen = {0}
    assert index_views._walk(points, np.array([2.2, 0]), 0, edges, seen) == [1, 3]
    assert seen == {0, 1, 2, 3}
    assert index_views._walk(points, np.array([0.1, 0]), 0, edges, set()) == []


def test_rounding_moves_no_point_further_than_half_a_level(axes):
    index_views.draw_sq8(axes, POINTS, QUERY)
    exact, rounded = (group.get_offsets() for group in axes.collections if len(group.get_offsets()))
    assert np.abs(exact - rounded).max() <= 2.4 / 15 + 1e-9
    assert len(np.unique(rounded, axis=0)) < len(POINTS)


def test_codes_take_four_values_a_half():
    coded, values = index_views._codes(POINTS)
    for half, book in zip(coded.T, values, strict=True):
        assert set(half) == set(book) and len(book) == 4


def test_all_ideas_are_one_picture(shown):
    index_views.show_index_ideas()
    assert len(shown) == 1


def test_recall_and_time_may_differ_in_their_indexes(shown):
    columns = ["index", "recall@10", "ms"]
    left = pd.DataFrame([("FLAT", 1.0, 2.0), ("HNSW", 0.9, 0.1)], columns=columns)
    right = pd.DataFrame([("FLAT", 1.0, 3.0), ("SCANN", 0.8, 0.2)], columns=columns)
    index_views.show_recall_and_time(
        {"a": left, "b": right}, {"FLAT": 25.6, "HNSW": 33.0, "SCANN": 27.7}
    )
    assert len(shown) == 1
