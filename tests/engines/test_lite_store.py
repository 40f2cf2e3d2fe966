"""Milvus Lite's files: held by another process, damaged, or not its own."""

import json
import subprocess

import pytest
from pymilvus import MilvusClient

from helpers.connect import connect_milvus, remove_store
from helpers.paths import store_folder
from tests.services_world import VECTORS, contents, fill, finished, refusal, running

pytest_plugins = ["tests.services_world"]
pytestmark = pytest.mark.usefixtures("stores")


def test_another_notebook_works_meanwhile_but_not_the_same():
    holding = (
        "from helpers.connect import *\n"
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
