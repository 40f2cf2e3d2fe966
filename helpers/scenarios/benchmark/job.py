"""One job: build one index of one engine, and measure it. Run in a process of its own, so that
its memory can be told from everything else's: ``python -m helpers.scenarios.benchmark.job FOLDER``.
"""

import contextlib
import gc
import json
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from helpers.measure import bootstrap_interval
from helpers.scenarios.benchmark.engines import Engine, share_of
from helpers.scenarios.benchmark.setups import ALL, BATCH, Load, Setup

_LONGEST = 20  # seconds for finding out a recall, once a batch is done
_WRITTEN = 100  # rows in one insert, while searches go on

Search = Callable[[np.ndarray, Load], np.ndarray]  # queries, what is asked -> ids
Rounds = list[tuple[float, np.ndarray]]  # in each queries per second, and the ms of each call
Measure = Callable[[Search, np.ndarray, Sequence[Load], float], list[Rounds]]  # for some seconds


@dataclass(frozen=True)
class Work:
    """What every engine has to do.

    Attributes:
        data: the folder with ``vectors.npy``, ``queries.npy`` and the true neighbours.
        size: how many of the vectors, from the first on.
        k: how many neighbours each search asks for.
        seconds: how long each measurement lasts.
        threads: how many threads an engine may use.
        writes: rows a second that come in during the last measurement.
    """

    data: str
    size: int
    k: int
    seconds: float
    threads: int
    writes: int

    def truth_file(self, keep: int = ALL) -> Path:
        """Where the true neighbours are kept, as ``ids`` and ``scores``."""
        return Path(self.data) / f"truth-{self.size}-{keep}.npz"


def run_job(
    kind: type[Engine], measure: Measure, setup: Setup, work: Work, folder: Path
) -> dict[str, Any]:
    """Build an index and measure it.

    Args:
        kind: the engine.
        measure: what measures searches.
        setup: index and parameters.
        work: data and rules.
        folder: an empty folder for what the engine writes.

    Returns:
        Plain figures: ``insert_s``, ``build_s``, ``memory_mb`` (what this process and its children
        grew by) and ``disk_mb`` (both None where the engine is on another machine), ``version``,
        and under ``points`` for each load its fields and what ``summarise`` gives. The last point
        has ``writes``, the rows a second that came in meanwhile.
    """
    vectors = np.load(Path(work.data) / "vectors.npy", mmap_mode="r")
    queries = np.load(Path(work.data) / "queries.npy")
    before = own_memory()
    engine = kind(setup, work.size, vectors.shape[1], folder, work.threads)
    engine.open()
    try:
        start = time.perf_counter()
        engine.train(vectors[: work.size])
        for first in range(0, work.size, engine.rows_at_once):
            ids = np.arange(first, min(first + engine.rows_at_once, work.size))
            engine.insert(ids, np.array(vectors[ids[0] : ids[-1] + 1]))
        inserted = time.perf_counter()
        engine.build()
        built = time.perf_counter()

        def search(some: np.ndarray, load: Load) -> np.ndarray:
            return engine.search(some, work.k, load.effort, load.keep)

        loads = setup.loads(engine.can_filter)
        search(queries[:BATCH], replace(loads[-1], keep=ALL))  # some load at the first search
        gc.collect()
        result = {
            "insert_s": inserted - start,
            "build_s": built - inserted,
            "memory_mb": None if engine.remote else (own_memory() - before) / 1e6,
        }
        recall = {
            key: recalls(search, vectors, queries, work, load)
            for key, load in {(str(load.effort), load.keep): load for load in loads}.items()
        }
        rounds = measure(search, queries, loads, work.seconds)
        points = [
            asdict(load) | recall[str(load.effort), load.keep] | summarise(done)
            for load, done in zip(loads, rounds, strict=True)
        ]
        engine.save()
        result["disk_mb"] = None if engine.remote else folder_bytes(folder) / 1e6
        if setup.wide and engine.can_filter:
            quiet = Load(setup.usual)
            with writing(engine, vectors, work) as written:
                (done,) = measure(search, queries, [quiet], work.seconds)
            points.append(asdict(quiet) | summarise(done) | {"writes": written()})
        return result | {"points": points, "version": engine.version()}
    finally:
        engine.close()


def recalls(
    search: Search, vectors: np.ndarray, queries: np.ndarray, work: Work, load: Load
) -> dict[str, float]:
    """The recall of a search, by score as ann-benchmarks counts: a tie is as good as the true one.

    Args:
        search: what is measured.
        vectors: (n, dim), what was stored.
        queries: (m, dim).
        work: the rules.
        load: what is asked.

    Returns:
        ``recall``, and the ends of its 95 % interval ``recall_low`` and ``recall_high``. After
        twenty seconds the queries that were searched by then have to do.

    Raises:
        ValueError: an id was returned twice for a query, was never stored, or is one that the
            filter leaves out.
    """
    truth, start, shares = np.load(work.truth_file(load.keep))["scores"], time.perf_counter(), []
    for first in range(0, len(truth), BATCH):
        some = slice(first, min(first + BATCH, len(truth)))
        ids = search(queries[some], load)
        shares.append(found_shares(ids, vectors[: work.size], queries[some], truth[some]))
        if (share_of(ids[ids >= 0]) >= load.keep).any():
            raise ValueError("a search returned a row that its filter leaves out")
        if time.perf_counter() - start > _LONGEST:
            break
    each = np.concatenate(shares)
    low, high = bootstrap_interval(each)
    return {"recall": float(each.mean()), "recall_low": low, "recall_high": high}


def found_shares(
    ids: np.ndarray, vectors: np.ndarray, queries: np.ndarray, truth: np.ndarray
) -> np.ndarray:
    """For each query the share of its true neighbours that was found.

    Args:
        ids: (m, k) as found, best first; -1 where nothing was.
        vectors: (n, dim).
        queries: (m, dim).
        truth: the scores of the true neighbours, best first: (m, k), or fewer where a filter keeps
            fewer rows.

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
    return (scores[:, : truth.shape[1]] >= truth[:, -1:] - 1e-5).mean(axis=1)


def summarise(rounds: Rounds) -> dict[str, float | None]:
    """What the rounds of a load come to.

    Args:
        rounds: for each its queries per second, and the milliseconds of each call.

    Returns:
        ``qps`` and ``ms``, the medians over rounds (``ms`` of each round's median call), each with
        the least and most as ``_low`` and ``_high``; ``p95`` from a hundred calls on, ``p99`` from
        a thousand on, else None; ``calls``, how many there were.
    """
    every = np.concatenate([spent for _, spent in rounds])
    figures: dict[str, float | None] = {"calls": len(every)}
    middles = [np.median(spent) for _, spent in rounds]
    for name, values in (("qps", [qps for qps, _ in rounds]), ("ms", middles)):
        figures[name] = float(np.median(values))
        figures |= {f"{name}_low": float(min(values)), f"{name}_high": float(max(values))}
    for percent, enough in ((95, 100), (99, 1000)):
        known = len(every) >= enough
        figures[f"p{percent}"] = float(np.percentile(every, percent)) if known else None
    return figures


@contextlib.contextmanager
def writing(engine: Engine, vectors: np.ndarray, work: Work) -> Iterator[Callable[[], float]]:
    """Have rows come in at a steady rate, a hundred at a time, by a thread of its own.

    Args:
        engine: with its index built.
        vectors: what is written once more, under new ids.
        work: with ``writes``, the rows a second.

    Yields:
        What gives the rate that was reached.
    """
    stop, begun, rows, failed = threading.Event(), time.perf_counter(), [0], []

    def write() -> None:
        while not stop.wait(max(0.0, begun + rows[0] / work.writes - time.perf_counter())):
            first = rows[0] % max(1, len(vectors) - _WRITTEN)
            part = np.array(vectors[first : first + _WRITTEN])
            try:
                engine.insert(np.arange(len(part)) + work.size + rows[0], part)
            except Exception as error:
                failed.append(error)
                return
            rows[0] += len(part)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield lambda: rows[0] / (time.perf_counter() - begun)
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]


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


def main() -> None:
    """Do the job that ``job.pickle`` in the folder holds; leave ``result.json`` there."""
    folder = Path(sys.argv[1])
    job = pickle.loads((folder / "job.pickle").read_bytes())
    (folder / "data").mkdir()
    result = run_job(*job, folder / "data")
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
