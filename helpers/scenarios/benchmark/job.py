"""One job: build one index of one engine, and measure it. Run in a process of its own, so that
its memory can be told from everything else's: ``python -m helpers.scenarios.benchmark.job FOLDER``.
"""

import contextlib
import gc
import itertools
import json
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from helpers.scenarios.benchmark.engines import Engine, engine_class
from helpers.scenarios.benchmark.setups import Setup

RANKS = (1, 10, 100)
BATCH = 100  # queries in one request
_LEAST = 100  # queries that are timed, however long they take


@dataclass(frozen=True)
class Work:
    """What every engine has to do.

    Attributes:
        data: the folder with ``vectors.npy``, ``queries.npy`` and the true neighbours.
        size: how many of the vectors, from the first on.
        k: how many neighbours each search asks for.
        seconds: after this time a measurement ends, if it has 100 queries.
        clients: how many threads search at once in the last measurement; 0 leaves it out.
        threads: how many threads an engine may use.
    """

    data: str
    size: int
    k: int
    seconds: float
    clients: int
    threads: int

    def truth_file(self) -> Path:
        """Where the true neighbours are kept, as ``ids`` and ``scores``."""
        return Path(self.data) / f"truth-{self.size}.npz"


def run_job(setup: Setup, work: Work, folder: Path) -> dict[str, Any]:
    """Build an index and measure it.

    Args:
        setup: engine and index.
        work: data and rules.
        folder: an empty folder for what the engine writes.

    Returns:
        Plain figures: ``insert_s`` (None where vectors go straight into the index), ``build_s``,
        ``memory_mb`` (what this process and its children grew by) and ``disk_mb`` (both None where
        the engine is on another machine), ``version``, and under ``points`` what ``measure`` gives
        for each effort.
    """
    vectors = np.load(Path(work.data) / "vectors.npy", mmap_mode="r")[: work.size]
    queries = np.load(Path(work.data) / "queries.npy")
    truth = np.load(work.truth_file())["scores"]
    before = own_memory()
    engine = engine_class(setup.engine)(setup, work.size, vectors.shape[1], folder, work.threads)
    try:
        start = time.perf_counter()
        engine.insert(vectors)
        inserted = time.perf_counter()
        engine.build()
        built = time.perf_counter()
        engine.search(queries[:BATCH], work.k, setup.efforts[-1])  # some load at the first search
        gc.collect()
        result = {
            "insert_s": None if engine.adds_while_building else inserted - start,
            "build_s": built - start if engine.adds_while_building else built - inserted,
            "memory_mb": None if engine.remote else (own_memory() - before) / 1e6,
        }
        result["points"] = [
            {"effort": effort} | measure(engine, vectors, queries, truth, work, effort)
            for effort in setup.efforts
        ]
        engine.save()
        disk = None if engine.remote else folder_bytes(folder) / 1e6
        return result | {"disk_mb": disk, "version": engine.version()}
    finally:
        engine.close()


def measure(
    engine: Engine,
    vectors: np.ndarray,
    queries: np.ndarray,
    truth: np.ndarray,
    work: Work,
    effort: dict[str, Any],
) -> dict[str, float]:
    """Measure searches with one effort: batches, then single queries, then several clients.

    Args:
        engine: with its index built.
        vectors: (size, dim), what was indexed.
        queries: (m, dim).
        truth: (m, k), the scores of the true neighbours, best first.
        work: the rules.
        effort: search parameters.

    Returns:
        ``recall@1`` to ``recall@100``, ``batch_qps`` (queries/s in batches of 100), ``p50``,
        ``p95`` and ``p99`` in ms for one query at a time and ``calls`` (how many), and with
        clients ``clients_qps``.
    """

    def search(rows: slice | list[int]) -> np.ndarray:
        return engine.search(queries[rows], work.k, effort)

    search(slice(0, BATCH))  # warm-up
    found, start = [], time.perf_counter()
    for first in range(0, len(queries), BATCH):
        found.append(search(slice(first, first + BATCH)))
        if time.perf_counter() - start > work.seconds:
            break
    spent = time.perf_counter() - start
    ids = np.concatenate(found)
    figures = recalls(ids, vectors, queries[: len(ids)], truth[: len(ids)])
    figures["batch_qps"] = len(ids) / spent

    calls, start = [], time.perf_counter()
    for number in range(-3, len(queries)):  # three more to warm up
        began = time.perf_counter()
        search([max(number, 0)])
        calls.append((time.perf_counter() - began) * 1000)
        if len(calls) > _LEAST + 3 and time.perf_counter() - start > work.seconds:
            break
    for percent in (50, 95, 99):
        figures[f"p{percent}"] = float(np.percentile(calls[3:], percent))
    figures["calls"] = len(calls) - 3
    if work.clients:
        figures["clients_qps"] = _clients_qps(search, len(queries), work)
    return figures


def recalls(
    ids: np.ndarray, vectors: np.ndarray, queries: np.ndarray, truth: np.ndarray
) -> dict[str, float]:
    """recall@1, 10 and 100 by score, as ann-benchmarks counts: a tie is as good as the true one.

    Args:
        ids: (m, k) as found, best first; -1 where nothing was.
        vectors: (n, dim).
        queries: (m, dim).
        truth: (m, k), the scores of the true neighbours, best first.

    Raises:
        ValueError: an id was returned twice for a query, or there is no such row.
    """
    ordered = np.sort(ids, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if twice.any() or ids.max() >= len(vectors):
        raise ValueError("a search returned an id twice, or one that was never stored")
    unique, places = np.unique(np.maximum(ids, 0), return_inverse=True)
    rows = np.asarray(vectors[unique])[places.reshape(ids.shape)]
    scores = np.where(ids >= 0, np.einsum("qkd,qd->qk", rows, queries), -np.inf)
    near = {rank: scores[:, :rank] >= truth[:, rank - 1 : rank] - 1e-5 for rank in RANKS}
    return {f"recall@{rank}": float(hits.mean()) for rank, hits in near.items()}


def own_memory() -> int:
    """Bytes of memory of this process and its children, without files that are only mapped."""
    return memory_of(family(os.getpid()), shared=False)


def memory_of(processes: Iterable[psutil.Process], shared: bool = True) -> int:
    """Bytes of memory of processes that are still there.

    Args:
        processes: which ones.
        shared: whether files that are mapped count; only Linux can leave them out.
    """
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            memory = process.memory_info()
            total += memory.rss - (0 if shared else getattr(memory, "shared", 0))
    return total


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started; empty if it is gone."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def folder_bytes(folder: Path) -> int:
    """The size of all files in a folder, without those that are only linked there."""
    files = (path for path in folder.rglob("*") if not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.is_file())


def _clients_qps(search: Any, queries: int, work: Work) -> float:
    """Queries per second of several threads that search one query after the other."""
    numbers, end = itertools.count(), time.perf_counter() + work.seconds

    def client(_: int) -> int:
        done = 0
        while time.perf_counter() < end or not done:
            search([next(numbers) % queries])
            done += 1
        return done

    start = time.perf_counter()
    with ThreadPoolExecutor(work.clients) as pool:
        done = sum(pool.map(client, range(work.clients)))
    return done / (time.perf_counter() - start)


def main() -> None:
    """Do the job that ``job.json`` in the folder describes; leave ``result.json`` there."""
    folder = Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    (folder / "data").mkdir()
    result = run_job(Setup(**job["setup"]), Work(**job["work"]), folder / "data")
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
