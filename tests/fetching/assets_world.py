"""A cache, a catalogue, wheels and a web server of their own, for the tests of assets.

Pip and the servers are real; they only never leave this machine. Test modules both import from
here and load the fixtures as a plugin, so the asserts say themselves what went wrong:
PYTEST_DONT_REWRITE.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from helpers import assets
from helpers.assets import AssetError, fetch
from helpers.paths import cache_dir

PROJECT_CATALOGUE = assets.CATALOGUE
DATA = bytes(range(256)) * 40
SHA = hashlib.sha256(DATA).hexdigest()
DEAD = "http://127.0.0.1:9"  # nothing listens on the discard port


class Server:
    """A web server on loopback: what it holds, what was asked of it, and ways to be slow."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.statuses: dict[str, int] = {}  # what it answers where it holds nothing, if not 404
        self.hits: list[str] = []
        self.delay = 0.0
        self.halfway = threading.Event()  # set once half of a file is sent
        self.resume: threading.Event | None = None  # if given, what half-sent files wait for
        self.cut = False  # send half of a file and hang up
        self.endless = False  # go on after the end of the file
        self.sent = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.hits.append(self.path)
                if self.path not in server.files:
                    return self.send_error(server.statuses.get(self.path, 404))
                data = server.files[self.path]
                is_page = self.path.endswith("/")
                self.send_response(200)
                self.send_header("Content-Type", "text/html" if is_page else "x/y")
                if not server.endless:
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                time.sleep(server.delay)
                try:
                    self.wfile.write(data[: len(data) // 2])
                    server.halfway.set()
                    if server.resume and not is_page:
                        server.resume.wait(30)
                    if not server.cut:
                        self.wfile.write(data[len(data) // 2 :])
                    while server.endless and server.sent < 500_000_000:
                        server.sent += self.wfile.write(bytes(1 << 16))
                except OSError:  # the client hung up
                    pass

            def log_message(self, *arguments):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self):
        if self.resume:
            self.resume.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server():
    running = Server()
    yield running
    running.close()


@pytest.fixture
def world(tmp_path, monkeypatch):
    """An empty cache, an empty catalogue and a pip that knows only the folder ``wheels``."""
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(assets, "CATALOGUE", tmp_path / "assets.toml")
    for name in [name for name in os.environ if name.upper().startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


def make_wheel(folder: Path, members: dict[str, bytes], name="carrier", version="1.0") -> Path:
    info = f"{name}-{version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(f"{info}/METADATA", about)
        out.writestr(f"{info}/WHEEL", tags)
        out.writestr(f"{info}/RECORD", "")
        for member, data in members.items():
            out.writestr(member, data)
    return wheel


def describe(*sources: dict, path="thing.bin", size=100_000, more="") -> None:
    """Write a catalogue with one asset, ``thing``."""
    entry = f'[thing]\nwhat = "w"\nlicence = "l"\norigin = "o"\npath = "{path}"\nsize = {size}\n'
    entry += more
    for source in sources:
        entry += "[[thing.source]]\n"
        entry += "".join(f"{key} = {json.dumps(value)}\n" for key, value in source.items())
    assets.CATALOGUE.write_text(entry)


def wheel_source(**changes) -> dict:
    return {
        "wheel": "carrier==1.0",
        "wheel_size": 20_000,
        "member": "carrier/data.bin",
        "size": len(DATA),
        "sha256": SHA,
        **changes,
    }


def url_source(url: str, **changes) -> dict:
    return {"url": url, "size": len(DATA), "sha256": SHA, **changes}


def fetch_elsewhere() -> subprocess.Popen:
    """Fetch ``thing`` in another process."""
    code = (
        "import sys, pathlib; from helpers import assets;"
        "assets.CATALOGUE = pathlib.Path(sys.argv[1]); print(assets.fetch('thing'))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(assets.CATALOGUE)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def contents() -> set[str]:
    """Every file in the cache but the locks."""
    root = cache_dir()
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and ".locks" not in path.parts
    }


def refusal() -> str:
    """Fetch, expect one sentence that says why not and a cache with nothing in it."""
    with pytest.raises(AssetError) as caught:
        fetch("thing")
    assert contents() == set(), "something was left in the cache"
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message, f"not one sentence: {message}"
    return message
