"""Vectors of every type and shape that a reader's own code may hand to Milvus or to a measure."""

import os
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pymilvus import AnnSearchRequest, DataType, MilvusClient, RRFRanker

from helpers.connect import connect_milvus
from helpers.encoders.base import Encoder
from helpers.errors import BadItem
from helpers.ingest import encode_batches
from helpers.measure import exact_search
from tests.hostile.form import Case, LeftOut, Read, Refused

DIM = 8
STORED = np.random.default_rng(0).normal(size=(20, DIM)).astype(np.float32)
WHOLE = (STORED[3] * 100).round()  # numbers that every type but the smallest can hold


ROOM = tempfile.TemporaryDirectory()  # gone when the process ends


@cache
def store() -> MilvusClient:
    os.environ["BOOTCAMP_STORES"] = ROOM.name
    milvus = connect_milvus("hostile")
    schema = milvus.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    index = milvus.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="COSINE")
    milvus.create_collection("vectors", schema=schema, index_params=index)
    milvus.insert("vectors", [{"id": i, "vector": v} for i, v in enumerate(STORED)])
    return milvus


def upserted(items: Sequence[Any], folder: Path) -> list:
    """What is stored when the vectors are given as rows; it is removed again."""
    milvus, ids = store(), list(range(1_000, 1_000 + len(items)))
    milvus.upsert("vectors", [{"id": i, "vector": v} for i, v in zip(ids, items, strict=True)])
    found = milvus.get("vectors", ids, output_fields=["vector"])
    milvus.delete("vectors", ids=ids)
    vector_of = {row["id"]: np.array(row["vector"], np.float32) for row in found}
    return [vector_of[i] for i in ids]


def searched(items: Sequence[Any], folder: Path) -> list:
    """The nearest stored vector of each query."""
    hits = store().search("vectors", data=list(items), limit=1)
    return [STORED[row[0]["id"]] for row in hits]


def searched_in_one(items: Sequence[Any], folder: Path) -> list:
    request = AnnSearchRequest(list(items), "vector", {}, limit=1)
    hits = store().hybrid_search("vectors", [request], RRFRanker(), 1)
    return [STORED[row[0]["id"]] for row in hits]


def compared(items: Sequence[Any], folder: Path) -> list:
    try:
        rows = exact_search(np.stack(items), STORED, 1)
    except ValueError as error:
        raise BadItem(str(error)) from None
    return [STORED[row[0]] for row in rows]


class Given(Encoder):
    """An encoder whose vectors are the cases."""

    name, dim, batch_size = "given", DIM, 1

    def __init__(self, vectors):
        self.vectors = vectors

    def prepare(self, item):
        return np.asarray(self.vectors[int(item)])

    def embed(self, prepared):
        return np.stack(prepared)


def encoded(items: Sequence[Any], folder: Path) -> list:
    batches = encode_batches([str(i) for i in range(len(items))], Given(items), "vector")
    vector_of = {int(i): v for _, names, vs in batches for i, v in zip(names, vs, strict=True)}
    reasons = {int(item): reason for item, reason in batches.skipped}
    return [vector_of[i] if i in vector_of else LeftOut(reasons[i]) for i in range(len(items))]


def given(value: Any):
    return lambda folder: value


GOOD = [given(STORED[5]), given(STORED[7])]
SEARCHES = ("search", "hybrid_search")
READERS = {
    "upsert": upserted,
    "search": searched,
    "hybrid_search": searched_in_one,
    "exact_search": compared,
    "encode_batches": encoded,
}


def numbers(name: str, value: Any, **options) -> Case:
    """Numbers that mean a vector: it is taken as the stored vector 3, or a multiple of it."""

    def is_right(got: np.ndarray) -> bool:
        return got @ STORED[3] / np.linalg.norm(got) / np.linalg.norm(STORED[3]) > 0.98

    return Case(name, given(value), Read(is_right), **options)


def refused(name: str, value: Any, words: str, *readers: str) -> Case:
    return Case(name, given(value), Refused(words), readers=readers or ("upsert", *SEARCHES))


NOT_NUMBERS = "not a list of numbers"

CASES = [
    numbers("float32", STORED[3]),
    numbers("float64", STORED[3].astype("f8")),
    numbers("float16", STORED[3].astype("f2")),
    numbers("int8", (WHOLE / 2).astype("i1")),
    numbers("int16", WHOLE.astype("i2")),
    numbers("int32", WHOLE.astype("i4")),
    numbers("int64", WHOLE.astype("i8")),
    numbers("big-endian float32", STORED[3].astype(">f4")),
    numbers("big-endian float64", STORED[3].astype(">f8")),
    numbers("big-endian int32", WHOLE.astype(">i4")),
    numbers("every second number", np.repeat(STORED[3], 2)[::2]),
    numbers("a column", np.asfortranarray(np.tile(STORED[3], (4, 1)).T)[:, 1]),
    numbers("read only", np.frombuffer(STORED[3].tobytes(), np.float32)),
    numbers("a list", STORED[3].tolist()),
    numbers("a list of whole numbers", [int(number) for number in WHOLE]),
    numbers("a list of NumPy's numbers", list(STORED[3])),
    numbers("a tuple", tuple(STORED[3].tolist())),
    numbers("tiny", STORED[3] * 1e-15),
    numbers("large", STORED[3] * 1e15),
    refused("too short", STORED[3][:5], "5 numbers, but field 'vector' takes 8"),
    refused("too long", np.tile(STORED[3], 2), "16 numbers, but field 'vector' takes 8"),
    refused("empty vector", STORED[3][:0], "0 numbers, but field 'vector' takes 8"),
    refused("NaN", STORED[3] * np.nan, "NaN or infinity"),
    refused("one NaN in a list", [*STORED[3][:7].tolist(), float("nan")], "NaN or infinity"),
    refused("infinity", np.full(DIM, -np.inf, np.float32), "NaN or infinity"),
    refused("more than float32 holds", [1e60] * DIM, "NaN or infinity"),
    refused("complex", STORED[3].astype(complex), NOT_NUMBERS),
    refused("objects", np.array([None] * DIM), NOT_NUMBERS),
    refused("digits as texts", ["1"] * DIM, NOT_NUMBERS),
    refused("a table", STORED[3][None], NOT_NUMBERS),
    refused("lists of different lengths", [[1.0], [1.0, 2.0]], NOT_NUMBERS),
    refused("nothing", None, NOT_NUMBERS, "upsert"),
    refused("a number", 3.0, NOT_NUMBERS, "upsert"),
    refused("a text", "vector", NOT_NUMBERS, "upsert"),
    refused("a dict", {0: 1.0}, NOT_NUMBERS, "upsert"),
    refused("NaN, compared", STORED[3] * np.nan, "finite", "exact_search"),
    refused("complex, compared", STORED[3].astype(complex), "finite", "exact_search"),
    Case(
        "NaN from an encoder",
        given(STORED[3] * np.nan),
        LeftOut("not finite"),
        readers=("encode_batches",),
    ),
    Case(
        "zero from an encoder", given(0 * STORED[3]), LeftOut("zero"), readers=("encode_batches",)
    ),
    Case("zero", given(0 * STORED[3]), Read(), readers=("upsert", *SEARCHES, "exact_search")),
]
