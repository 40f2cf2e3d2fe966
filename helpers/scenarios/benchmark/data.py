"""The vectors and queries of the benchmark, kept as files that every job reads."""

from pathlib import Path

import numpy as np
import tables

from helpers.assets import fetch
from helpers.encoders.sift import load_sift
from helpers.errors import HelpfulError
from helpers.measure import exact_search
from helpers.progress import progress_bar
from helpers.scenarios.benchmark.engines import share_of
from helpers.scenarios.benchmark.setups import ALL

_AT_ONCE = 32  # queries against all vectors at once: 128 MB of scores for a million


def prepare_vectors(source: str, size: int, queries: int, folder: Path) -> Path:
    """Put vectors and queries into files, or find them there.

    Args:
        source: ``"photos"`` for SIFT descriptors of the photos that come with the notebooks, or
            ``"sift1m"`` for the classic set (1,000,000 and 10,000; 525 MB to fetch).
        size: how many vectors to search among.
        queries: how many to search for.
        folder: where to keep them.

    Returns:
        A folder with ``vectors.npy``, float32, (size, 128), and ``queries.npy``, (queries, 128),
        all of length 1.

    Raises:
        HelpfulError: there are fewer, or the source is unknown.
        AssetError: they could not be fetched.
    """
    ready = folder / f"{source}-{size}-{queries}"
    if not (ready / "queries.npy").exists():
        if source == "photos":
            vectors, searched = load_sift(size, queries)
        elif source == "sift1m":
            vectors, searched = read_hdf5(fetch("sift1m"), size, queries)
        else:
            raise HelpfulError(f"There are no vectors {source!r}: choose 'photos' or 'sift1m'.")
        ready.mkdir(parents=True, exist_ok=True)
        np.save(ready / "vectors.npy", vectors)
        np.save(ready / "queries.npy", searched)  # last: it says that all is there
    return ready


def true_neighbours(
    vectors: np.ndarray, queries: np.ndarray, k: int, file: Path, keep: int = ALL
) -> np.ndarray:
    """The true k nearest of every query, by comparing it with every vector; kept in a file.

    Args:
        vectors: float32, (n, dim), of length 1.
        queries: float32, (m, dim), of length 1.
        k: how many.
        file: where ``ids`` and ``scores`` are kept, as ``.npz``.
        keep: of a thousand rows, those among which to search, as ``share_of`` numbers them.

    Returns:
        Row numbers, best first: int64, (m, k), or fewer where fewer rows are kept.
    """
    rows = np.flatnonzero(share_of(np.arange(len(vectors))) < keep)
    if file.exists():
        kept = np.load(file)["ids"]
        if kept.shape == (len(queries), min(k, len(rows))):
            return kept
    among = vectors if len(rows) == len(vectors) else vectors[rows]
    found = []
    with progress_bar(len(queries), f"Comparing with {len(rows):,}", "query") as bar:
        for start in range(0, len(queries), _AT_ONCE):
            found.append(exact_search(queries[start : start + _AT_ONCE], among, k, "IP"))
            bar.update(len(found[-1]))
    ids = rows[np.concatenate(found)]
    draft = file.with_suffix(".part.npz")
    np.savez(draft, ids=ids, scores=np.einsum("qkd,qd->qk", vectors[ids], queries))
    draft.replace(file)
    return ids


def read_hdf5(file: Path, size: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors and queries of a file of ann-benchmarks, scaled to length 1.

    Args:
        file: HDF5 with ``train`` and ``test``, each (n, dim).
        size: how many of ``train``.
        queries: how many of ``test``.

    Raises:
        HelpfulError: it has fewer.
    """
    with tables.open_file(str(file)) as book:
        there = len(book.root.train), len(book.root.test)
        if there[0] < size or there[1] < queries:
            raise HelpfulError(
                f"{file.name} holds {there[0]:,} vectors and {there[1]:,} queries: ask for no more."
            )
        parts = book.root.train[:size], book.root.test[:queries]
    vectors, searched = (
        np.float32(part / np.linalg.norm(part, axis=1, keepdims=True)) for part in parts
    )
    return vectors, searched
