"""A real Milvus server without Docker: Milvus 2.3.5 standalone, which a wheel carries.

It is for tests and measurements on one computer. It opens nine ports on all of the computer's
addresses, and whoever reaches one of them can run code (CVE-2026-26190). So it runs only in a
network of its own, which nothing outside can reach: see ``private_network``.

Its inner ports are fixed, so there is one at a time in a network; whoever comes second waits.
"""

import contextlib
import importlib
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from helpers.assets import fetch
from helpers.errors import ServiceError
from helpers.paths import cache_dir

VERSION = "2.3.5"
OPEN_PORTS = "MILVUS_OPEN_PORTS"
_UNSHARE = ("unshare", "--map-root-user", "--net")
_SET_FLAGS, _UP = 0x8914, 0x1  # SIOCSIFFLAGS and IFF_UP of Linux
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
        ServiceError: there is no such server for this system, it did not start, another one runs
            for longer than five minutes, or this network is not private.
        AssetError: it could not be fetched.
    """
    if not is_private():
        danger = (
            "The Milvus server of the package index opens ports on all addresses of this computer, "
            "for anybody to use"
        )
        if os.environ.get(OPEN_PORTS) != "1":
            raise ServiceError(
                f"{danger}: run this in a network of its own (unshare --net), or set "
                f"{OPEN_PORTS}=1 where nobody can reach it."
            )
        print(f"Warning: {danger}, and {OPEN_PORTS} allows it.", file=sys.stderr)
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
    """The folder to import the server's package from, in the cache; fetched the first time.

    Raises:
        ServiceError: there is none for this system.
        AssetError: it could not be fetched.
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise ServiceError(
            "The package index has a Milvus server for Linux on x86_64 only: start one with Docker "
            "and name it in MILVUS_URI."
        )
    return fetch("milvus-server")


def is_private() -> bool:
    """Whether this process is in a network that has nothing but itself."""
    return sys.platform == "linux" and [name for _, name in socket.if_nameindex()] == ["lo"]


def private_network(command: Sequence[str]) -> list[str]:
    """The command that runs another one in a network of its own, as this user.

    Args:
        command: a program and its arguments.

    Returns:
        The longer command; the same one where there are no such networks, or where this process is
        in one already.
    """
    unshare = shutil.which("unshare")
    can = unshare and not subprocess.run([*_UNSHARE, "true"], capture_output=True).returncode
    if is_private() or not can:
        return list(command)
    return [*_UNSHARE, sys.executable, "-m", "helpers.engines.server", *command]


def main() -> None:
    """Switch the loopback of a new network on, and become the command that the arguments name."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sh14x", b"lo", _UP)
        fcntl.ioctl(any_socket, _SET_FLAGS, up)
    os.execvp(sys.argv[1], sys.argv[1:])


def _prepare(installed: Path, folder: Path, settings: Mapping[str, str]) -> object:
    sys.path.insert(0, str(installed))
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        server = importlib.import_module("milvus").MilvusServer()
    finally:
        sys.path.remove(str(installed))
        sys.dont_write_bytecode = writes_bytecode
    folder.mkdir(parents=True, exist_ok=True)
    server.set_base_dir(str(folder))
    for name, value in settings.items():
        server.config.set(name, value)
    return server


if __name__ == "__main__":
    main()
