"""Take docs/fiftyone_app.png: FiftyOne's App, showing a saved view of notebook 11's data set.

python tools/fiftyone_screenshot.py            after the notebook has run
python tools/fiftyone_screenshot.py --help     another data set, view, size or file

It needs Chromium or Chrome on the PATH, starts it without a window and reaches no network. What it
starts it also ends.
"""

import argparse
import base64
import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import websocket
from PIL import Image

from helpers.errors import HelpfulError
from helpers.scenarios.fiftyone_app.setup import prepare_fiftyone

OUT = Path(__file__).resolve().parent.parent / "docs" / "fiftyone_app.png"
MAX_BYTES = 300_000
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "chromium-headless-shell")
_PATIENCE = 120  # seconds
# The App opens an advertisement over the grid unless it knows that it is being photographed.
_NO_ADVERTISEMENT = "window.IS_PLAYWRIGHT = true"


def main(arguments: list[str] | None = None) -> None:
    """Take the picture and say how large it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="bootcamp_fiftyone")
    parser.add_argument("--view", default="similar")
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 900), help="pixels")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    browser = find_browser()
    prepare_fiftyone("fiftyone")
    import fiftyone as fo
    from fiftyone.core.utils import to_slug

    if not fo.dataset_exists(options.dataset):
        raise HelpfulError(f"There is no data set {options.dataset}: run notebook 11 first.")
    dataset = fo.load_dataset(options.dataset)
    if options.view not in dataset.list_saved_views():
        raise HelpfulError(f"{options.dataset} has no saved view {options.view!r}.")
    slug = to_slug(options.view)
    with tempfile.TemporaryDirectory() as home, served_app(Path(home)) as address:
        page = f"{address}/datasets/{quote(options.dataset)}?view={quote(slug)}"
        picture = photograph(browser, page, tuple(options.size), Path(home))
    size = save_small(picture, options.out)
    print(f"{options.out.name}: {size:,} bytes")


def find_browser() -> str:
    """The path of Chromium or Chrome.

    Raises:
        HelpfulError: there is none.
    """
    for name in _BROWSERS:
        if path := shutil.which(name):
            return path
    raise HelpfulError(
        f"There is no Chromium or Chrome on the PATH (tried {', '.join(_BROWSERS)}): install one."
    )


@contextlib.contextmanager
def served_app(home: Path) -> Iterator[str]:
    """Run the App's server beside an imported FiftyOne and give its address.

    Args:
        home: a folder that takes what the App leaves in a home folder.
    """
    import fiftyone

    main_file = Path(fiftyone.__file__).parent / "server" / "main.py"
    port = _free_port()
    command = [sys.executable, str(main_file), "--port", str(port), "--address", "127.0.0.1"]
    # The server uses the database that this process has; it is not to start one of its own.
    environment = os.environ | {"FIFTYONE_DISABLE_SERVICES": "1", "HOME": str(home)}
    with _running(command, cwd=main_file.parent, env=environment) as server:
        address = f"http://127.0.0.1:{port}"
        _wait(lambda: _answer(f"{address}/fiftyone"), server, "FiftyOne's App did not start")
        yield address


def photograph(browser: str, page: str, size: tuple[int, int], home: Path) -> Image.Image:
    """Open a page of the App in a browser without a window and photograph it when it stands still.

    Args:
        browser: the path of Chromium or Chrome.
        page: an address.
        size: of the window, in pixels.
        home: an empty folder for the browser's profile.
    """
    command = [
        browser, "--headless", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars",
        "--remote-debugging-port=0", "--remote-allow-origins=http://127.0.0.1",
        f"--user-data-dir={home / 'profile'}", "--window-size={},{}".format(*size), "about:blank",
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.insert(1, "--no-sandbox")  # as root, Chromium starts only so
    with _running(command, env=os.environ | {"HOME": str(home)}) as process:
        chosen = home / "profile" / "DevToolsActivePort"
        _wait(chosen.exists, process, "The browser did not start")
        port = chosen.read_text().splitlines()[0]
        tabs = _wait(lambda: _answer(f"http://127.0.0.1:{port}/json"), process, "No tab opened")
        socket_url = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        with contextlib.closing(
            websocket.create_connection(socket_url, timeout=30, origin="http://127.0.0.1")
        ) as tab:
            return _photograph(tab, page)


def _photograph(tab: websocket.WebSocket, page: str) -> Image.Image:
    _ask(tab, "Page.enable")
    _ask(tab, "Page.addScriptToEvaluateOnNewDocument", source=_NO_ADVERTISEMENT)
    _ask(tab, "Page.navigate", url=page)
    before, same, ends = b"", 0, time.monotonic() + _PATIENCE
    # Nothing says that the App has drawn everything: wait until three pictures in a row are equal,
    # and not as small as those of its empty and loading pages.
    while same < 3:
        if time.monotonic() > ends:
            raise HelpfulError(f"The App's page did not come to rest in {_PATIENCE} seconds.")
        time.sleep(1)
        now = base64.b64decode(_ask(tab, "Page.captureScreenshot", format="png")["data"])
        same = same + 1 if now == before and len(now) > 100_000 else 0
        before = now
    return Image.open(io.BytesIO(before)).convert("RGB")


def save_small(picture: Image.Image, file: Path) -> int:
    """Save a picture as a PNG of at most 300 kB, in as many colours as that allows.

    Returns:
        The bytes it takes.

    Raises:
        HelpfulError: even 16 colours take more.
    """
    for colours in (256, 128, 64, 32, 16):
        small = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
        if small.tell() <= MAX_BYTES:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(small.getvalue())
            return small.tell()
    raise HelpfulError(f"{file.name} would take {small.tell():,} bytes: give a smaller --size.")


def _ask(tab: websocket.WebSocket, method: str, **params: Any) -> dict:
    """Send a command of Chrome's DevTools protocol and wait for its answer.

    https://chromedevtools.github.io/devtools-protocol/
    """
    tab.send(json.dumps({"id": 1, "method": method, "params": params}))
    while True:
        answer = json.loads(tab.recv())
        if answer.get("id") == 1:  # anything else is news of the page
            return answer["result"]


@contextlib.contextmanager
def _running(command: list[str], **options: Any) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        **options,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(ready: Callable[[], Any], process: subprocess.Popen, failure: str) -> Any:
    ends = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < ends:
        if found := ready():
            return found
        time.sleep(0.2)
    raise HelpfulError(f"{failure} ({' '.join(map(str, process.args[:2]))}).")


def _answer(address: str) -> Any:
    try:
        with urllib.request.urlopen(address, timeout=5) as reply:
            return json.load(reply)
    except (urllib.error.URLError, OSError, ValueError):
        return None


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


if __name__ == "__main__":
    try:
        main()
    except HelpfulError as error:
        raise SystemExit(str(error)) from None
