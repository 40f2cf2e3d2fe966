"""Libraries and embedded databases behind one small interface, so that all get the same work."""

import importlib
import importlib.metadata
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from helpers.scenarios.benchmark.setups import Setup

CHUNK = 10_000  # rows handed over at once
_PER_CELL = 64  # rows for each cell that k-means learns from


@dataclass(eq=False)
class Engine(ABC):
    """An engine with one index; the vectors have length 1 and are compared by inner product.

    Attributes:
        setup: index and parameters.
        size: how many vectors there will be.
        dim: their dimension.
        folder: an empty folder for what the engine writes.
        threads: how many it may use.
        package: the distribution whose version is noted.
        adds_while_building: whether vectors go straight into the index, so that there is no insert
            to be timed by itself.
        remote: whether it works on another machine, whose memory and disk are not seen here.
    """

    setup: Setup
    size: int
    dim: int
    folder: Path
    threads: int
    package: ClassVar[str]
    adds_while_building = False
    remote = False

    def __post_init__(self) -> None:
        self.open()

    def version(self) -> str:
        """The version at work."""
        return importlib.metadata.version(self.package)

    @abstractmethod
    def open(self) -> None:
        """Make an empty index or collection."""

    @abstractmethod
    def insert(self, vectors: np.ndarray) -> None:
        """Hand over the vectors, (size, dim); their ids are their row numbers."""

    def build(self) -> None:
        """Build the index, if that is a step of its own."""
        return

    @abstractmethod
    def search(self, queries: np.ndarray, k: int, effort: dict[str, Any]) -> np.ndarray:
        """The ids of the k nearest, best first, -1 where there are fewer: int64, (queries, k)."""

    def save(self) -> None:
        """Write the index into the folder, if it is not there anyway."""
        return

    def close(self) -> None:
        """Give back what is held."""
        return


class NumpyExact(Engine):
    """Every query against every vector, by one matrix product."""

    package = "numpy"
    adds_while_building = True

    def open(self) -> None:
        self.vectors = np.empty((self.size, self.dim), np.float32)

    def insert(self, vectors: np.ndarray) -> None:
        self.vectors[:] = vectors

    def search(self, queries: np.ndarray, k: int, effort: dict[str, Any]) -> np.ndarray:
        from helpers.measure import exact_search

        return exact_search(queries, self.vectors, k, "IP")

    def save(self) -> None:
        np.save(self.folder / "vectors.npy", self.vectors)


class Faiss(Engine):
    """faiss: FLAT, IVF_FLAT and HNSW."""

    package = "faiss-cpu"
    adds_while_building = True

    def open(self) -> None:
        import faiss

        from helpers.engines.faiss_indexes import new_index

        faiss.omp_set_num_threads(self.threads)
        self.index = new_index(self.setup.index, self.dim, self.setup.build)

    def insert(self, vectors: np.ndarray) -> None:
        if not self.index.is_trained:
            step = max(1, self.size // (_PER_CELL * self.setup.build["nlist"]))
            self.index.train(np.ascontiguousarray(vectors[::step]))
        for _, chunk in chunks(vectors):
            self.index.add(chunk)

    def search(self, queries: np.ndarray, k: int, effort: dict[str, Any]) -> np.ndarray:
        from helpers.engines.faiss_indexes import set_search

        set_search(self.index, effort)
        return self.index.search(queries, k)[1]

    def save(self) -> None:
        import faiss

        faiss.write_index(self.index, str(self.folder / "index.faiss"))


class Hnswlib(Engine):
    """hnswlib, the HNSW of its inventors; it is built from source where it is installed."""

    package = "hnswlib"
    adds_while_building = True

    def open(self) -> None:
        import hnswlib

        build = self.setup.build
        self.index = hnswlib.Index(space="ip", dim=self.dim)
        self.index.init_index(self.size, M=build["M"], ef_construction=build["efConstruction"])
        self.index.set_num_threads(self.threads)

    def insert(self, vectors: np.ndarray) -> None:
        for start, chunk in chunks(vectors):
            self.index.add_items(chunk, np.arange(start, start + len(chunk)))

    def search(self, queries: np.ndarray, k: int, effort: dict[str, Any]) -> np.ndarray:
        self.index.set_ef(effort["ef"])
        return self.index.knn_query(queries, k)[0].astype(np.int64)

    def save(self) -> None:
        self.index.save_index(str(self.folder / "index.hnsw"))


class SqliteVec(Engine):
    """sqlite-vec: SQLite with a column of vectors; it compares with all of them."""

    package = "sqlite-vec"

    def open(self) -> None:
        self.local = threading.local()  # a connection belongs to one thread
        self._connect().execute(
            f"CREATE VIRTUAL TABLE rows USING vec0(vector float[{self.dim}] distance_metric=cosine)"
        )

    def insert(self, vectors: np.ndarray) -> None:
        for start, chunk in chunks(vectors):
            with self._connect() as database:
                rows = ((start + i, row.tobytes()) for i, row in enumerate(chunk))
                database.executemany("INSERT INTO rows(rowid, vector) VALUES (?, ?)", rows)

    def search(self, queries: np.ndarray, k: int, effort: dict[str, Any]) -> np.ndarray:
        nearest = "SELECT rowid FROM rows WHERE vector MATCH ? AND k = ? ORDER BY distance"
        database = self._connect()
        found = [database.execute(nearest, (query.tobytes(), k)) for query in queries]
        return as_ids(([row[0] for row in rows] for rows in found), k)

    def close(self) -> None:
        self._connect().close()

    def _connect(self) -> Any:
        # Python's own sqlite3 often cannot load extensions; apsw always can.
        import apsw
        import sqlite_vec

        if not hasattr(self.local, "database"):
            self.local.database = apsw.Connection(str(self.folder / "rows.sqlite"))
            self.local.database.enable_load_extension(True)
            self.local.database.load_extension(sqlite_vec.loadable_path())
        return self.local.database


class LanceDb(Engine):
    """LanceDB: IVF_FLAT and IVF_PQ over files in the Lance format."""

    package = "lancedb"

    def open(self) -> None:
        import lancedb

        self.database = lancedb.connect(self.folder)

    def insert(self, vectors: np.ndarray) -> None:
        import pyarrow as pa

        kind = pa.list_(pa.float32(), self.dim)
        schema = pa.schema([("id", pa.int64()), ("vector", kind)])

        def batches() -> Iterator[pa.RecordBatch]:
            for start, chunk in chunks(vectors):
                ids = pa.array(np.arange(start, start + len(chunk)))
                rows = pa.FixedSizeListArray.from_arrays(pa.array(chunk.ravel()), type=kind)
                yield pa.record_batch([ids, rows], schema=schema)

        self.table = self.database.create_table("rows", batches(), schema=schema)

    def build(self) -> None:
        from lancedb.index import IvfFlat, IvfPq

        build = self.setup.build
        common = {"distance_type": "cosine", "num_partitions": build["nlist"]}
        if self.setup.index == "IVF_PQ":
            common |= {"max_iterations": build["max_iterations"]}  # 50 unless said, much longer
            config = IvfPq(num_sub_vectors=build["sub_vectors"], **common)
        else:
            config = IvfFlat(**common)
        self.table.create_index("vector", config=config)

    def search(self, queries: np.ndarray, k: int, effort: dict[str, Any]) -> np.ndarray:
        search = self.table.search(queries).distance_type("cosine").nprobes(effort["nprobe"])
        if "refine" in effort:  # compare that many times k once more, exactly
            search = search.refine_factor(effort["refine"])
        found = search.limit(k).select(["id", "_distance"]).to_arrow()
        ids = found["id"].to_numpy()
        if len(queries) == 1:
            return as_ids([ids], k)
        query = found["query_index"].to_numpy()
        return as_ids((ids[query == i] for i in range(len(queries))), k)


# Where each engine is; imported when it is needed, as some take a second.
ENGINES = {
    "numpy": "helpers.scenarios.benchmark.engines:NumpyExact",
    "faiss": "helpers.scenarios.benchmark.engines:Faiss",
    "hnswlib": "helpers.scenarios.benchmark.engines:Hnswlib",
    "sqlite-vec": "helpers.scenarios.benchmark.engines:SqliteVec",
    "LanceDB": "helpers.scenarios.benchmark.engines:LanceDb",
    "Milvus Lite": "helpers.scenarios.benchmark.milvus:MilvusLite",
    "Milvus server": "helpers.scenarios.benchmark.milvus:MilvusServer",
}


def engine_class(name: str) -> type[Engine]:
    """The class behind the name of an engine."""
    module, _, kind = ENGINES[name].partition(":")
    return getattr(importlib.import_module(module), kind)


def installed_version(name: str) -> str | None:
    """The version of an engine's package, or None where it is not installed."""
    try:
        return importlib.metadata.version(engine_class(name).package)
    except importlib.metadata.PackageNotFoundError:
        return None


def chunks(vectors: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The vectors in parts of at most ``CHUNK`` rows, each with the number of its first row."""
    for start in range(0, len(vectors), CHUNK):
        yield start, np.array(vectors[start : start + CHUNK])


def as_ids(found: Any, k: int) -> np.ndarray:
    """Lists of at most k ids as rows of int64, (n, k), filled up with -1."""
    rows = [list(ids)[:k] for ids in found]
    return np.array([ids + [-1] * (k - len(ids)) for ids in rows], np.int64)
