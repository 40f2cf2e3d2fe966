"""tools/move.py with a real Milvus server at one end; test_server.py runs it."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from move import move
from pymilvus import DataType, Function, FunctionType

from helpers.connect import connect_milvus, connect_redis, remove_store
from helpers.engines.capabilities import can_group
from helpers.engines.server import VERSION, running_server
from helpers.errors import HelpfulError
from helpers.metadata import load_metadata, save_metadata
from tests.services_world import fill, index, make_rows, refusal


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a running Milvus server that wants a password."""
    security = {"common.security.authorizationEnabled": "true"}
    with running_server(tmp_path_factory.mktemp("milvus"), security) as address:
        yield address


@pytest.fixture
def here(monkeypatch, tmp_path):
    """An embedded store called "test"."""
    monkeypatch.setenv("BOOTCAMP_STORES", str(tmp_path / "stores"))
    monkeypatch.delenv("MILVUS_URI", raising=False)
    monkeypatch.setenv("MILVUS_TOKEN", "root:Milvus")
    yield connect_milvus("test")
    remove_store("test")


def test_a_store_moves_to_the_server_and_back(
    server, here, guarded_redis, monkeypatch, tmp_path, capsys
):
    fill(here)
    index(here, "IVF_FLAT", nlist=4)
    records = [{"label": row["label"]} for row in make_rows()]
    save_metadata(connect_redis("test"), "photos", range(600), records)
    monkeypatch.setenv("REDIS_URL", f"redis://:right@127.0.0.1:{guarded_redis}/0")
    move("test", to=server)
    move("test", to=server)
    monkeypatch.setenv("BOOTCAMP_STORES", str(tmp_path / "others"))
    assert "photos" in refusal(move, "test", back=server, error=HelpfulError)
    move("test", back=server, names=["photos"])
    said = capsys.readouterr().out
    for rows in (600, 0, 600):
        _, found, said = said.partition(f"photos: {rows} rows copied\n")
        assert found and "photos: 100 searches of vector, 1.0000 of hits the same" in said
    monkeypatch.delenv("REDIS_URL")
    assert load_metadata(connect_redis("test"), "photos", range(600)) == records
    again = connect_milvus("test")
    assert again.describe_index("photos", "vector")["params"] == {"nlist": 4}
    both = [
        client.query("photos", "id >= 0", output_fields=["*"], limit=1000)
        for client in (here, again)
    ]
    assert len(both[0]) == 600 and str(both[0]) == str(both[1])
    remove_store("test")


def test_files_are_imported_by_the_server(server, here, tmp_path, monkeypatch, capsys):
    fill(here)
    here.rename_collection("photos", "many")
    index_of = here.prepare_index_params()
    index_of.add_index("vector", index_type="FLAT", metric_type="COSINE")
    here.create_index("many", index_of)
    # As pymilvus.bulk_writer writes them, which may not be installed.
    folder = tmp_path / "files"
    (folder / "many").mkdir(parents=True)
    rows = [row | {"vector": row["vector"].tolist()} for row in make_rows()]
    types = {"id": pa.int64(), "label": pa.string(), "vector": pa.list_(pa.float32())}
    table = pa.Table.from_pylist(rows, pa.schema(list(types.items())))
    pq.write_table(table, folder / "many" / "1.parquet")
    (folder / "many" / "files.json").write_text(json.dumps({"_default": ["many/1.parquet"]}))
    elsewhere = {"to": server, "files": folder, "stored_at": "nowhere"}
    assert "--stored-at" in refusal(move, "test", **elsewhere, error=HelpfulError)
    move("test", to=server, files=folder, stored_at=str(folder))
    move("test", to=server, files=folder, stored_at=str(folder))
    said = capsys.readouterr().out
    assert "many: 600 rows copied\nmany: 100 searches of vector, 1.0000 of hits the same" in said
    assert "many: 0 rows copied" in said


def test_full_text_does_not_move_to_this_server(server, here):
    schema = here.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=99, enable_analyzer=True)
    schema.add_field("terms", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["terms"]))
    indexes = here.prepare_index_params()
    indexes.add_index("terms", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    here.create_collection("texts", schema=schema, index_params=indexes)
    sentence = refusal(move, "test", to=server, error=HelpfulError)
    assert f"Milvus {VERSION}-lite cannot hold" in sentence
    assert "texts: no full-text search (text)" in sentence


def test_an_old_server_does_not_group_hits_and_does_not_say_so(server, here, monkeypatch):
    assert can_group(here)
    monkeypatch.setenv("MILVUS_URI", server)
    assert not can_group(connect_milvus("test"))
