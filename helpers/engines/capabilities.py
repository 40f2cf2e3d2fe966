"""What a Milvus engine can do, found out by trying it on a tiny collection."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pymilvus import CollectionSchema, DataType, Function, FunctionType, MilvusClient
from pymilvus.exceptions import MilvusException

from helpers.engines.lite import quiet

# The index types that some engines lack, each with the smallest parameters that make sense.
_UNCERTAIN_INDEX_TYPES = {
    "IVF_PQ": {"nlist": 1, "m": 2, "nbits": 8},
    "SCANN": {"nlist": 1},
    "HNSW_SQ": {"M": 4, "efConstruction": 8, "sq_type": "SQ8"},
    "ANNOY": {"n_trees": 8},  # until Milvus 2.2
}
_Field = tuple[str, DataType, dict]  # its name, its type, and what else ``add_field`` takes


@dataclass(frozen=True)
class Capabilities:
    """What one Milvus engine can do beyond what all of them can.

    Attributes:
        binary_vectors: fields of 0/1 vectors (``BINARY_VECTOR``).
        sparse_vectors: fields of sparse vectors (``SPARSE_FLOAT_VECTOR``).
        full_text: BM25 search on text, computed by the engine.
        multiple_vectors: several vector fields in a collection, and so ``hybrid_search``.
        index_types: those of ``IVF_PQ``, ``SCANN``, ``HNSW_SQ`` and ``ANNOY`` that it can build.
    """

    binary_vectors: bool
    sparse_vectors: bool
    full_text: bool
    multiple_vectors: bool
    index_types: tuple[str, ...]


@cache
def find_capabilities(client: MilvusClient) -> Capabilities:
    """Find out what an engine can do; the answer is kept for each client.

    Args:
        client: a client of the engine. A collection of a name never used before is created and
            dropped several times.

    Returns:
        What the engine can do. Finding out takes half a second, on a server some seconds.

    Raises:
        MilvusException: the engine no longer answers.
    """
    text = ("text", DataType.VARCHAR, {"max_length": 8, "enable_analyzer": True})
    bits = ("bits", DataType.BINARY_VECTOR, {"dim": 8})
    terms = ("terms", DataType.SPARSE_FLOAT_VECTOR, {})
    one, two = ((name, DataType.FLOAT_VECTOR, {"dim": 8}) for name in ("one", "two"))
    bm25 = Function("bm25", FunctionType.BM25, ["text"], ["terms"])
    with quiet():
        found = Capabilities(
            binary_vectors=_can_create(client, bits),
            sparse_vectors=_can_create(client, terms),
            full_text=_can_create(client, text, terms, function=bm25),
            multiple_vectors=_can_create(client, one, two),
            index_types=_buildable(client, one),
        )
        client.list_collections()  # An engine gone meanwhile must not pass for a weak one.
    return found


def can_group(client: MilvusClient) -> bool:
    """Find out whether an engine gives one hit a group, by a search of four rows in two groups."""
    vector = ("vector", DataType.FLOAT_VECTOR, {"dim": 8})
    schema = _schema(client, ("kind", DataType.INT64, {}), vector)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="L2")
    rows = [{"id": n, "kind": n % 2, "vector": [float(n)] * 8} for n in range(4)]
    try:
        with quiet(), _scratch(client, schema) as name:
            client.insert(name, rows)
            client.flush(name)
            client.create_index(name, index)
            client.load_collection(name)
            how = {"group_by_field": "kind", "consistency_level": "Strong"}
            found = client.search(name, [rows[0]["vector"]], limit=4, **how)
    except MilvusException:
        return False
    return [hit["id"] for hit in found[0]] == [0, 1]


def _schema(client: MilvusClient, *fields: _Field) -> CollectionSchema:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    for name, kind, details in fields:
        schema.add_field(name, kind, **details)
    return schema


@contextlib.contextmanager
def _scratch(client: MilvusClient, schema: CollectionSchema) -> Iterator[str]:
    name = f"probe_{uuid.uuid4().hex}"
    try:
        client.create_collection(name, schema=schema)
        yield name
    finally:
        with contextlib.suppress(MilvusException):
            client.drop_collection(name)


def _can_create(client: MilvusClient, *fields: _Field, function: Function | None = None) -> bool:
    schema = _schema(client, *fields)
    if function:
        schema.add_function(function)
    try:
        with _scratch(client, schema) as name:
            # A server from before BM25 creates the collection, but without the function.
            return not function or bool(client.describe_collection(name).get("functions"))
    except MilvusException:
        return False


def _buildable(client: MilvusClient, vector: _Field) -> tuple[str, ...]:
    able = []
    with _scratch(client, _schema(client, vector)) as name:
        # Milvus Lite looks at the index type only when there are stored rows to index.
        rows = [{"id": number, vector[0]: [float(number)] * 8} for number in range(4)]
        client.insert(name, rows)
        client.flush(name)
        for kind, details in _UNCERTAIN_INDEX_TYPES.items():
            index = client.prepare_index_params()
            index.add_index(vector[0], index_type=kind, metric_type="L2", params=details)
            try:
                client.create_index(name, index)
                able.append(kind)
            except MilvusException:
                pass
            # Milvus Lite keeps an index that it failed to build.
            with contextlib.suppress(MilvusException):
                client.release_collection(name)
                client.drop_index(name, vector[0])
    return tuple(able)
