"""The measures, against results worked out by hand and by another way."""

import numpy as np
import pytest

from helpers.measure import (
    bootstrap_interval,
    exact_neighbours,
    exact_search,
    rank_quality,
    recall_at_k,
    same_label,
    time_calls,
)


@pytest.mark.parametrize("metric", ["COSINE", "IP", "L2"])
def test_exact_search_agrees_with_comparing_one_by_one(metric):
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(700, 8)).astype(np.float32)
    queries = rng.normal(size=(300, 8)).astype(np.float32)

    def closeness(q, v):
        if metric == "L2":
            return -np.linalg.norm(q - v)
        return q @ v / (np.linalg.norm(q) * np.linalg.norm(v) if metric == "COSINE" else 1)

    found = exact_search(queries, vectors, 5, metric)
    assert found.shape == (300, 5)
    for query, row in list(zip(queries, found, strict=True))[::60]:
        assert list(row) == sorted(range(700), key=lambda i: -closeness(query, vectors[i]))[:5]


def test_exact_search_finds_all_when_k_is_all():
    vectors = np.eye(3, dtype=np.float32)
    assert sorted(exact_search(vectors[:1], vectors, 3)[0]) == [0, 1, 2]


def test_exact_search_refuses_what_it_cannot_do():
    vectors = np.eye(3, dtype=np.float32)
    with pytest.raises(ValueError, match="k=0 neighbours were asked for"):
        exact_search(vectors, vectors, 0)
    with pytest.raises(ValueError, match="queries of 2 numbers .* vectors of 3"):
        exact_search(vectors[:, :2], vectors, 1)
    for bad in (vectors[0], vectors * np.nan, np.full((1, 3), np.inf), ["a"]):
        with pytest.raises(ValueError, match="finite numbers of shape"):
            exact_search(bad, vectors, 1)
    with pytest.raises(ValueError, match="HAMMING"):
        exact_search(vectors, vectors, 1, "HAMMING")


@pytest.mark.parametrize("kind", ["u1", "i1", "i4", "f2", ">f4", "f8"])
def test_exact_search_takes_numbers_of_any_type(kind):
    vectors = np.array([[100, 0], [90, 100], [0, 120]])
    for metric in ("COSINE", "IP", "L2"):
        expected = exact_search(vectors.astype("f4"), vectors.astype("f4"), 3, metric).tolist()
        found = exact_search(vectors.astype(kind), vectors.astype(kind), 3, metric)
        assert found.tolist() == expected


def test_small_sets_have_fewer_neighbours():
    one, two = np.ones((1, 2)), np.eye(2)
    assert exact_search(one, two, 10).shape == (1, 2)
    assert exact_search(one, two[:0], 10).shape == (1, 0)
    assert exact_search(one[:0], two, 10).shape == (0, 2)
    assert exact_neighbours(one, ["a"], 10) == [[]]
    assert exact_neighbours(two, ["a", "b"], 10) == [["b"], ["a"]]
    assert recall_at_k([["b"], []], [["b"], ["a"]], k=10) == 0.5
    assert recall_at_k([[]], [[]], k=10) == 1, "where nothing is to be found, nothing is missed"


def test_a_zero_vector_is_like_nothing():
    with np.errstate(all="raise"):
        found = exact_search(np.eye(2), np.array([[0, 0], [1, 0], [0, 1]]), 2)
    assert found[:, 0].tolist() == [1, 2]


def test_neighbours_leave_out_the_vector_itself():
    vectors = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], np.float32)
    assert exact_neighbours(vectors, ["a", "b", "c", "d"], 1) == [["b"], ["a"], ["d"], ["c"]]


def test_neighbours_of_equal_vectors():
    """Four equal vectors: whatever the order among them, nobody is its own neighbour."""
    found = exact_neighbours(np.ones((4, 2), np.float32), [0, 1, 2, 3], 2)
    assert [len(row) for row in found] == [2] * 4
    assert all(i not in row for i, row in enumerate(found))


def test_same_label():
    assert same_label([7, 8, 9], ["cat", "dog", "cat"]) == [{9}, set(), {7}]


def test_recall_counts_what_was_found_of_the_true_ones():
    assert recall_at_k([[1, 2, 3], [4, 5, 6]], [[1, 2, 9], [9, 8, 7]], k=3) == pytest.approx(1 / 3)
    assert recall_at_k([[3, 2, 1]], [[1, 2, 3]], k=3) == 1, "order within the k does not count"
    assert recall_at_k([[3, 1]], [[1, 2]], k=1) == 0
    assert recall_at_k([[]], [[1, 2]], k=2) == 0, "a search that finds too few loses recall"


def test_recall_refuses_no_queries_and_unequal_ones():
    with pytest.raises(ValueError, match="0 queries with results, 0 with true"):
        recall_at_k([], [], 10)
    with pytest.raises(ValueError, match="1 queries with results, 2 with true"):
        recall_at_k([[1]], [[1], [2]], 1)


def test_rank_quality_by_hand():
    found = [["a", "x", "b"], ["x", "y", "c"], ["x"]]
    relevant = [{"a", "b"}, {"c"}, {"z"}]
    got = rank_quality(found, relevant, ["P@1", "P@3", "RR@10", "nDCG@3", "Success@3"])
    assert got["P@1"].tolist() == [1, 0, 0]
    assert got["P@3"] == pytest.approx([2 / 3, 1 / 3, 0])
    assert got["RR@10"] == pytest.approx([1, 1 / 3, 0])
    ideal = 1 + 1 / np.log2(3)
    assert got["nDCG@3"] == pytest.approx([(1 + 0.5) / ideal, 0.5, 0])
    assert got["Success@3"].tolist() == [1, 1, 0]


def test_rank_quality_keeps_the_order_of_more_than_ten_queries():
    found = [[i] for i in range(30)]
    relevant = [{i} if i % 3 == 0 else {-1} for i in range(30)]
    assert rank_quality(found, relevant, ["P@1"])["P@1"].tolist() == [i % 3 == 0 for i in range(30)]


def test_rank_quality_counts_a_query_that_found_nothing():
    assert rank_quality([["a"], []], [{"a"}, {"b"}], ["P@1"])["P@1"].tolist() == [1, 0]


def test_rank_quality_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="0 queries"):
        rank_quality([], [])
    with pytest.raises(ValueError, match="1 queries with results, 2 with"):
        rank_quality([["a"]], [{"a"}, {"b"}])


def test_time_calls_tells_milliseconds_and_leaves_out_the_warm_up(monkeypatch):
    clock, calls = [0.0], []
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])

    def call(milliseconds):
        calls.append(milliseconds)
        clock[0] += milliseconds / 1000

    timing = time_calls(call, [7, 1, 2, 3, 100], warm_up=2)
    assert calls == [7, 1, 7, 1, 2, 3, 100]
    assert timing == pytest.approx((3, 7 + 0.8 * (100 - 7)))
    assert str(timing) == "3.00 ms (median), 81.40 ms (95th percentile)"


def test_the_interval_of_a_share_is_that_of_the_textbook():
    right = np.arange(400) < 300
    low, high = bootstrap_interval(right)
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.005)
    assert bootstrap_interval(right) == (low, high)  # the same on every run


def test_queries_that_succeed_together_widen_the_interval():
    right = np.repeat([1.0, 0.0, 1.0, 1.0], 100)
    low, high = bootstrap_interval(right, groups=np.repeat(list("abcd"), 100))
    alone = bootstrap_interval(right)
    assert high - low > 4 * (alone[1] - alone[0])
    assert bootstrap_interval([0.5]) == (0.5, 0.5)
    with pytest.raises(ValueError, match="no query"):
        bootstrap_interval([])
