"""Stores of their own, a filled collection and processes, for the tests of Milvus and Redis.

The engines and the processes are real. Test modules import from here and load the fixture as a
plugin, so the asserts say themselves what went wrong: PYTEST_DONT_REWRITE.
"""

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys

import numpy as np
import psutil
import pytest
import redis
from pymilvus import DataType

from helpers.connect import LITE, connect_milvus, connect_redis, remove_store
from helpers.engines import keeper
from helpers.errors import ServiceError
from helpers.paths import ROOT

SETTINGS = ("MILVUS_URI", "MILVUS_TOKEN", "REDIS_URL", "BOOTCAMP_STORES")
VECTORS = np.random.default_rng(7).normal(size=(600, 16)).astype(np.float32)


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """An empty place for embedded stores, whose engines are stopped in the end."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "stores"
    monkeypatch.setenv("BOOTCAMP_STORES", str(folder))
    yield folder
    # Also those that a test has opened elsewhere: the next one finds no store open.
    held = {store for store in keeper._held if store.is_relative_to(tmp_path)}
    for store in held.union(store / LITE for store in folder.glob("*") if store.is_dir()):
        with contextlib.suppress(ServiceError):
            keeper.remove(store)


@pytest.fixture(scope="module")
def lite_folder(tmp_path_factory):
    """Where the store of ``lite`` lies."""
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(scope="module")
def lite_of_module(lite_folder):
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(name, raising=False)
        patch.setenv("BOOTCAMP_STORES", str(lite_folder))
        yield connect_milvus("image_search")
        remove_store("image_search")


@pytest.fixture(scope="module")
def redis_of_module(lite_of_module):
    return connect_redis("image_search")


@pytest.fixture
def lite(lite_of_module):
    """An empty Milvus Lite, the same one for all tests of a module, because that is quicker."""
    yield lite_of_module
    for name in lite_of_module.list_collections():
        lite_of_module.drop_collection(name)


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


def is_running(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def kill_redis(client):
    """Kill the server of a Redis client and wait until nobody answers there."""
    os.kill(client.info("server")["process_id"], signal.SIGKILL)
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            break
    client.close()


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
    assert sentence.endswith("."), f"no sentence: {sentence}"
    assert "\n" not in sentence, f"more than one line: {sentence}"
    assert not re.search(r"\. [A-Z]", sentence), f"more than one sentence: {sentence}"
    assert not re.search(r"(^|[\s(])/\w+/", sentence), f"an absolute path: {sentence}"
    refused = caught.value
    assert refused.__suppress_context__ or refused.__context__ is None, "it shows its cause"
    return sentence


def contents(folder):
    """What every file in a folder holds, so that any change shows."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def create(client, name="photos"):
    """Create an empty collection for VECTORS, without an index."""
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("label", DataType.VARCHAR, max_length=8)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=VECTORS.shape[1])
    client.create_collection(name, schema=schema)


def make_rows():
    """The rows of VECTORS, with a label each."""
    return [
        {"id": number, "label": f"l{number % 3}", "vector": vector}
        for number, vector in enumerate(VECTORS)
    ]


def fill(client, name="photos"):
    """Create a collection that holds VECTORS, without an index."""
    create(client, name)
    client.upsert(name, make_rows())
    client.flush(name)


def index(client, kind="FLAT", metric="COSINE", **params):
    """Index the vectors of fill's collection and load it."""
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type=kind, metric_type=metric, params=params)
    client.create_index("photos", indexes)
    client.load_collection("photos")
