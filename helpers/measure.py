"""Is the result any good? Recall against exact search, ranking quality and the time of a search."""

import time
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

_CHUNK = 256  # queries compared at once, so that memory stays flat on large collections


def exact_search(
    queries: np.ndarray, vectors: np.ndarray, k: int, metric: str = "COSINE"
) -> np.ndarray:
    """The true k nearest vectors of each query, by comparing it with every one of them.

    Args:
        queries: numbers of any type, (m, dim).
        vectors: likewise, (n, dim).
        k: how many neighbours; n where there are fewer.
        metric: ``"COSINE"``, ``"IP"`` (inner product) or ``"L2"``.

    Returns:
        Row numbers into ``vectors``, nearest first: int64, (m, min(k, n)).

    Raises:
        ValueError: the vectors are no two tables of finite numbers of one length, k is not above 0,
            or the metric is unknown.
    """
    queries, vectors = _table(queries, "queries"), _table(vectors, "vectors")
    if len(queries) and len(vectors) and queries.shape[1] != vectors.shape[1]:
        raise ValueError(
            f"queries of {queries.shape[1]} numbers cannot be compared with vectors of "
            f"{vectors.shape[1]}"
        )
    if k < 1:
        raise ValueError(f"k={k} neighbours were asked for; ask for at least one")
    if metric not in ("COSINE", "IP", "L2"):
        raise ValueError(f"metric {metric!r} is not COSINE, IP or L2")
    k = min(k, len(vectors))
    if not k or not len(queries):
        return np.empty((len(queries), k), np.int64)
    if metric == "COSINE":
        queries, vectors = _of_length_1(queries), _of_length_1(vectors)
    # |q - v|^2 = |q|^2 - 2 q.v + |v|^2, and |q| does not change the order.
    penalty = (vectors**2).sum(axis=1) / 2 if metric == "L2" else 0
    rows = []
    for start in range(0, len(queries), _CHUNK):
        similarity = queries[start : start + _CHUNK] @ vectors.T - penalty
        rows.append(top_k(similarity, k))
    return np.concatenate(rows)


def _table(vectors: np.ndarray, what: str) -> np.ndarray:
    """Vectors as float32 or float64, (n, dim): other types overflow or are slow."""
    table = np.asarray(vectors)
    if table.dtype.kind not in "fiub" or table.ndim != 2 or not np.isfinite(table).all():
        raise ValueError(
            f"the {what} are an array of {table.dtype} and shape {table.shape} where finite "
            "numbers of shape (n, dim) are needed"
        )
    return table.astype(np.float64 if table.dtype.itemsize > 4 else np.float32, copy=False)


def _of_length_1(vectors: np.ndarray) -> np.ndarray:
    """Scaled to length 1; zero, which has no direction, stays and is like nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """The places of the k largest scores of each row, largest first: (m, n) gives int64, (m, k)."""
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


def exact_neighbours(
    vectors: np.ndarray, ids: Sequence[Hashable], k: int, metric: str = "COSINE"
) -> list[list[Hashable]]:
    """The ids of the true k nearest of every vector, itself left out.

    Args:
        vectors: as for ``exact_search``, (n, dim).
        ids: n ids.
        k: how many neighbours; n - 1 where there are fewer.
        metric: as for ``exact_search``.

    Returns:
        For every vector the ids of its k nearest others, best first.
    """
    nearest = exact_search(vectors, vectors, k + 1, metric)
    # Among equal vectors a vector need not be its own first hit, nor among the first k + 1.
    return [[ids[j] for j in row if j != i][:k] for i, row in enumerate(nearest)]


def same_label(ids: Sequence[Hashable], labels: Sequence[Hashable]) -> list[set[Hashable]]:
    """For every id all other ids with its label: the relevant ones, where the label decides.

    Args:
        ids: n ids.
        labels: n labels.
    """
    members: dict[Hashable, set[Hashable]] = {}
    for id_, label in zip(ids, labels, strict=True):
        members.setdefault(label, set()).add(id_)
    return [members[label] - {id_} for id_, label in zip(ids, labels, strict=True)]


def recall_at_k(
    found: Sequence[Sequence[Hashable]], exact: Sequence[Sequence[Hashable]], k: int
) -> float:
    """recall@k: the share of the true k nearest that a search found, averaged over queries.

    Where there are fewer than k others, they are the true ones; where there are none, nothing is
    missed.

    Args:
        found: ids per query as the search returned them, best first.
        exact: ids per query as exact search returns them, best first.
        k: how many of each to compare.

    Raises:
        ValueError: there is no query, or the two differ in how many.
    """
    if not len(found) or len(found) != len(exact):
        raise ValueError(f"{len(found)} queries with results, {len(exact)} with true neighbours")
    pairs = zip(found, exact, strict=True)
    return float(np.mean([_share(set(truth[:k]), set(ours[:k])) for ours, truth in pairs]))


def _share(wanted: set, found: set) -> float:
    return len(wanted & found) / len(wanted) if wanted else 1.0


def rank_quality(
    found: Sequence[Sequence[Hashable]],
    relevant: Sequence[Collection[Hashable]],
    measures: Iterable[str] = ("P@1", "P@5", "P@10"),
) -> dict[str, np.ndarray]:
    """The field's ranking measures per query, computed by ir-measures (trec_eval).

    Args:
        found: ids per query, best first.
        relevant: the ids that would be right, per query.
        measures: such as ``"P@5"`` (precision), ``"RR@10"`` (reciprocal rank, whose mean is MRR),
            ``"nDCG@10"``, ``"Success@1"``; https://ir-measur.es lists them all.

    Returns:
        Measure -> float64 array with one value per query, in the order given. Take ``.mean()``.

    Raises:
        ValueError: there is no query, the two differ in how many, or a measure is unknown.
    """
    import ir_measures

    if not len(found) or len(found) != len(relevant):
        raise ValueError(f"{len(found)} queries with results, {len(relevant)} with relevant ids")
    parsed = {ir_measures.parse_measure(name): name for name in measures}
    truth = {str(q): {str(id_): 1 for id_ in ids} for q, ids in enumerate(relevant)}
    # trec_eval ranks by score, so the place in the list becomes one.
    run = {
        str(q): {str(id_): float(len(ids) - place) for place, id_ in enumerate(ids)}
        for q, ids in enumerate(found)
    }
    values = {name: np.zeros(len(found)) for name in parsed.values()}
    for result in ir_measures.iter_calc(list(parsed), truth, run):
        values[parsed[result.measure]][int(result.query_id)] = result.value
    return values


def bootstrap_interval(
    values: Sequence[float], groups: Sequence[Hashable] | None = None
) -> tuple[float, float]:
    """The 95 % interval of a mean, by the percentile bootstrap with 2,000 fixed draws.

    For the gain of one way over another give the differences, query by query: if the interval does
    not hold 0, the gain is more than the choice of queries explains.

    Args:
        values: one figure per query.
        groups: what each query belongs to, such as its cluster of alike proteins. Whole groups are
            drawn then, because queries of one group succeed and fail together.

    Returns:
        Its two ends.

    Raises:
        ValueError: there is no value.
    """
    if not len(values):
        raise ValueError("no query, so no interval")
    belong = np.arange(len(values)) if groups is None else groups
    numbers = np.unique(belong, return_inverse=True)[1]
    sums, sizes = np.bincount(numbers, values), np.bincount(numbers)
    rng = np.random.default_rng(0)
    means = []
    for _ in range(2_000):
        drawn = rng.integers(len(sums), size=len(sums))
        means.append(sums[drawn].sum() / sizes[drawn].sum())
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


class Timing(NamedTuple):
    """Milliseconds per call: the median and the 95th percentile."""

    p50: float
    p95: float

    def __str__(self) -> str:
        return f"{self.p50:.2f} ms (median), {self.p95:.2f} ms (95th percentile)"


def time_calls(call: Callable[[Any], Any], arguments: Sequence[Any], warm_up: int = 3) -> Timing:
    """Time ``call(argument)`` for each argument, one after the other.

    Args:
        call: what to time, for example a search with one query vector.
        arguments: one per timed call.
        warm_up: untimed calls before the first timed one.
    """
    for argument in list(arguments)[:warm_up]:
        call(argument)
    spent = []
    for argument in arguments:
        started = time.perf_counter()
        call(argument)
        spent.append((time.perf_counter() - started) * 1000)
    return Timing(float(np.median(spent)), float(np.percentile(spent, 95)))
