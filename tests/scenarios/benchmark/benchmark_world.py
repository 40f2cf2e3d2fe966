"""A small benchmark: vectors, queries and their true neighbours in files, and a quick measure."""

import time
from pathlib import Path

import numpy as np

from helpers.scenarios.benchmark.data import true_neighbours
from helpers.scenarios.benchmark.job import Work
from helpers.scenarios.benchmark.setups import ALL, KEEPS

SIZE, QUERIES, K = 3000, 120, 10


def draw():
    """SIZE vectors, then QUERIES queries, (n, 16), of length 1."""
    drawn = np.random.default_rng(0).normal(size=(SIZE + QUERIES, 16)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def make_work(folder: Path) -> Work:
    """Files of these vectors in a folder, and rules for a quick measurement."""
    vectors = draw()
    np.save(folder / "vectors.npy", vectors[:SIZE])
    np.save(folder / "queries.npy", vectors[SIZE:])
    work = Work(str(folder), SIZE, K, seconds=0.05, threads=1, writes=500)
    for keep in (ALL, *KEEPS):
        true_neighbours(vectors[:SIZE], vectors[SIZE:], K, work.truth_file(keep), keep)
    return work


def quick_measure(search, queries, loads, seconds):
    """One call of each load, three times."""
    rounds = [[] for _ in loads]
    for own, load in zip(rounds, loads, strict=True):
        for _ in range(3):
            started = time.perf_counter()
            search(queries[: load.batch], load)
            spent = time.perf_counter() - started
            own.append((load.batch / spent, np.array([spent * 1000])))
    return rounds
