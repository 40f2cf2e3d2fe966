"""Milvus Lite and a Milvus server behind the interface of the other engines."""

import contextlib
import os
import time
from typing import Any

import numpy as np
from pymilvus import DataType, MilvusClient

from helpers.connect import engine_name
from helpers.engines.lite_store import open_here
from helpers.engines.server import running_server
from helpers.scenarios.benchmark.engines import Engine, as_ids, chunks

_ROWS = "bootcamp_benchmark_rows"
_BATCH = 1_000  # rows in one insert
# Small segments are merged as soon as they are stored, not after each has got an index of its own.
_MERGE_FIRST = {"dataCoord.compaction.indexBasedCompaction": "false"}


class MilvusLite(Engine):
    """Milvus Lite: a store in the folder, in this process."""

    package = "milvus-lite"

    def open(self) -> None:
        self._create(open_here(self.folder / "milvus.db"))

    def insert(self, vectors: np.ndarray) -> None:
        for start, chunk in chunks(vectors):
            rows = [{"id": start + i, "vector": row} for i, row in enumerate(chunk)]
            for first in range(0, len(rows), _BATCH):
                self.client.insert(_ROWS, rows[first : first + _BATCH])
        self.client.flush(_ROWS)

    def build(self) -> None:
        index = self.client.prepare_index_params()
        index.add_index(
            "vector", index_type=self.setup.index, metric_type="IP", params=self.setup.build
        )
        self.client.create_index(_ROWS, index)
        self.client.load_collection(_ROWS)

    def search(self, queries: np.ndarray, k: int, effort: dict[str, Any]) -> np.ndarray:
        found = self.client.search(_ROWS, list(queries), limit=k, search_params={"params": effort})
        return as_ids(([hit["id"] for hit in hits] for hits in found), k)

    def close(self) -> None:
        self.client.drop_collection(_ROWS)
        self.client.close()

    def _create(self, client: MilvusClient) -> None:
        self.client = client
        self.client.drop_collection(_ROWS)
        schema = self.client.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self.dim)
        self.client.create_collection(_ROWS, schema=schema)


class MilvusServer(MilvusLite):
    """The server that ``MILVUS_URI`` names, or the one of the package index, started here."""

    package = "pymilvus"

    def open(self) -> None:
        self.stack = contextlib.ExitStack()
        address = os.environ.get("MILVUS_URI", "")
        self.remote = "://" in address  # else it is the path of a Milvus Lite store
        if not self.remote:
            address = self.stack.enter_context(running_server(self.folder, _MERGE_FIRST))
        self._create(MilvusClient(address, token=os.environ.get("MILVUS_TOKEN", "")))

    def build(self) -> None:
        """Merge small segments, then build; else a server does it while it is measured."""
        self._merge()
        super().build()
        self._merge()
        while self.client.describe_index(_ROWS, "vector")["pending_index_rows"]:
            time.sleep(1)

    def _merge(self) -> None:
        job = self.client.compact(_ROWS)
        while self.client.get_compaction_state(job) != "Completed":
            time.sleep(1)

    def version(self) -> str:
        return engine_name(self.client).removeprefix("Milvus ")

    def close(self) -> None:
        super().close()
        self.stack.close()
