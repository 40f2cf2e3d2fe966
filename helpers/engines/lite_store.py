"""Milvus Lite on a store's files: whether that is safe, and serving them to several processes.

Milvus Lite 3 takes a collection whose ``manifest.json`` is gone for a new one and deletes the data
files that no manifest names. So a store is looked at before Milvus Lite sees it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import ServiceError
from helpers.paths import create_folder, shown

if TYPE_CHECKING:
    from helpers.engines.lite import LiteClient

_DROPPING = "dropping"  # a folder in the store, with a file for each collection being dropped
_THREADS = 10
# In this process Milvus Lite takes such questions for an offence. The largest number is never.
_NO_PINGS = {"grpc.keepalive_time_ms": 2**31 - 1}
# The stores that this process itself has open, and how to close each.
_open_here: dict[Path, Callable[[], None]] = {}
_OPTIONS = {
    "grpc.max_receive_message_length": 256 * 2**20,
    "grpc.max_send_message_length": 256 * 2**20,
    # Clients ask every ten seconds whether the server is there. Here that is no offence.
    "grpc.http2.max_ping_strikes": 0,
}


@contextlib.contextmanager
def serve(store: Path, address: str) -> Iterator[str]:
    """Open a store with Milvus Lite and serve it at an address, to be closed at the end.

    Args:
        store: the store's folder, created if there is none.
        address: as gRPC writes it, as in ``unix:/tmp/x/milvus``.

    Yields:
        The address.

    Raises:
        ServiceError: the store is damaged, open in another process, or written by Milvus Lite 2.
            Nothing in it was changed.
        OSError: it cannot be read or written.
    """
    import grpc
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from milvus_lite.exceptions import DataDirLockedError
    from pymilvus.grpc_gen import milvus_pb2_grpc

    check_store(store)
    try:
        database = _surely_dropping(store)
    except DataDirLockedError:
        raise ServiceError(
            f"The Milvus Lite store {shown(store)} is open in another process that does not share "
            "it: close that one and run this cell again."
        ) from None
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=list(_OPTIONS.items()))
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(database), server)
    server.add_insecure_port(address)
    server.start()
    try:
        yield address
    finally:
        server.stop(grace=2).wait()
        database.close()


def open_here(store: Path) -> LiteClient:
    """Open a store in this process, for systems without a keeper and for measurements.

    Args:
        store: the store's folder, created if there is none.

    Raises:
        ServiceError: as for ``serve``, or another process has the store open.
    """
    from milvus_lite.server_manager import server_manager_instance
    from pymilvus.exceptions import ConnectionConfigException

    from helpers.engines.lite import LiteClient, quiet

    create_folder(store.parent)
    if store not in _open_here:
        check_store(store)
    try:
        with quiet():
            client = LiteClient(store, str(store), timeout=10, grpc_options=_NO_PINGS)
    except ConnectionConfigException:
        raise ServiceError(
            f"Milvus Lite could not open the store {shown(store)}: look whether another kernel of "
            "this notebook has it open, its folder may be written to and the disk has room."
        ) from None
    _open_here[store] = lambda: server_manager_instance.release_server(str(store))
    return client


def remove_here(store: Path) -> bool:
    """Close a store of this process and delete the folder it lies in; tells whether that worked."""
    _open_here.pop(store, lambda: None)()
    shutil.rmtree(store.parent, ignore_errors=True)
    return not store.parent.exists()


def check_store(store: Path) -> None:
    """Look whether Milvus Lite can open a store and lose nothing.

    What a killed process has left half done is finished: collections that were being dropped, or of
    which nothing but a folder was made, are removed, and so are the logs of rows that are stored.

    Raises:
        ServiceError: the store is damaged, or no store of Milvus Lite 3. Nothing was changed.
        OSError: it cannot be read or written.
    """
    if store.exists() and not store.is_dir():
        raise ServiceError(
            f"{shown(store)} is a file, but Milvus Lite 3 keeps a store in a folder (a file comes "
            "from Milvus Lite 2): move it away and run this again."
        )
    for mark in (store / _DROPPING).glob("*"):
        shutil.rmtree(store / mark.read_text(), ignore_errors=True)
        mark.unlink()
    if damage := _find_damage(store):
        raise ServiceError(
            f"The Milvus Lite store {shown(store)} is damaged ({damage}) and was left as it is: "
            "bring it back from a copy, or delete that folder and run the notebook again to build "
            "it anew."
        )
    for collection in _collections(store):
        _drop_flushed_logs(collection)


def _surely_dropping(store: Path):
    """Milvus Lite on a store, whose drops are finished at the next opening if it is killed."""
    from milvus_lite import MilvusLite

    class SurelyDropping(MilvusLite):
        def drop_collection(self, name: str, database_name: str = "default") -> None:
            name = self.resolve_collection_name(name, database_name=database_name)
            place = "" if database_name == "default" else f"databases/{database_name}/"
            mark = store / _DROPPING / f"{database_name}.{name}"
            mark.parent.mkdir(exist_ok=True)
            mark.write_text(f"{place}collections/{name}")
            super().drop_collection(name, database_name=database_name)
            mark.unlink()

    return SurelyDropping(str(store))


def _find_damage(store: Path) -> str | None:
    """Say what is wrong with a store, or None; only reads, but for one empty folder."""
    if store.is_dir() and any(store.iterdir()) and not (store / "collections").is_dir():
        return "the folder holds something else"
    for path in sorted(store.rglob("*.json")):
        if not isinstance(_parse(path), dict):
            return f"{path.relative_to(store).as_posix()} is not readable"
    found = (_find_damaged_collection(collection) for collection in _collections(store))
    return next((damage for damage in found if damage), None)


def _collections(store: Path) -> list[Path]:
    return [*store.glob("collections/*"), *store.glob("databases/*/collections/*")]


def _drop_flushed_logs(collection: Path) -> None:
    """Delete the logs whose rows are in data files, as the flush that was killed would have done.

    Milvus Lite would read them again and have every row of them twice.
    """
    if (collection / "manifest.json").exists():
        first = _parse(collection / "manifest.json").get("active_wal_number") or 0
        for log in collection.glob("wal/wal_*_*.arrow"):
            if int(log.stem.rpartition("_")[2]) < first:
                log.unlink()


def _find_damaged_collection(collection: Path) -> str | None:
    name = collection.name
    if not (collection / "schema.json").exists():
        if any(path.suffix != ".tmp" for path in collection.iterdir()):
            return f"the schema.json of collection {name} is missing"
        # Left by a process killed while it created the collection; it would bar a second try.
        shutil.rmtree(collection)
        return None
    manifest = collection / "manifest.json"
    if not manifest.exists():
        # A new collection has none until its first flush is done. Until then all rows are in the
        # log, which begins with number 1, and Milvus Lite makes data files from it again.
        has_files = any(collection.glob("partitions/*/data/*"))
        has_log = any(collection.glob("wal/wal_*_000001.arrow"))
        lost = (has_files and not has_log) or (collection / "manifest.json.prev").exists()
        return f"the manifest.json of collection {name} is missing" if lost else None
    partitions = _parse(manifest).get("partitions")
    if not isinstance(partitions, dict) or "_default" not in partitions:
        return f"the manifest.json of collection {name} names no partitions"
    for partition, listed in partitions.items():
        for file in (*listed.get("data_files", ()), *listed.get("delta_files", ())):
            if not _is_whole(collection / "partitions" / partition / file):
                return f"{file} of collection {name} is missing or cut short"
    return None


def _parse(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except ValueError:  # Not JSON, or not even text.
        return None


def _is_whole(parquet: Path) -> bool:
    """Look at a Parquet file's last four bytes, which a file cut short has lost."""
    try:
        with parquet.open("rb") as file:
            file.seek(-4, 2)
            return file.read() == b"PAR1"
    except OSError:  # Not there, or shorter than four bytes.
        return False
