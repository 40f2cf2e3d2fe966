"""What several test files need: a port nobody listens on, and a Redis server with a password."""

import contextlib
import socket
import subprocess

import pytest
import redis

from helpers import redis_server


@pytest.fixture
def closed_port():
    """A port of this computer that nobody listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


@pytest.fixture
def guarded_redis(closed_port, tmp_path):
    """The port of a redis-server that wants the password "right"."""
    process = subprocess.Popen(
        [redis_server.find_redis_server(), "--port", str(closed_port), "--requirepass", "right"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    )
    waiting = redis.Redis(port=closed_port, password="right")
    while process.poll() is None:
        with contextlib.suppress(redis.ConnectionError):
            waiting.ping()
            break
    waiting.close()
    yield closed_port
    process.terminate()
    process.wait()
