"""The web server of the apps: their pages, and who may ask for them."""

import asyncio
import base64
import hmac
import json
import sys
import threading
import traceback
import webbrowser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fields
import tornado
from app import App
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import HTTPError, RequestHandler, StaticFileHandler

from helpers.errors import HelpfulError
from helpers.paths import ROOT

HERE = Path(__file__).resolve().parent

LARGEST = 100_000_000  # bytes of an upload
WORKERS = 8  # questions that are worked on at a time; each app answers one of them
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data: blob:; "
    "media-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
POOL = ThreadPoolExecutor(WORKERS)


class Page(RequestHandler):
    """What all pages share: who may ask, and how mistakes are said."""

    def set_default_headers(self) -> None:
        """Let a page load only what comes from here."""
        for name, value in SECURITY.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        """Refuse what another site's page asks for, and who does not know the password."""
        settings = self.settings
        host = self.request.host.rpartition(":")[0].strip("[]") or self.request.host
        if not settings["password"] and host not in ("127.0.0.1", "localhost", "::1"):
            raise HTTPError(403, "These apps are for this computer only.")
        origin = self.request.headers.get("Origin")
        if origin and origin.partition("://")[2] != self.request.host:
            raise HTTPError(403, "Another site's page may not ask here.")
        if settings["password"] and not self._knows(settings["password"]):
            self.set_status(401)
            self.set_header("WWW-Authenticate", 'Basic realm="apps", charset="UTF-8"')
            self.finish("The password, please; any name will do.")

    def _knows(self, password: str) -> bool:
        kind, _, given = self.request.headers.get("Authorization", "").partition(" ")
        try:
            said = base64.b64decode(given).partition(b":")[2]
        except ValueError:
            return False
        return kind == "Basic" and hmac.compare_digest(said, password.encode())

    def app(self, name: str) -> App:
        """The app of that name."""
        if name not in self.settings["apps"]:
            raise HTTPError(404, f"There is no app {name}.")
        return self.settings["apps"][name]

    def write_error(self, status_code: int, **options: Any) -> None:
        """One sentence in place of a page."""
        error = options.get("exc_info", (None, None, None))[1]
        said = getattr(error, "log_message", None) or f"{status_code}: {self._reason}"
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(said)

    async def stream(self, work: Callable[[Callable], dict[str, Any]]) -> None:
        """Send what ``work(tell)`` tells while it goes on and then its result, a JSON a line."""
        loop, news = asyncio.get_running_loop(), asyncio.Queue()

        def tell(message: str, share: float | None = None) -> None:
            loop.call_soon_threadsafe(news.put_nowait, {"message": message, "share": share})

        def run() -> None:
            try:
                last = work(tell)
            except HelpfulError as error:
                last = {"html": f'<p class="mistake">{tornado.escape.xhtml_escape(str(error))}</p>'}
            except Exception as error:  # else the page would wait for ever
                traceback.print_exc()
                last = {"html": f"<p>This went wrong here: {type(error).__name__}.</p>"}
            loop.call_soon_threadsafe(news.put_nowait, last | {"done": True})

        self.set_header("Content-Type", "application/x-ndjson")
        loop.run_in_executor(POOL, run)
        done = False
        while not done:
            one = await news.get()
            done = one.get("done", False)
            self.write(json.dumps(one) + "\n")
            await self.flush()


class Everything(Page):
    """The list of apps."""

    def get(self) -> None:
        """Show it."""
        self.render("list.html", apps=self.settings["apps"].values())


class One(Page):
    """An app's page."""

    def get(self, name: str) -> None:
        """Show its forms, or that it is being opened."""
        several = len(self.settings["apps"]) > 1
        self.render("app.html", app=self.app(name), fields=fields, several=several, largest=LARGEST)


class Open(Page):
    """Opening an app."""

    async def post(self, name: str) -> None:
        """Tell what goes on until it is ready."""
        app = self.app(name)
        opening = threading.Thread(target=app.open, daemon=True)  # waits where one is at it
        opening.start()
        self.set_header("Content-Type", "application/x-ndjson")
        while opening.is_alive():
            self.write(json.dumps({"message": app.message, "share": app.share}) + "\n")
            await self.flush()
            await asyncio.sleep(0.25)
        self.write(json.dumps({"done": True, "state": app.state, "message": app.message}) + "\n")


class Ask(Page):
    """A form's button."""

    async def post(self, name: str, kind: str, number: str) -> None:
        """Answer with what the form makes of its values, or shows of them while they change."""
        app = self.app(name)
        if app.state != "ready" or int(number) >= len(app.forms):
            raise HTTPError(409, "This page is older than the app: load it again.")
        form = app.forms[int(number)]
        texts, files = self.get_body_arguments, self._files
        example = self.get_body_argument("example", "")
        if example and not (example.isdecimal() and int(example) < len(form.examples)):
            raise HTTPError(404, "There is no such example.")

        def work(tell: Callable) -> dict[str, Any]:
            if example:
                values = list(form.examples.values())[int(example)]
                defaults = {n: getattr(f, "value", None) for n, f in form.fields.items()}
                values = defaults | values
            else:
                values = fields.values_of(form, texts, files)
            if kind == "preview":
                return {"html": app.preview(int(number), values).html}
            return app.answer(int(number), values, tell)._asdict()

        await self.stream(work)

    def _files(self, name: str) -> list[tuple[str, bytes]]:
        return [(one.filename, one.body) for one in self.request.files.get(name, [])]


class Example(Page):
    """The picture of an example."""

    def get(self, name: str, number: str, example: str) -> None:
        """Send it as a small JPEG."""
        try:
            values = list(self.app(name).forms[int(number)].examples.values())[int(example)]
        except IndexError:
            raise HTTPError(404, "There is no such example.") from None
        picture = next(filter(None, map(fields.example_picture, values.values())), None)
        if picture is None:
            raise HTTPError(404, "This example has no picture.")
        self.set_header("Content-Type", "image/jpeg")
        self.set_header("Cache-Control", "max-age=600")
        self.finish(picture)


class Source(Page):
    """What an app is made of: the notebook, and the program that its cells make."""

    def get(self, name: str, what: str) -> None:
        """Show one of the two."""
        app = self.app(name)
        if what == "code":
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(app.text())
        else:
            import nbconvert  # here, since it takes seconds to import

            # Its page brings styles and scripts of its own, some from other sites.
            self.set_header("Content-Security-Policy", "sandbox")
            self.finish(nbconvert.HTMLExporter().from_filename(str(app.notebook))[0])


def make(apps: dict[str, App], password: str) -> tornado.web.Application:
    """The web application that serves ``apps``."""
    name = r"/([0-9a-z_]+)"
    routes = [
        (r"/", Everything),
        (r"/static/(.*)", StaticFileHandler, {"path": str(HERE / "static")}),
        (r"/picture/(.*)", StaticFileHandler, {"path": str(ROOT / "docs" / "gallery")}),
        (name, One),
        (name + r"/open", Open),
        (name + r"/(ask|preview)/(\d+)", Ask),
        (name + r"/example/(\d+)/(\d+)", Example),
        (name + r"/(notebook|code)", Source),
    ]
    return tornado.web.Application(
        routes, apps=apps, password=password, template_path=str(HERE / "templates")
    )


async def serve(
    apps: dict[str, App], address: str, port: int, password: str, browser: bool = False
) -> None:
    """Serve until interrupted.

    Args:
        apps: by their names.
        address, port: where to listen; 0 takes any port.
        password: what a visitor must know; empty for none, which is for this computer alone.
        browser: open the page in a browser.
    """
    try:
        sockets = bind_sockets(port, address)
    except OSError as error:
        sys.exit(f"Port {port} of {address} cannot be had ({error.strerror}): name another.")
    options = {"max_body_size": LARGEST + 1_000_000, "max_buffer_size": 2 * LARGEST}
    HTTPServer(make(apps, password), **options).add_sockets(sockets)
    page = f"http://{address}:{sockets[0].getsockname()[1]}/"
    page += next(iter(apps)) if len(apps) == 1 else ""
    print(f"The apps are at {page} (Ctrl-C stops them).", flush=True)
    if browser:
        webbrowser.open(page)
    await asyncio.Event().wait()
