"""Merge the results of several searches into one ranking, as Milvus' hybrid_search does.

For engines that cannot search several vector fields at once.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

_K = 60  # how little the first places count more than those after them


def merge_hits(
    lists: Sequence[Sequence[Sequence[dict[str, Any]]]],
    weights: Sequence[float] | None = None,
    limit: int = 10,
) -> list[list[dict[str, Any]]]:
    """Merge, query by query, what several searches with the metric COSINE found.

    Args:
        lists: one per search: for each query its hits, best first, each with ``id`` and
            ``distance`` (the cosine similarity).
        weights: what a hit gets from each search is its similarity, from 0 for opposite to 1 for
            equal vectors, times the weight of that search. Without weights, it is 1 / (60 + place)
            (reciprocal rank fusion, Cormack et al., SIGIR 2009). A hit that a search lacks gets
            nothing from it.
        limit: how many hits to keep.

    Returns:
        For each query its hits, best first, with ``id`` and the sum as ``distance``.

    Raises:
        ValueError: the searches had not equally many queries, or there are not as many weights.
    """
    shares = [1.0] * len(lists) if weights is None else weights
    merged = []
    for found in zip(*lists, strict=True):
        points: Counter[int] = Counter()
        for hits, share in zip(found, shares, strict=True):
            for place, hit in enumerate(hits, start=1):
                similarity = (1 + hit["distance"]) / 2
                points[hit["id"]] += 1 / (_K + place) if weights is None else share * similarity
        merged.append([{"id": id_, "distance": sum_} for id_, sum_ in points.most_common(limit)])
    return merged
