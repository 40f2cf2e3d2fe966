"""Libraries and embedded databases behind one small interface, so that all get the same work."""

import contextlib
import importlib.metadata
import os
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from helpers.scenarios.benchmark.setups import ALL, Setup

_PER_CELL = 64  # rows for each cell that k-means learns from
# Milvus Lite takes its client's questions whether it is there for an offence.
_NO_PINGS = {"grpc.keepalive_time_ms": 2**31 - 1}
# Small segments are merged as soon as they are stored, not after each has got an index of its own.
_MERGE_FIRST = {"dataCoord.compaction.indexBasedCompaction": "false"}
Rows, Effort = np.ndarray, dict[str, Any]  # a row for each vector or query; search parameters


def share_of(ids: np.ndarray) -> np.ndarray:
    """What filters look at: a number from 0 to 999 for each id, spread evenly over the rows."""
    return np.asarray(ids, np.int64) * 7919 % ALL


@dataclass(eq=False)
class Engine(ABC):
    """An engine with one index; the vectors have length 1.

    Attributes:
        setup: index and parameters.
        size, dim: how many vectors there will be, and their dimension.
        folder: an empty folder for what the engine writes.
        threads: how many it may use.
        package: the distribution whose version is noted.
        metric: how it compares; for vectors of length 1 all give the same order.
        rows_at_once: rows that are handed over in one call, what suits the engine.
        can_filter: whether it can leave out rows by their ``share``.
        remote: whether its memory and disk are on another machine.
    """

    setup: Setup
    size: int
    dim: int
    folder: Path
    threads: int
    package: ClassVar[str]
    metric: ClassVar[str] = "inner product"
    rows_at_once: ClassVar[int] = 10_000
    can_filter: ClassVar[bool] = False
    remote = False

    def version(self) -> str:
        """The version at work."""
        return importlib.metadata.version(self.package)

    @abstractmethod
    def open(self) -> None:
        """Make an empty index or collection."""

    def train(self, vectors: Rows) -> None:
        """Look at all vectors before they come, (size, dim), where the index wants that."""
        return

    @abstractmethod
    def insert(self, ids: Rows, vectors: Rows) -> None:
        """Hand over vectors, (n, dim), with their ids, (n,)."""

    def build(self) -> None:
        """Build the index, if that is a step of its own."""
        return

    @abstractmethod
    def search(self, queries: Rows, k: int, effort: Effort, keep: int = ALL) -> Rows:
        """The ids of the k nearest, best first, -1 where there are fewer: int64, (queries, k).

        Only rows whose ``share`` is below ``keep`` count.
        """

    def save(self) -> None:
        """Write the index into the folder, if it is not there anyway."""
        return

    def close(self) -> None:
        """Give back what is held."""
        return


class NumpyExact(Engine):
    """Every query against every vector, by one matrix product."""

    package = "numpy"

    def open(self) -> None:
        self.vectors = np.empty((self.size, self.dim), np.float32)

    def insert(self, ids: Rows, vectors: Rows) -> None:
        self.vectors[ids] = vectors

    def search(self, queries: Rows, k: int, effort: Effort, keep: int = ALL) -> Rows:
        from helpers.measure import top_k

        return top_k(queries @ self.vectors.T, k)

    def save(self) -> None:
        np.save(self.folder / "vectors.npy", self.vectors)


class Faiss(Engine):
    """faiss: IVF_FLAT and HNSW."""

    package = "faiss-cpu"

    def open(self) -> None:
        import faiss

        from helpers.engines.faiss_indexes import new_index

        faiss.omp_set_num_threads(self.threads)
        self.index = new_index(self.setup.index, self.dim, self.setup.build)
        self.effort: Effort = {}

    def train(self, vectors: Rows) -> None:
        if not self.index.is_trained:
            step = max(1, self.size // (_PER_CELL * self.setup.build["nlist"]))
            self.index.train(np.ascontiguousarray(vectors[::step]))

    def insert(self, ids: Rows, vectors: Rows) -> None:
        self.index.add(vectors)

    def search(self, queries: Rows, k: int, effort: Effort, keep: int = ALL) -> Rows:
        from helpers.engines.faiss_indexes import set_search

        if effort != self.effort:
            set_search(self.index, effort)
            self.effort = effort
        return self.index.search(queries, k)[1]

    def save(self) -> None:
        import faiss

        faiss.write_index(self.index, str(self.folder / "index.faiss"))


class SqliteVec(Engine):
    """sqlite-vec: SQLite with a column of vectors; it compares with all of them."""

    package = "sqlite-vec"
    metric = "cosine"

    def open(self) -> None:
        self.local = threading.local()  # a connection belongs to one thread
        self._connect().execute(
            f"CREATE VIRTUAL TABLE rows USING vec0(vector float[{self.dim}] distance_metric=cosine)"
        )

    def insert(self, ids: Rows, vectors: Rows) -> None:
        with self._connect() as database:
            rows = ((int(id_), row.tobytes()) for id_, row in zip(ids, vectors, strict=True))
            database.executemany("INSERT INTO rows(rowid, vector) VALUES (?, ?)", rows)

    def search(self, queries: Rows, k: int, effort: Effort, keep: int = ALL) -> Rows:
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
    """LanceDB: IVF_FLAT over files in the Lance format."""

    package = "lancedb"
    metric = "cosine"
    rows_at_once = 100_000  # each call makes a file

    def open(self) -> None:
        import lancedb
        import pyarrow as pa

        vector = pa.list_(pa.float32(), self.dim)
        self.schema = pa.schema([("id", pa.int64()), ("vector", vector)])
        self.table = lancedb.connect(self.folder).create_table("rows", schema=self.schema)

    def insert(self, ids: Rows, vectors: Rows) -> None:
        import pyarrow as pa

        flat, kind = pa.array(vectors.ravel()), self.schema.field("vector").type
        rows = pa.FixedSizeListArray.from_arrays(flat, type=kind)
        self.table.add(pa.table([pa.array(ids), rows], schema=self.schema))

    def build(self) -> None:
        from lancedb.index import IvfFlat

        nlist = self.setup.build["nlist"]
        self.table.create_index(
            "vector", config=IvfFlat(distance_type="cosine", num_partitions=nlist)
        )

    def search(self, queries: Rows, k: int, effort: Effort, keep: int = ALL) -> Rows:
        search = self.table.search(queries).distance_type("cosine").nprobes(effort["nprobe"])
        found = search.limit(k).select(["id", "_distance"]).to_arrow()
        ids = found["id"].to_numpy()
        if len(queries) == 1:
            return as_ids([ids], k)
        query = found["query_index"].to_numpy()
        return as_ids((ids[query == i] for i in range(len(queries))), k)


class MilvusEngine(Engine):
    """Where Milvus comes from; the notebook says how it stores and searches.

    ``client`` is pymilvus' own, ``rows`` the name of the collection, and ``lite`` says whether this
    is Milvus Lite in this process.
    """

    package = "pymilvus"
    rows_at_once = 1_000
    can_filter = True
    rows = "bootcamp_benchmark_rows"

    @property
    def lite(self) -> bool:
        return self.setup.engine == "Milvus Lite"

    def connect(self) -> None:
        """Open Milvus Lite in the folder, or the server of ``MILVUS_URI``, or one started here."""
        from pymilvus import MilvusClient

        from helpers.engines.lite import quiet
        from helpers.engines.server import running_server

        self.stack = contextlib.ExitStack()
        address = os.environ.get("MILVUS_URI", "")
        self.remote = not self.lite and bool(address)
        if self.lite:
            address = str(self.folder / "milvus.db")
        elif not self.remote:
            address = self.stack.enter_context(running_server(self.folder, _MERGE_FIRST))
        options = {"grpc_options": _NO_PINGS} if self.lite else {}
        with quiet():
            self.client = MilvusClient(address, token=os.environ.get("MILVUS_TOKEN", ""), **options)
        self.client.drop_collection(self.rows)

    def merge(self) -> None:
        """Have small segments merged, and wait: else a server does it while it is measured."""
        if not self.lite:
            job = self.client.compact(self.rows)
            while self.client.get_compaction_state(job) != "Completed":
                time.sleep(1)

    def wait(self) -> None:
        """Wait until all rows are in the index."""
        if not self.lite:
            while self.client.describe_index(self.rows, "vector")["pending_index_rows"]:
                time.sleep(1)

    def version(self) -> str:
        """That of Milvus, as it says itself."""
        version = self.client.get_server_version()
        return version.removeprefix("milvus_lite-").removeprefix("v").removesuffix("-lite")

    def close(self) -> None:
        """Drop the collection, and stop a server that was started here."""
        self.client.drop_collection(self.rows)
        self.client.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a server that is killed goes slowly
            self.stack.close()


LIBRARIES: dict[str, type[Engine]] = {
    "numpy": NumpyExact,
    "faiss": Faiss,
    "sqlite-vec": SqliteVec,
    "LanceDB": LanceDb,
}


def as_ids(found: Iterable[Iterable[int]], k: int) -> np.ndarray:
    """Lists of at most k ids as rows of int64, (n, k), filled up with -1."""
    rows = [list(ids)[:k] for ids in found]
    return np.array([ids + [-1] * (k - len(ids)) for ids in rows], np.int64)
