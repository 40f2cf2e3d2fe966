"""Photograph FiftyOne's App on the data set of notebook 11, and put the pictures into the notebook.

python tools/fiftyone_screenshot.py            after the notebook has run
python tools/fiftyone_screenshot.py --help     another data set or size

The pictures are attachments of the cells that show them, so they go wherever the notebook goes. It
needs Chromium or Chrome on the PATH, starts it without a window and reaches no network. What it
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
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import websocket
from PIL import Image

from helpers.errors import HelpfulError
from helpers.scenarios.fiftyone_app.setup import prepare_fiftyone

NOTEBOOK = Path(__file__).resolve().parent.parent / "notebooks" / "11_fiftyone.ipynb"
MAX_BYTES = 100_000  # of a picture
# Name of the picture -> the saved view, and whether its first photo is opened.
PICTURES = {
    "app_similar.jpg": ("similar", False),
    "app_mistaken.jpg": ("mistaken", False),
    "app_objects.jpg": ("objects", True),  # the last, because the App keeps a photo open
}
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
    parser.add_argument("--size", type=int, nargs=2, default=(1100, 760), help="pixels")
    options = parser.parse_args(arguments)
    browser = find_browser()
    prepare_fiftyone("fiftyone")
    import fiftyone as fo

    if not fo.dataset_exists(options.dataset):
        raise HelpfulError(f"There is no data set {options.dataset}: run notebook 11 first.")
    dataset, pictures = fo.load_dataset(options.dataset), {}
    with tempfile.TemporaryDirectory() as home, served_app(Path(home)) as address:
        for name, (view, opened) in PICTURES.items():
            if view not in dataset.list_saved_views():
                raise HelpfulError(f"{options.dataset} has no saved view {view!r}.")
            page = f"{address}/datasets/{quote(options.dataset)}?view={quote(view)}"
            if opened:
                page += f"&id={dataset.load_saved_view(view).first().id}"
            profile = Path(home) / name
            profile.mkdir()
            pictures[name] = as_jpeg(photograph(browser, page, tuple(options.size), profile))
            print(f"{name}: {len(pictures[name]):,} bytes")
    attach(NOTEBOOK, pictures)


def attach(notebook: Path, pictures: Mapping[str, bytes]) -> None:
    """Put pictures into the cells of a notebook whose text shows them.

    Args:
        notebook: the path of an .ipynb file.
        pictures: name -> JPEG; a text shows one as ``![...](attachment:name)``.

    Raises:
        HelpfulError: no cell shows one of them.
    """
    book = json.loads(notebook.read_text(encoding="utf-8"))
    left = dict(pictures)
    for cell in book["cells"]:
        shown = [name for name in pictures if f"(attachment:{name})" in "".join(cell["source"])]
        if shown:
            coded = {name: base64.b64encode(left.pop(name)).decode() for name in shown}
            cell["attachments"] = {name: {"image/jpeg": text} for name, text in coded.items()}
    if left:
        raise HelpfulError(f"No cell of {notebook.name} shows {', '.join(left)}.")
    text = json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True)
    notebook.write_text(text + "\n", encoding="utf-8")


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


def as_jpeg(picture: Image.Image) -> bytes:
    """A picture as a JPEG of at most 150 kB, as good as that allows.

    Raises:
        HelpfulError: it takes more even where letters begin to blur.
    """
    for quality in (90, 80, 70, 60):
        small = io.BytesIO()
        picture.save(small, "JPEG", quality=quality, optimize=True, subsampling=0)
        if small.tell() <= MAX_BYTES:
            return small.getvalue()
    raise HelpfulError(f"A picture would take {small.tell():,} bytes: give a smaller --size.")


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
