"""The pictures of vectors and of metrics."""

import numpy as np

from helpers.scenarios.start_here import vector_views

QUERY, OTHER = np.array([3.0, 4.0]), np.array([0.0, 2.0])


def test_titles_give_the_metric_of_the_vectors_drawn(axes):
    assert vector_views.draw_l2(axes, QUERY, OTHER).endswith("3.61")
    assert vector_views.draw_ip(axes, QUERY, OTHER).endswith("8.00")
    assert vector_views.draw_cosine(axes, QUERY, OTHER).endswith("0.80")


def test_the_shadow_falls_at_a_right_angle(axes):
    vector_views.draw_ip(axes, QUERY, OTHER)
    dotted = axes.lines[0].get_xydata()
    assert np.allclose(dotted[0], OTHER)
    assert np.isclose((dotted[1] - dotted[0]) @ QUERY, 0)
    assert np.isclose(np.linalg.norm(dotted[1]) * np.linalg.norm(QUERY), 8)


def test_the_arc_goes_from_one_vector_to_the_other(axes):
    vector_views.draw_cosine(axes, QUERY, OTHER)
    arc = axes.lines[0].get_xydata()
    for end, vector in ((arc[0], QUERY), (arc[-1], OTHER)):
        assert np.allclose(end / np.linalg.norm(end), vector / np.linalg.norm(vector))


def test_metrics_are_one_picture(shown):
    vector_views.show_metrics()
    assert len(shown) == 1


def test_stripes_take_vectors_shorter_than_asked(shown):
    vector_views.show_stripes(np.eye(3), ["a", "b", "c"])
    vector_views.show_stripes(np.eye(3), ["a", "b", "c"], count=2)
    assert len(shown) == 2
