"""Baselines and ranking measures, on worlds small enough to check by hand."""

import numpy as np
import pytest

from helpers.measure import rank_quality
from helpers.scenarios.recommender import baselines
from helpers.scenarios.recommender.baselines import (
    ease,
    follow_counts,
    hit_rate,
    interactions,
    margin,
    popularity,
    quality,
    svd_scores,
    top_films,
)


def histories(*rows):
    return [np.array(row, int) for row in rows]


# Two tastes: films 0 to 4 go together, and so do 5 to 9.
TASTES = histories(*([n for n in range(5) if n != i % 5] for i in range(20))) + histories(
    *([n for n in range(5, 10) if n != 5 + i % 5] for i in range(20))
)


def test_popularity_counts_and_knows_films_that_nobody_rated():
    assert popularity(histories([0, 2], [2], []), 4).tolist() == [1, 0, 2, 0]


def test_interactions_halve_with_each_half_life():
    found = interactions(histories([3, 0, 1], []), 4, half_life=1).toarray()
    assert found.tolist() == [[0.5, 1, 0, 0.25], [0, 0, 0, 0]]
    assert interactions(histories([3, 0, 1]), 4).toarray().tolist() == [[1, 1, 0, 1]]


@pytest.mark.parametrize("way", ["svd", "ease"])
def test_a_model_recommends_what_people_of_the_same_taste_rated(way):
    train, asked = interactions(TASTES, 10), histories([0, 1, 2], [7, 8, 9])
    users = interactions(asked, 10)
    scores = svd_scores(train, users, dim=2) if way == "svd" else users @ ease(train, 1)
    assert [set(row) for row in top_films(scores, asked, 2).tolist()] == [{3, 4}, {5, 6}]


def test_ease_solves_its_problem():
    """Each column is the ridge regression of a film on the others, solved one by one."""
    matrix = interactions(TASTES, 10)
    weights, dense = ease(matrix, penalty=3), matrix.toarray()
    others = [film for film in range(10) if film != 4]
    gram = dense[:, others].T @ dense[:, others] + 3 * np.eye(9)
    expected = np.linalg.solve(gram, dense[:, others].T @ dense[:, 4])
    assert np.allclose(weights[others, 4], expected, atol=1e-5)
    assert not np.diag(weights).any()


def test_follow_counts_know_the_direction_and_fade():
    counts = follow_counts(histories([0, 1, 2], [0, 1], []), 3, reach=2)
    assert counts.tolist() == [[0, 2, 0.5], [0, 0, 1], [0, 0, 0]]
    assert follow_counts(histories([0, 1, 2]), 3, reach=1)[0, 2] == 0


def test_top_films_leave_out_what_was_seen_and_do_not_change_the_scores():
    scores = np.array([[0.1, 0.9, 0.5, 0.7], [0.4, 0.3, 0.2, 0.1]])
    before = scores.copy()
    assert top_films(scores, histories([1], []), 2).tolist() == [[3, 2], [0, 1]]
    assert np.array_equal(scores, before)


def test_one_row_of_scores_serves_all_users(monkeypatch):
    monkeypatch.setattr(baselines, "_CHUNK", 2)
    found = top_films(np.array([[3.0, 2, 1]]), histories([0], [1], [2], []), 1)
    assert found.ravel().tolist() == [1, 0, 0, 0]


def test_quality_is_what_trec_eval_says():
    random = np.random.default_rng(0)
    found = np.array([random.permutation(60)[:50] for _ in range(40)])
    wanted = random.integers(60, size=40)
    got = quality(found, wanted, np.arange(60))
    theirs = rank_quality(
        found.tolist(), [{int(film)} for film in wanted], ["nDCG@10", "Success@10", "Success@50"]
    )
    expected = [theirs[name].mean() for name in ("Success@10", "nDCG@10", "Success@50")]
    assert got[:3] == pytest.approx(expected)


def test_coverage_and_popularity_are_of_the_first_ten():
    found = np.array([np.arange(50), np.arange(50)])
    counts = np.arange(100, 0, -1)  # film 0 is the most popular
    got = quality(found, np.array([99, 99]), counts)
    assert got == (0, 0, 0, 0.1, 1)
    assert quality(found[:, ::-1], np.array([99, 49]), counts) == (0.5, 0.5, 0.5, 0.1, 0)


def test_quality_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="not 50 for each"):
        quality(np.zeros((3, 10), int), np.zeros(3, int), np.ones(100))


def test_the_margin_shrinks_with_the_root_of_the_users():
    assert margin(0.5, 9604) == pytest.approx(0.01)
    assert margin(0, 100) == 0


def test_the_hit_rate_counts_only_those_that_compete():
    scores = np.array([[9.0, 3, 2, 1], [9, 1, 2, 3]])
    wanted, among = np.array([1, 1]), np.array([1, 2, 3])
    assert hit_rate(scores, wanted, among, k=1) == 0.5
    assert hit_rate(scores, wanted, among, k=3) == 1
