"""One process for each store, its keeper, which runs the engines there while anybody uses it.

Milvus Lite can be opened by one process only, and a redis-server should not outlive the notebook
that needs it. So both of a store run in a process of their own. They listen on Unix sockets in a
folder that only this user may open, and on no port.

Two files beside the store tell who is there. Every process that uses the store holds a shared lock
on ``milvus.db.users``, which the system releases however that process ends. Once a second the
keeper tries to lock that file for itself alone. If it can, nobody is left: it stops its engines and
ends. The keeper in turn holds ``milvus.db.keeper``, which says where it listens.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec, module_from_spec
from pathlib import Path

from helpers.errors import ServiceError
from helpers.paths import ROOT, create_folder, shown

try:
    import fcntl
except ImportError:  # Windows has no such locks.
    fcntl = None

POSSIBLE = fcntl is not None and hasattr(socket, "AF_UNIX")
"""Whether this system has what a keeper needs; where not, Milvus Lite runs in the kernel."""

LOOK_SECONDS = 1  # between two looks whether anybody is left
WAIT_SECONDS = 60  # for a keeper to start its engines, or to end
SOCKET_FOLDER = "bootcamp-"
SHORT_TEMPORARY = "/tmp"
_ROOM = 200  # bytes for the path of a socket, and more
MAX_SOCKET_BYTES = 103  # The length that macOS allows the path of a socket; Linux allows 107.

# Store -> the descriptor of our lock on its file of users, held until this process ends.
_held: dict[Path, int] = {}


def ask(store: Path, request: str) -> str:
    """Ask the keeper of a store for an engine; a keeper is started where none runs.

    From then on this process counts as a user of the store.

    Args:
        store: the folder of Milvus Lite; Redis keeps its files beside it.
        request: ``"milvus"``, or ``"redis PROGRAM"`` with the path of a redis-server.

    Returns:
        The path of the engine's Unix socket.

    Raises:
        ServiceError: the engine refuses the store, or the folder cannot be written to. Nothing in
            it was changed.
    """
    create_folder(store.parent)
    is_new = store not in _held
    try:
        if is_new:
            _held[store] = _lock(_users_of(store), shared=True)
        reply = _send(store, request)
        if "refused" in reply:
            raise ServiceError(reply["refused"])
    except BaseException as error:
        if is_new and store in _held:
            os.close(_held.pop(store))
        if isinstance(error, OSError):
            raise ServiceError(explain(store, error)) from None
        raise
    return reply["socket"]


def is_kept(store: Path) -> bool:
    """Whether a keeper has the store."""
    with contextlib.suppress(FileNotFoundError), _keeper_of(store).open("rb") as file:
        return not _try(file.fileno())
    return False


def remove(store: Path) -> bool:
    """Stop the engines of a store and delete the folder it lies in, unless somebody else uses it.

    Returns:
        Whether it was deleted.

    Raises:
        ServiceError: the folder cannot be written to.
    """
    try:
        return _remove(store)
    except OSError as error:
        raise ServiceError(explain(store, error)) from None


def _remove(store: Path) -> bool:
    if not POSSIBLE:
        from helpers.engines.lite_store import remove_here

        return remove_here(store)
    users = _held.pop(store, None)
    users = _open(_users_of(store)) if users is None else users
    if not _try(users):
        # The try has cost us our own lock.
        fcntl.flock(users, fcntl.LOCK_SH)
        _held[store] = users
        return False
    try:
        if is_kept(store):
            _send(store, "end")
            os.close(_lock(_keeper_of(store)))
        shutil.rmtree(store.parent)
    finally:
        os.close(users)
    return True


def explain(store: Path, error: OSError) -> str:
    """Say in a sentence why the files of a store cannot be read or written."""
    return (
        f"The store {shown(store)} cannot be read and written ({error.strerror}): give yourself "
        "the right to, make room on the disk, or set BOOTCAMP_STORES to another folder."
    )


def _users_of(store: Path) -> Path:
    return store.with_name(f"{store.name}.users")


def _keeper_of(store: Path) -> Path:
    return store.with_name(f"{store.name}.keeper")


def _open(path: Path) -> int:
    """Open a file of a store to write to it and return its descriptor.

    Somebody else who can write to the folder could have put a link to any file of this user there,
    or a file that names a socket of their own.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if os.fstat(descriptor).st_uid != os.geteuid():
        os.close(descriptor)
        raise ServiceError(
            f"The store {shown(path.parent)} is another user's: set BOOTCAMP_STORES to a folder of "
            "your own."
        )
    return descriptor


def _try(descriptor: int, shared: bool = False) -> bool:
    """Lock an open file if that can be had at once."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock(path: Path, shared: bool = False) -> int:
    """Wait for a lock on a file and return its descriptor."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        descriptor = _open(path)
        # A file that has been removed meanwhile locks nobody out.
        with contextlib.suppress(FileNotFoundError):
            if _try(descriptor, shared) and os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        os.close(descriptor)
        time.sleep(0.02)
    raise ServiceError(
        f"The store {shown(path.parent)} has been busy for {WAIT_SECONDS} seconds: wait until "
        "whoever removes or closes it is done, and run this cell again."
    )


def _send(store: Path, request: str) -> dict[str, str]:
    """Send a request to a store's keeper, starting one if there is none, and wait for its reply."""
    deadline, starts = time.monotonic() + WAIT_SECONDS, 0
    while time.monotonic() < deadline:
        lock = _open(_keeper_of(store))
        try:
            if _try(lock):
                if starts == 2:
                    raise ServiceError(_last_words(store))
                _sweep(os.fsdecode(os.pread(lock, _ROOM, 0)).strip())
                os.pwrite(lock, b" " * _ROOM, 0)  # A full disk shows here already.
                _start(store, lock)
                starts += 1
            address = os.fsdecode(os.pread(lock, _ROOM, 0)).strip()
        finally:
            os.close(lock)
        with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(WAIT_SECONDS)
            connection.connect(address)
            connection.sendall(f"{request}\n".encode())
            return json.loads(connection.makefile().readline())
        time.sleep(0.02)  # It is just being started, or has just ended.
    raise ServiceError(
        f"What runs the engines of {shown(store)} does not answer: end the process "
        f"helpers.engines.keeper that names this store, and run this cell again."
    )


def _start(store: Path, lock: int) -> None:
    command = (sys.executable, "-m", "helpers.engines.keeper", str(store), str(lock))
    with open(_open(_log_of(store)), "wb") as log:
        log.truncate()
        # The shell leaves at once. So the keeper is nobody's child, and what ends a kernel and its
        # children leaves it alone.
        subprocess.run(
            ["sh", "-c", '"$@" &', "sh", *command],
            cwd=ROOT,
            # pymilvus reads it when it is imported, and takes no path.
            env={name: value for name, value in os.environ.items() if name != "MILVUS_URI"},
            pass_fds=[lock],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=True,
        )


def _sweep(socket_path: str) -> None:
    """Remove the folder of sockets that a killed keeper has left."""
    folder = Path(socket_path).parent
    if folder.name.startswith(SOCKET_FOLDER):
        shutil.rmtree(folder, ignore_errors=True)


def _log_of(store: Path) -> Path:
    return store.with_name(f"{store.name}.log")


def _last_words(store: Path) -> str:
    lines = _log_of(store).read_text(errors="replace").strip().splitlines()
    return (
        f"What runs the engines of {shown(store)} ended as soon as it was started "
        f"({lines[-1] if lines else 'without a word'}): mend that and run this cell again."
    )


def _leave_to_parent() -> None:
    """Close a forked child's copies of its parent's locks, which it could hold longer than that."""
    for descriptor in _held.values():
        os.close(descriptor)
    _held.clear()


if POSSIBLE:
    os.register_at_fork(after_in_child=_leave_to_parent)


# The keeper itself


def main() -> None:
    """Keep the store that the command line names, with a lock that comes open with it."""
    store, lock = Path(sys.argv[1]), int(sys.argv[2])
    os.umask(0o077)
    _leave_out_the_client()
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    users = os.open(_users_of(store), os.O_RDWR)
    with _socket_folder() as folder, contextlib.ExitStack() as engines:
        listener = engines.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(folder / "keeper"))
        listener.listen(64)
        os.pwrite(lock, os.fsencode(folder / "keeper"), 0)
        keeper = _Keeper(store, folder, lock, engines)
        while not _try(users):
            if select.select([listener], [], [], LOOK_SECONDS)[0]:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    request = connection.makefile().readline().strip()
                    connection.sendall(json.dumps(keeper.reply(request)).encode() + b"\n")
                    if request == "end":
                        return


def _leave_out_the_client() -> None:
    """Let Milvus Lite import pymilvus' messages alone.

    A package that is loaded but not run gives what lies in it, and no more. Its client would be
    most of the time that a keeper takes to start.
    """
    sys.modules["pymilvus"] = module_from_spec(find_spec("pymilvus"))


class _Keeper:
    """Starts the engines of a store when they are asked for."""

    def __init__(self, store: Path, folder: Path, lock: int, engines: contextlib.ExitStack) -> None:
        self._store, self._folder, self._lock, self._engines = store, folder, lock, engines
        self._milvus = self._redis = None

    def reply(self, request: str) -> dict[str, str]:
        """What to answer: the socket of an engine, or the sentence it is refused with."""
        engine, _, program = request.partition(" ")
        try:
            if engine == "milvus":
                self._open_milvus()
            elif engine == "redis":
                self._open_redis(program)
        except ServiceError as error:
            return {"refused": str(error)}
        except OSError as error:
            return {"refused": explain(self._store, error)}
        return {"socket": str(self._folder / engine)}

    def _open_milvus(self) -> None:
        from helpers.engines.lite_store import serve

        if self._milvus is None:
            self._milvus = self._engines.enter_context(
                serve(self._store, f"unix:{self._folder / 'milvus'}")
            )

    def _open_redis(self, program: str) -> None:
        from helpers.engines import redis_server

        # A redis-server ends by itself when the disk is full.
        if self._redis is None or redis_server.has_ended(self._redis, self._folder):
            self._redis = self._engines.enter_context(
                redis_server.running(program, self._store.parent, self._folder, self._lock)
            )


@contextlib.contextmanager
def _socket_folder() -> Iterator[Path]:
    """A folder for sockets: their paths must be short, so it cannot lie in the store."""
    folder = tempfile.mkdtemp(prefix=SOCKET_FOLDER)
    if len(os.fsencode(folder)) + len("/keeper") > MAX_SOCKET_BYTES:
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix=SOCKET_FOLDER, dir=SHORT_TEMPORARY)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
