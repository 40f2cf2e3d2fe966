"""A small benchmark: vectors, queries and their true neighbours in files."""

from pathlib import Path

import numpy as np

from helpers.scenarios.benchmark.data import true_neighbours
from helpers.scenarios.benchmark.job import Work

SIZE, QUERIES, K = 3000, 120, 100


def draw():
    """SIZE vectors, then QUERIES queries, (n, 16), of length 1."""
    drawn = np.random.default_rng(0).normal(size=(SIZE + QUERIES, 16)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def make_work(folder: Path) -> Work:
    """Files of these vectors in a folder, and rules for a quick measurement."""
    vectors = draw()
    np.save(folder / "vectors.npy", vectors[:SIZE])
    np.save(folder / "queries.npy", vectors[SIZE:])
    work = Work(str(folder), SIZE, K, seconds=0.1, clients=2, threads=1)
    true_neighbours(vectors[:SIZE], vectors[SIZE:], K, work.truth_file())
    return work
