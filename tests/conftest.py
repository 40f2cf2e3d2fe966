"""What many test files need: network skips, a free port, a guarded Redis, pictures, a panel."""

import base64
import contextlib
import io
import os
import socket
import subprocess

import matplotlib.pyplot as plt
import pytest
import redis
from IPython.core.formatters import format_display_data
from PIL import Image

from helpers.engines import redis_server


def pytest_runtest_setup(item):
    for marker in item.iter_markers("network"):
        if not os.environ.get("BOOTCAMP_NETWORK_TESTS"):
            pytest.skip(f"needs {marker.args[0]}; set BOOTCAMP_NETWORK_TESTS=1 to run it")


def pytest_collection_modifyitems(config, items):
    if "browser" not in config.option.markexpr:  # these need stores that the notebooks have filled
        items[:] = [item for item in items if not item.get_closest_marker("browser")]


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


@pytest.fixture
def shown(monkeypatch):
    """The pictures that were displayed, as Pillow images."""
    pictures = []

    def keep(picture):
        data, _ = format_display_data(picture)
        encoded = next(value for kind, value in data.items() if kind.startswith("image/"))
        pictures.append(Image.open(io.BytesIO(base64.b64decode(encoded))))

    monkeypatch.setattr("IPython.display.display", keep)
    return pictures


@pytest.fixture
def axes():
    """An empty panel."""
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)
