"""What the functions of a notebook print and display, caught for the page that asked for it.

Every request runs in a thread with a context of its own, so requests at the same time do not mix.
"""

import base64
import builtins
import contextlib
import html
import io
import sys
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import ipywidgets
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from tqdm import tqdm
from traitlets.config import Config

import helpers.progress

WIDGET = "application/vnd.jupyter.widget-view+json"


class Outputs:
    """What one request has put out so far.

    Attributes:
        widgets: the widgets displayed.
        search_seconds: the time spent in Milvus' searches.
        searching: whether one is going on.
        tell: called with a sentence, and the share done or None, while work goes on.
    """

    def __init__(self, tell: Callable[[str, float | None], None]) -> None:
        self.tell = tell
        self.widgets: list[ipywidgets.Widget] = []
        self.search_seconds, self.searching = 0.0, False
        self._parts: list[str] = []
        self._text: list[str] = []

    def print(self, text: str) -> None:
        """Take printed text."""
        self._text.append(text)

    def mistake(self, text: str) -> None:
        """Take a sentence about what went wrong."""
        self._end_text()
        self._parts.append(f'<p class="mistake">{html.escape(text)}</p>')

    def show(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Take one displayed object, as its representations by MIME type."""
        self._end_text()
        if WIDGET in data:
            self.widgets.append(ipywidgets.widget._instances[data[WIDGET]["model_id"]])
        elif "text/html" in data:
            self._parts.append(f'<div class="html">{data["text/html"]}</div>')
        elif kind := next((kind for kind in ("image/png", "image/jpeg") if kind in data), None):
            picture = data[kind]
            if isinstance(picture, bytes):
                picture = base64.b64encode(picture).decode()
            said = html.escape(metadata.get(kind, {}).get("alt", "the result as a picture"))
            self._parts.append(f'<img src="data:{kind};base64,{picture.strip()}" alt="{said}">')
        elif "image/svg+xml" in data:
            self._parts.append(data["image/svg+xml"])
        else:
            self._parts.append(f"<pre>{html.escape(data.get('text/plain', ''))}</pre>")

    def as_html(self) -> str:
        """All of it, in order, as HTML."""
        self._end_text()
        return "\n".join(self._parts)

    def _end_text(self) -> None:
        text, self._text = "".join(self._text).strip("\n"), []
        if text:
            self._parts.append(f"<pre>{html.escape(text)}</pre>")


_current: ContextVar[Outputs | None] = ContextVar("outputs", default=None)


@contextlib.contextmanager
def catching(tell: Callable[[str, float | None], None]) -> Iterator[Outputs]:
    """Catch what is printed and displayed in this thread."""
    outputs = Outputs(tell)
    token = _current.set(outputs)
    try:
        yield outputs
    finally:
        _current.reset(token)


def timed(search: Callable[..., Any]) -> Callable[..., Any]:
    """``search``, adding its time to that of the request."""

    def call(*args: Any, **options: Any) -> Any:
        outputs = _current.get()
        if outputs is None or outputs.searching:  # one search of a client may call another
            return search(*args, **options)
        outputs.searching, started = True, time.perf_counter()
        try:
            return search(*args, **options)
        finally:
            outputs.searching = False
            outputs.search_seconds += time.perf_counter() - started

    return call


class _Publisher(DisplayPublisher):
    def publish(self, data: dict, metadata: dict | None = None, **_: Any) -> None:
        if outputs := _current.get():
            outputs.show(data, metadata or {})


class _Stdout(io.TextIOBase):
    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        outputs = _current.get()
        if outputs:
            outputs.print(text)
        else:
            self._terminal.write(text)
        return len(text)

    def flush(self) -> None:
        self._terminal.flush()

    def isatty(self) -> bool:
        return False


class _Bar(tqdm):
    """A progress bar that is drawn by the page."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"file": io.StringIO(), "disable": False})

    def display(self, *_: Any, **__: Any) -> None:
        outputs = _current.get()
        if outputs and self.n:
            of = f" of {self.total:,}" if self.total else ""
            share = self.n / self.total if self.total else None
            outputs.tell(f"{self.desc}: {self.n:,}{of}", share)


def install() -> None:
    """Catch from now on, in every thread that is within :func:`catching`."""
    quiet = Config()
    quiet.HistoryManager.enabled = False
    InteractiveShell.instance(display_pub_class=_Publisher, config=quiet)
    builtins.display = display  # as in a notebook
    sys.stdout = _Stdout(sys.stdout)
    helpers.progress.tqdm = _Bar
