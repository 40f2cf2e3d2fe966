"""Indexes of faiss alone, without a database around them: recall, time, memory and build."""

import time
from collections.abc import Mapping, Sequence

import faiss
import numpy as np
import pandas as pd

from helpers.engines.faiss_indexes import new_index, set_search
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
        for name, (build, searches) in settings.items():
            started = time.perf_counter()
            index = new_index(name, base.shape[1], build)
            index.train(base)
            index.add(base)
            row = {"index": name, "build s": time.perf_counter() - started}
            row["MB"] = len(faiss.serialize_index(index)) / 1e6
            for params in searches:
                set_search(index, params)
                recall = recall_at_k(index.search(queries, 10)[1], truth, k=10)
                ms = time_calls(lambda query, at=index: at.search(query[None], 10), queries).p50
                rows.append(row | {"search": params, "recall@10": recall, "ms": ms})
    except (KeyError, RuntimeError) as error:
        raise HelpfulError(
            f"faiss cannot use {settings[name]} for {name}: {str(error).splitlines()[0]}."
        ) from error
    finally:
        faiss.omp_set_num_threads(threads)
    return pd.DataFrame(rows)
