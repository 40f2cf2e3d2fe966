"""Metadata in a real Redis, and an ingest that is killed in the middle."""

import contextlib
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from helpers.connect import connect_milvus, connect_redis, remove_store
from helpers.ingest import content_id
from helpers.metadata import BATCH, MetadataError, delete_metadata, load_metadata, save_metadata
from helpers.paths import ROOT
from tests.services_world import kill_redis


@pytest.fixture(autouse=True)
def stores(tmp_path, monkeypatch):
    for name in ("MILVUS_URI", "MILVUS_TOKEN", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BOOTCAMP_STORES", str(tmp_path / "stores"))
    yield
    remove_store("test")


@pytest.fixture
def redis(stores):
    return connect_redis("test")


def test_records_come_back_in_the_order_of_the_ids(redis):
    records = [{"path": f"{number}.jpg", "tags": ["é", None], "n": 0.5} for number in range(3)]
    save_metadata(redis, "photos", np.array([7, 8, 9]), records)
    assert load_metadata(redis, "photos", [9, 7, 9]) == [records[2], records[0], records[2]]
    assert load_metadata(redis, "photos", np.array([8])) == [records[1]]
    assert load_metadata(redis, "photos", []) == []
    assert json.loads(redis.get("photos:8")) == records[1]


def test_records_may_hold_any_name_of_a_file(redis):
    """Bytes that are no UTF-8 are half characters in Python, which Redis' client cannot write."""
    records = [{"path": name} for name in ("caf\udce9.jpg", "照片 \U0001f600", "a\n\0b")]
    save_metadata(redis, "photos", [1, 2, 3], records)
    assert load_metadata(redis, "photos", [1, 2, 3]) == records
    assert redis.get("photos:2") == '{"path": "照片 \U0001f600"}', "readable in Redis, too"


def test_saving_again_replaces(redis):
    save_metadata(redis, "photos", [1, 1], [{"n": 1}, {"n": 2}])
    assert load_metadata(redis, "photos", [1]) == [{"n": 2}]
    save_metadata(redis, "photos", [], [])
    assert redis.dbsize() == 1


def test_many_records_take_few_commands(redis):
    count = 2 * BATCH + 1
    before = redis.info("stats")["total_commands_processed"]
    save_metadata(redis, "photos", range(count), [{"n": n} for n in range(count)])
    records = load_metadata(redis, "photos", range(count))
    assert redis.info("stats")["total_commands_processed"] - before < 10
    assert records == [{"n": n} for n in range(count)]


def test_ids_without_metadata_are_counted_and_named(redis):
    save_metadata(redis, "photos", [1, 2], [{}, {}])
    with pytest.raises(MetadataError) as caught:
        load_metadata(redis, "photos", np.array([5, 1, 6, 7, 8]))
    assert str(caught.value) == (
        "4 of 5 ids have no metadata under 'photos' in Redis (5, 6, 7, ...): run the cell that "
        "stores the data again."
    )
    with pytest.raises(MetadataError, match=r"^2 of 3 ids .* \(5, 6\): "):
        load_metadata(redis, "photos", np.array([5, 1, 6]))


@pytest.mark.parametrize("record", [{"n": np.float32(1)}, {"n": float("nan")}, {"n": b"bytes"}])
def test_what_json_cannot_hold_is_refused(record, redis):
    with pytest.raises(MetadataError, match="id 12 cannot be written as JSON"):
        save_metadata(redis, "photos", [11, 12], [{}, record])
    assert redis.dbsize() == 0


def test_every_id_needs_a_record(redis):
    with pytest.raises(MetadataError, match="2 ids and 1 records"):
        save_metadata(redis, "photos", [1, 2], [{}])
    assert redis.dbsize() == 0


def test_deleting_spares_what_others_keep_on_the_same_server(redis):
    count = 2 * BATCH + 5
    others = ["photo", "photos2", "ph*", "photos:more", "PHOTOS", "ph?tos"]
    for prefix in others:
        save_metadata(redis, prefix, [1], [{"of": prefix}])
    redis.set("photos", "no metadata")
    save_metadata(redis, "photos", range(count), [{}] * count)
    assert delete_metadata(redis, "ph*") == 1
    assert delete_metadata(redis, "ph?tos") == 1
    assert delete_metadata(redis, "photos") == count
    assert delete_metadata(redis, "photos") == 0
    assert sorted(redis.keys()) == sorted(
        ["photo:1", "photos2:1", "photos:more:1", "PHOTOS:1", "photos"]
    )


def test_a_redis_that_has_gone_is_told_in_one_sentence(redis):
    kill_redis(redis)
    for call in (
        lambda: save_metadata(redis, "photos", [1], [{}]),
        lambda: load_metadata(redis, "photos", [1]),
        lambda: delete_metadata(redis, "photos"),
    ):
        start = time.monotonic()
        with pytest.raises(MetadataError, match="Redis does not answer any more"):
            call()
        assert time.monotonic() - start < 3


INGEST = """
import numpy as np
from pymilvus import DataType
from helpers.connect import *
from helpers.ingest import content_id
from helpers.metadata import *

milvus, redis = connect_milvus("test"), connect_redis("test")
if not milvus.has_collection("texts"):
    schema = milvus.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=64)
    milvus.create_collection("texts", schema=schema)
texts = [f"text {number}" for number in range(6000)]
vectors = np.random.default_rng(1).normal(size=(6000, 64)).astype(np.float32)
for start in range(0, 6000, 200):
    ids = [content_id(text) for text in texts[start:start + 200]]
    save_metadata(redis, "texts", ids, [{"text": text} for text in texts[start:start + 200]])
    rows = [{"id": id, "vector": vector} for id, vector in zip(ids, vectors[start:])]
    milvus.upsert("texts", rows)
    print(start + len(ids), flush=True)
"""


@pytest.mark.parametrize("rows", [200, 1400])
def test_a_killed_ingest_can_be_run_again(rows):
    process = subprocess.Popen(
        [sys.executable, "-c", INGEST], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process.stdout as said:
        for line in said:
            if line == f"{rows}\n":
                process.kill()
                break
    assert process.wait() == -signal.SIGKILL
    milvus, redis = connect_milvus("test"), connect_redis("test")
    stored = all_ids(milvus)
    assert rows <= len(stored) < 6000
    records = load_metadata(redis, "texts", stored)
    assert [content_id(record["text"]) for record in records] == stored

    with contextlib.redirect_stdout(None):
        exec(INGEST, {})
    stored = all_ids(milvus)
    assert len(stored) == len(set(stored)) == 6000
    assert redis.dbsize() == 6000
    assert {record["text"] for record in load_metadata(redis, "texts", stored)} == {
        f"text {number}" for number in range(6000)
    }


def all_ids(milvus):
    milvus.flush("texts")
    if not milvus.list_indexes("texts"):
        index = milvus.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="COSINE")
        milvus.create_index("texts", index)
    milvus.load_collection("texts")
    return [row["id"] for row in milvus.query("texts", "id >= 0", ["id"])]
