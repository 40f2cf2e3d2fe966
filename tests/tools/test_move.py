"""tools/move.py between two stores of Milvus Lite, as good a pair of ends as any.

tests/engines/server_program.py moves to a real server and back.
"""

import dataclasses
import os
import subprocess
import sys

import move
import move_collection
import numpy as np
import pytest
import redis
from pymilvus import DataType, Function, FunctionType
from pymilvus.exceptions import MilvusException

from helpers.connect import capabilities, connect_milvus, connect_redis
from helpers.errors import HelpfulError
from helpers.metadata import load_metadata, save_metadata
from helpers.paths import ROOT
from tests.services_world import refusal

pytest_plugins = ["tests.services_world"]

NAME = "bootcamp_photos"
VECTORS = np.random.default_rng(3).normal(size=(1200, 8)).astype(np.float32)
TEXTS = ["red apple", "green apple", "red car", "blue car wash"]


@pytest.fixture
def target(stores, tmp_path):
    """The address of another store, and a client of it."""
    uri = str(tmp_path / "other" / "milvus.db")
    return uri, move._connect(connect_milvus, "photos", "MILVUS_URI", uri)


@pytest.fixture
def source(stores):
    return connect_milvus("photos")


def fill(client, name=NAME, vectors=VECTORS, key=DataType.INT64):
    """A collection with what a notebook's may have: many kinds of fields, and a partition."""
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", key, is_primary=True, max_length=9)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
    schema.add_field("other", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("text", DataType.VARCHAR, max_length=99, enable_analyzer=True)
    schema.add_field("terms", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("info", DataType.JSON)
    words = {"element_type": DataType.VARCHAR, "max_length": 9, "max_capacity": 4}
    schema.add_field("tags", DataType.ARRAY, **words)
    schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["terms"]))
    client.create_collection(name, schema=schema)
    client.create_partition(name, "late")
    rows = [
        {
            **{
                "id": i if key == DataType.INT64 else f"k{i}",
                "vector": vector,
                "other": vector[:2],
            },
            **{"text": TEXTS[i % 4], "info": {"n": [i]}, "tags": ["a", f"t{i}"], "extra": i},
        }
        for i, vector in enumerate(vectors)
    ]
    client.insert(name, rows[:-100])
    client.insert(name, rows[-100:], partition_name="late")
    client.flush(name)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="COSINE")
    index.add_index("other", index_type="IVF_FLAT", metric_type="L2", params={"nlist": 7})
    index.add_index("terms", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_index(name, index)
    client.load_collection(name)


def all_rows(client, name=NAME, **where):
    rows = client.query(name, "id >= 0", output_fields=["*"], limit=5000, **where)
    return sorted(({k: str(v) for k, v in row.items()} for row in rows), key=lambda r: int(r["id"]))


@pytest.mark.parametrize("key", [DataType.INT64, DataType.VARCHAR])
def test_all_of_a_collection_arrives(key, source, target, capsys):
    fill(source, key=key)
    uri, there = target
    move.move("photos", to=uri)
    assert move_collection._shape(there.describe_collection(NAME)) == move_collection._shape(
        source.describe_collection(NAME)
    )
    assert move_collection.read_indexes(there, NAME) == move_collection.read_indexes(source, NAME)
    assert move_collection.read_indexes(there, NAME)["other"]["params"] == {"nlist": 7}
    if key == DataType.INT64:
        assert all_rows(there) == all_rows(source)
        late = all_rows(there, partition_names=["late"])
        assert len(late) == 100 and late == all_rows(source, partition_names=["late"])
    hits = there.search(NAME, ["blue"], anns_field="terms", limit=3, output_fields=["text"])
    assert {hit["text"] for hit in hits[0]} == {"blue car wash"}
    said = capsys.readouterr().out
    assert f"{NAME}: 1,200 rows copied\n" in said
    for field in ("vector", "other", "terms"):
        assert f"{NAME}: 100 searches of {field}, 1.0000 of hits the same" in said


def test_what_broke_off_goes_on_where_it_was(source, target, monkeypatch, capsys):
    fill(source)
    uri, there = target
    insert, done = type(there).insert, []

    def breaks(client, name, rows, **options):
        if name == NAME:  # not the collections that find out what an engine can do
            done.append(len(rows))
        if len(done) == 2:
            raise MilvusException(message="the disk is full")
        return insert(client, name, rows, **options)

    monkeypatch.setattr(type(there), "insert", breaks)
    with pytest.raises(MilvusException, match="the disk is full"):
        move.move("photos", to=uri)
    monkeypatch.setattr(type(there), "insert", insert)
    capsys.readouterr()
    move.move("photos", to=uri)
    assert f"{NAME}: 700 rows copied\n" in capsys.readouterr().out
    assert all_rows(there) == all_rows(source)
    move.move("photos", to=uri)
    assert f"{NAME}: 0 rows copied\n" in capsys.readouterr().out


def test_rows_that_differ_are_noticed(source, target):
    fill(source)
    uri, there = target
    fill(there, vectors=VECTORS[::-1])
    assert "find other rows there" in refusal(move.move, "photos", uri, error=HelpfulError)


def test_rows_too_many_are_noticed(source, target):
    fill(source)
    uri, there = target
    fill(there)
    source.delete(NAME, ids=[7])
    sentence = refusal(move.move, "photos", uri, error=HelpfulError)
    assert "1,199 rows here and 1,200" in sentence


def test_a_collection_with_other_fields_is_left_alone(source, target):
    fill(source)
    uri, there = target
    fill(there, vectors=VECTORS[:200, :4])
    before = all_rows(there)
    assert "other fields (vector)" in refusal(move.move, "photos", uri, error=HelpfulError)
    assert all_rows(there) == before


def test_what_the_target_cannot_hold_is_said_before_anything_is_copied(source, target, monkeypatch):
    fill(source)
    source.create_collection("bootcamp_plain", dimension=4)
    can = dataclasses.replace(capabilities(source), full_text=False, multiple_vectors=False)
    monkeypatch.setattr(move_collection, "capabilities", lambda client: can)
    uri, there = target
    sentence = refusal(move.move, "photos", uri, error=HelpfulError)
    assert f"{NAME}: no full-text search (text), no second vector field (other, terms)" in sentence
    assert "move the rest with --collections bootcamp_plain." in sentence
    assert there.list_collections() == []
    move.move("photos", to=uri, names=["bootcamp_plain"])
    assert there.list_collections() == ["bootcamp_plain"]


def test_a_field_without_an_index_is_named(source, target):
    schema = source.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("bare", DataType.FLOAT_VECTOR, dim=4)
    source.create_collection(NAME, schema=schema)
    assert "'bare'" in refusal(move.move, "photos", target[0], error=HelpfulError)


def test_records_go_along_and_others_stay(source, target, guarded_redis, monkeypatch):
    fill(source)
    here = connect_redis("photos")
    records = [{"path": f"{i}.jpg"} for i in range(1200)]
    save_metadata(here, NAME, range(1200), records)
    save_metadata(here, f"{NAME}:old", [1], [{"path": "x"}])
    sentence = refusal(move.move, "photos", target[0], error=HelpfulError)
    assert "say in REDIS_URL" in sentence and target[1].list_collections() == []
    url = f"redis://:right@127.0.0.1:{guarded_redis}/0"
    monkeypatch.setenv("REDIS_URL", url)
    move.move("photos", to=target[0])
    there = redis.Redis.from_url(url, decode_responses=True)
    assert load_metadata(there, NAME, range(1200)) == records
    assert there.dbsize() == 1200
    assert os.environ["REDIS_URL"] == url and "MILVUS_URI" not in os.environ


def test_files_want_more_of_pymilvus(source, monkeypatch, tmp_path):
    fill(source)
    monkeypatch.setitem(sys.modules, "pymilvus.bulk_writer", None)
    sentence = refusal(move.move, "photos", files=tmp_path, error=HelpfulError)
    assert "pip install 'pymilvus[bulk_writer]'" in sentence


def test_names_that_are_not_there_are_said(source, target):
    fill(source)
    assert NAME in refusal(move.move, "photos", target[0], None, ["none"], error=HelpfulError)
    assert "photos" in refusal(move.move, "fotos", target[0], error=HelpfulError)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["photos"], "say where to"),
        (["photos", "--to", "a", "--from", "b"], "not allowed with"),
        (["nothing", "--to", "http://localhost:1"], "There is no store 'nothing'"),
    ],
)
def test_the_command_line_says_what_is_wrong(arguments, says, stores):
    command = [sys.executable, ROOT / "tools" / "move.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode and says in done.stderr and "Traceback" not in done.stderr
