"""A real Milvus server without Docker: Milvus 2.3.5 standalone, which a wheel carries.

It is for tests and measurements on one computer. Its inner ports are fixed, so there is one at a
time on a machine; whoever comes second waits.
"""

import contextlib
import importlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from helpers.errors import ServiceError
from helpers.paths import cache_dir

VERSION = "2.3.5"
PLATFORMS = {("linux", "x86_64"), ("darwin", "x86_64")}
_WAIT = 300  # seconds for another process to stop its server


@contextlib.contextmanager
def running_server(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start a Milvus server, and stop it at the end.

    Args:
        folder: where it keeps its data; created where missing, never removed.
        settings: name -> value of Milvus' configuration, for example
            ``{"common.security.authorizationEnabled": "true"}``.

    Yields:
        Its address, as in ``http://127.0.0.1:19530``.

    Raises:
        ServiceError: there is no such server for this system, it could not be installed or did not
            start, or another one runs for longer than five minutes.
    """
    installed = install_server()
    lock = FileLock(cache_dir() / "milvus-server.lock", timeout=_WAIT)
    try:
        with lock:
            server = _prepare(installed, folder, settings or {})
            try:
                server.start()
            except Exception as error:
                server.stop()
                raise ServiceError(
                    f"The Milvus server did not start ({error}): look whether its ports are free "
                    f"and read the logs in {folder}."
                ) from None
            try:
                yield f"http://127.0.0.1:{server.listen_port}"
            finally:
                server.stop()
    except Timeout:
        raise ServiceError(
            "Another process has had the Milvus server for five minutes: wait until it is done."
        ) from None


def install_server() -> Path:
    """Put the server's wheel where no environment sees it, once.

    Returns:
        The folder to import it from, in the cache.

    Raises:
        ServiceError: there is none for this system, or it could not be fetched.
    """
    if (sys.platform, platform.machine()) not in PLATFORMS:
        raise ServiceError(
            "The package index has a Milvus server for x86_64 on Linux and macOS only: start one "
            "with Docker and name it in MILVUS_URI."
        )
    target = cache_dir() / f"milvus-{VERSION}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock")):
        if not target.exists():
            part = target.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            # Without its dependencies: it would bring an old pymilvus.
            command = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps")
            command += ("--target", str(part), f"milvus=={VERSION}")
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
                raise ServiceError(f"The Milvus server could not be fetched ({reason}).")
            part.rename(target)
    return target


def _prepare(installed: Path, folder: Path, settings: Mapping[str, str]) -> object:
    sys.path.insert(0, str(installed))
    try:
        server = importlib.import_module("milvus").MilvusServer()
    finally:
        sys.path.remove(str(installed))
    folder.mkdir(parents=True, exist_ok=True)
    (installed / "unpacked").mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        # Unpacking the program again for each folder would take seconds.
        (folder / "bin").symlink_to(installed / "unpacked")
    server.set_base_dir(str(folder))
    for name, value in settings.items():
        server.config.set(name, value)
    return server
