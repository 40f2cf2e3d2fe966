"""Milvus Lite's files: damaged, left by a killed process, held elsewhere, or not its own."""

import json
import signal
import subprocess

import pytest
from pymilvus import MilvusClient

from helpers.connect import connect_milvus, remove_store
from helpers.engines import keeper
from tests.services_world import VECTORS, contents, fill, finished, refusal, running

pytest_plugins = ["tests.services_world"]
pytestmark = pytest.mark.usefixtures("stores")


def make_store(stores):
    """A store that some process has filled and closed."""
    code = (
        "from helpers.connect import connect_milvus\n"
        "from tests.services_world import fill, index\n"
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
    # When this fails, Milvus Lite guards its stores itself, and the guard may go.
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
    begun = store / "collections" / "begun"
    begun.mkdir()
    (begun / "schema.json.tmp").write_text('{"half')
    (store / "LOCK").unlink()
    client = connect_milvus("image_search")
    client.load_collection("photos")
    assert client.query("photos", output_fields=["count(*)"])[0]["count(*)"] == len(VECTORS)
    fill(client, "begun")


KILLED = """
import os, signal, sys, tempfile
from pathlib import Path
import milvus_lite.db, milvus_lite.storage.manifest, milvus_lite.storage.wal
from pymilvus import MilvusClient
from helpers.engines.lite_store import serve
from tests.services_world import create, make_rows

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def begin_to_remove(folder, **options):
    (Path(folder) / "manifest.json").unlink()
    die()

with serve(Path({store!r}), f"unix:{{tempfile.mkdtemp()}}/milvus") as address:
    client = MilvusClient(address)
    create(client)
    client.insert("photos", make_rows())
    {moment}
"""
MOMENTS = {
    # The data files are there by then, and no manifest names them yet.
    "first flush": "milvus_lite.storage.manifest.Manifest.save = die; client.flush('photos')",
    # The manifest names the data files by then, and the log they were made from is still there.
    "flushed": "milvus_lite.storage.wal.WAL.close_and_delete = die; client.flush('photos')",
    "create": "milvus_lite.db.save_schema = die; client.create_collection('new', dimension=4)",
    "drop": (
        "client.flush('photos'); client.create_collection('new', dimension=4);"
        "client.insert('new', [{'id': 1, 'vector': [1.0] * 4}]); client.flush('new');"
        "milvus_lite.db.shutil.rmtree = begin_to_remove; client.drop_collection('new')"
    ),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_store_that_was_merely_killed_opens_whole(moment, stores):
    folder = stores / "image_search"
    folder.mkdir(parents=True)
    code = KILLED.format(store=str(folder / "milvus.db"), moment=MOMENTS[moment])
    killed = finished(code)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    client = connect_milvus("image_search")
    client.load_collection("photos")
    found = [row["id"] for row in client.query("photos", "id >= 0", ["id"])]
    assert sorted(found) == list(range(len(VECTORS)))
    assert client.list_collections() == ["photos"]
    client.create_collection("new", dimension=4)


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


def test_a_store_that_another_program_has_open_is_named(monkeypatch, tmp_path):
    holding = f"""
from pymilvus import MilvusClient
client = MilvusClient({str(tmp_path / "mine.db")!r})
print("ready", flush=True)
input()
"""
    with running(holding):
        monkeypatch.setenv("MILVUS_URI", str(tmp_path / "mine.db"))
        assert "does not share it" in refusal(connect_milvus, "image_search")
    assert connect_milvus("image_search").list_collections() == []


def test_without_a_keeper_the_store_is_opened_here(monkeypatch):
    """As on Windows: no Unix sockets, no such locks."""
    monkeypatch.setattr(keeper, "POSSIBLE", False)
    client = connect_milvus("image_search")
    fill(client)
    again = "import helpers.engines.keeper as keeper; keeper.POSSIBLE = False\n"
    again += "from helpers.connect import connect_milvus; connect_milvus('image_search')"
    assert "another kernel of this notebook" in finished(again).stderr
    remove_store("image_search")
    assert connect_milvus("image_search").list_collections() == []
    remove_store("image_search")
