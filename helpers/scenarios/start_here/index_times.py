"""Indexes of faiss alone, without a database around them: recall, time, memory and build."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import faiss
import numpy as np
import pandas as pd

from helpers.engines.faiss_indexes import new_index
from helpers.errors import HelpfulError
from helpers.measure import recall_at_k, time_calls

Settings = Mapping[str, tuple[Mapping[str, int], Sequence[Mapping[str, int]]]]
"""Index type -> (parameters of the build, parameters of each search), named as in Milvus."""


def measure_alone(
    base: np.ndarray, queries: np.ndarray, truth: np.ndarray, settings: Settings
) -> pd.DataFrame:
    """Build indexes with faiss on one thread, and search each with some parameters.

    Args:
        base: float32, (n, dim), vectors of length 1 to search among.
        queries: float32, (m, dim), vectors of length 1 to search for; timed one by one.
        truth: (m, 10), the places in ``base`` of the ten nearest of each.
        settings: any of FLAT, IVF_FLAT, IVF_SQ8, IVF_PQ, SCANN and HNSW with their parameters.

    Returns:
        A row for each search: ``index``, ``search`` (its parameters), ``recall@10``, ``ms`` (the
        median of one query), ``MB`` (the index with its vectors) and ``build s``.

    Raises:
        HelpfulError: an index type is none of these, or a parameter is missing or wrong.
    """
    rows = []
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        for name in settings:
            rows += _measure(name, base, queries, truth, *settings[name])
    except (KeyError, RuntimeError) as error:
        raise HelpfulError(
            f"faiss cannot use {settings[name]} for {name}: {str(error).splitlines()[0]}."
        ) from error
    finally:
        faiss.omp_set_num_threads(threads)
    return pd.DataFrame(rows)


def _measure(
    name: str,
    base: np.ndarray,
    queries: np.ndarray,
    truth: np.ndarray,
    build: Mapping[str, int],
    searches: Sequence[Mapping[str, int]],
) -> Iterator[dict[str, Any]]:
    started = time.perf_counter()
    index = new_index(name, base.shape[1], build)
    index.train(base)
    index.add(base)
    seconds = time.perf_counter() - started
    megabytes = len(faiss.serialize_index(index)) / 1e6
    for params in searches:
        _set(index, params)
        yield {
            "index": name,
            "search": params,
            "recall@10": recall_at_k(index.search(queries, 10)[1], truth, k=10),
            "ms": time_calls(lambda query: index.search(query[None], 10), queries).p50,
            "MB": megabytes,
            "build s": seconds,
        }


def _set(index: faiss.Index, params: Mapping[str, int]) -> None:
    """Set search parameters, which faiss names otherwise than Milvus."""
    for name, value in params.items():
        if name == "reorder_k":  # faiss takes it as a multiple of the ten wanted
            name, value = "k_factor_rf", value / 10
        name = "efSearch" if name == "ef" else name
        faiss.ParameterSpace().set_index_parameter(index, name, value)
