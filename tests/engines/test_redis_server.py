"""The embedded Redis: shared, left behind, killed, damaged, or without a program."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.connect import connect_redis, remove_store
from helpers.engines import redis_server
from helpers.paths import ROOT, store_folder
from tests.services_world import finished, is_running, refusal, running

pytest_plugins = ["tests.services_world"]
pytestmark = pytest.mark.usefixtures("stores")


def server_pid(name):
    return json.loads((store_folder(name) / "redis.json").read_text())["pid"]


STAYING = (
    "from helpers.connect import *\n"
    "redis = connect_redis('image_search')\n"
    "redis.set('who', 'first')\n"
    "print('ready', flush=True)\n"
    "input()"
)


def test_a_killed_notebook_leaves_a_redis_to_go_on_with():
    with running(STAYING):
        pid = server_pid("image_search")
    assert is_running(pid)
    code = "from helpers.connect import *\nprint(connect_redis('image_search').get('who'))"
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
    code = "from helpers.connect import *\nconnect_redis('image_search').set('who', 'second')"
    assert finished(code).stderr == ""
    assert client.get("who") == "second"
    assert is_running(pid)
    with running(STAYING):
        assert "other kernel" in refusal(remove_store, "image_search")
    remove_store("image_search")
    assert not is_running(pid)


def test_two_notebooks_that_start_at_once_get_one_redis():
    code = (
        "from helpers.connect import *\n"
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


def test_windows_is_told_where_a_redis_can_run(monkeypatch):
    monkeypatch.setattr(redis_server, "os", SimpleNamespace(name="nt"))
    sentence = refusal(connect_redis, "image_search")
    assert "REDIS_URL" in sentence
    assert "WSL or Docker" in sentence
    assert not re.search("brew|apt", sentence)


@pytest.fixture
def long_temporary(monkeypatch, tmp_path):
    """A folder for temporary files whose path leaves no room for that of a socket."""
    folder = tmp_path / "é" / ("x" * 90)
    folder.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_long_temporary_folder_is_not_used_for_the_socket(long_temporary, monkeypatch, stores):
    monkeypatch.setattr(redis_server, "START_SECONDS", 5)
    assert connect_redis("image_search").set("key", "value")
    note = json.loads((stores / "image_search" / "redis.json").read_text())
    folder = Path(note["socket"]).parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(long_temporary.iterdir()) == []
    remove_store("image_search")
    assert not folder.exists()


def test_no_short_temporary_folder_is_told_at_once(long_temporary, monkeypatch):
    monkeypatch.setattr(redis_server, "SHORT_TEMPORARY", "/gone")
    assert "TMPDIR" in refusal(connect_redis, "image_search")
    assert list(long_temporary.iterdir()) == []
