"""Photos and sentences in one space: encoders for both, and searches of both as one ranking."""

import importlib
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from helpers.encoders.base import Encoder
from helpers.errors import HelpfulError

_MODULES = ("conse", "clip", "dashscope")  # of this package; their ``load(name)`` builds a pair
_K = 60  # how little the first places of a ranking count more than those after them


class Joint(NamedTuple):
    """Two encoders whose vectors can be compared with each other.

    Attributes:
        images: takes paths, bytes of files and Pillow images.
        texts: takes strings; its ``dim`` and ``metric`` are those of ``images``.
    """

    images: Encoder
    texts: Encoder


def load_joint(name: str = "conse") -> Joint:
    """Load a pair of encoders for photos and sentences.

    Args:
        name: ``"conse"`` (384-d), whose weights the package index carries; ``"clip"`` (512-d),
            which is ``openai/clip-vit-base-patch32``, or another CLIP model by its name on the
            Hugging Face hub or the path of its folder; ``"dashscope"`` (1,024-d), a service of
            Alibaba Cloud that wants a key, or ``"dashscope:MODEL"`` for another of its multimodal
            embedding models.

    Raises:
        HelpfulError: there is no such pair, its weights or its service cannot be reached, or the
            key is missing or wrong. Nothing else is ever loaded in its place.
    """
    module = "dashscope" if name.startswith("dashscope:") else name
    if module not in _MODULES and "/" in name:
        module = "clip"  # a name with a slash is one on the hub, or a path
    if module not in _MODULES:
        raise HelpfulError(
            f"There is no pair of encoders named {name!r}; choose one of {', '.join(_MODULES)}, or "
            "a CLIP model by its name on the Hugging Face hub, such as "
            "openai/clip-vit-large-patch14."
        )
    return Joint(*importlib.import_module(f"helpers.scenarios.multimodal.{module}").load(name))


def merge_hits(
    lists: Sequence[Sequence[Sequence[dict[str, Any]]]],
    weights: Sequence[float] | None = None,
    limit: int = 10,
) -> list[list[dict[str, Any]]]:
    """Merge several searches with the metric COSINE, query by query, as Milvus' hybrid_search does.

    For engines that cannot search several vector fields at once.

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
    counts = {len(found) for found in lists}
    if len(counts) > 1 or len(shares) != len(lists):
        raise ValueError(
            f"{len(lists)} searches of {sorted(counts)} queries and {len(shares)} weights do not "
            "fit together; ask each search the same queries and give each one weight"
        )
    merged = []
    for found in zip(*lists, strict=True):
        points: Counter[int] = Counter()
        for hits, share in zip(found, shares, strict=True):
            for place, hit in enumerate(hits, start=1):
                similarity = (1 + hit["distance"]) / 2
                points[hit["id"]] += 1 / (_K + place) if weights is None else share * similarity
        merged.append([{"id": id_, "distance": sum_} for id_, sum_ in points.most_common(limit)])
    return merged
