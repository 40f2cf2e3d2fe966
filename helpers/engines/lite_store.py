"""Open an embedded Milvus Lite store, but only after looking whether that is safe.

Milvus Lite 3 takes a store whose ``manifest.json`` is damaged or gone for an empty one and deletes
the data files that the manifest no longer names, and it does not say when another process holds
the store. So both are looked at here, before Milvus Lite sees the store.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import ServiceError
from helpers.paths import create_folder, shown

if TYPE_CHECKING:
    from helpers.engines.lite import CheckedMilvusClient

try:
    import fcntl
except ImportError:  # Windows has no flock; there Milvus Lite's own refusal has to do.
    fcntl = None

# Milvus Lite answers pymilvus' pings, one in ten seconds, by closing the connection ("too many
# pings"), and gRPC prints that into the notebook. The largest number stands for never.
_NO_PINGS = {"grpc.keepalive_time_ms": 2**31 - 1}

# The stores this process has open, whose lock must not be taken for another's.
_open_here: set[Path] = set()


def open_lite(store: Path) -> CheckedMilvusClient:
    """Open a Milvus Lite store, creating it if there is none.

    Args:
        store: the store's folder; its name ends in ``.db``, by which pymilvus knows Milvus Lite.

    Returns:
        A client of the store. A second call in the same process shares the open store.

    Raises:
        ServiceError: the store is damaged, open in another process, written by Milvus Lite 2, or
            cannot be written to. Nothing in it was changed.
    """
    from pymilvus.exceptions import ConnectionConfigException

    from helpers.engines.lite import CheckedMilvusClient, quiet

    store = store.absolute()
    if store not in _open_here:
        create_folder(store.parent)
        _refuse_if_unsafe(store)
    try:
        with quiet():
            client = CheckedMilvusClient(str(store), timeout=10, grpc_options=_NO_PINGS)
    except ConnectionConfigException:
        raise ServiceError(
            f"Milvus Lite could not open the store {shown(store)}: look whether its folder may be "
            "written to and the disk has room, and that no other program has just opened it."
        ) from None
    _open_here.add(store)
    return client


def close_lite(store: Path) -> None:
    """Close a store that this process has open; its clients are of no use afterwards."""
    if store in _open_here:
        from milvus_lite.server_manager import server_manager_instance

        server_manager_instance.release_server(str(store))
        _open_here.discard(store)


def is_open_elsewhere(store: Path) -> bool:
    """Tell whether another process has the store open."""
    if fcntl is None or store in _open_here or not (store / "LOCK").exists():
        return False
    with (store / "LOCK").open("rb+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _refuse_if_unsafe(store: Path) -> None:
    if store.exists() and not store.is_dir():
        raise ServiceError(
            f"{shown(store)} is a file, but Milvus Lite 3 keeps a store in a folder (a file comes "
            "from Milvus Lite 2): move it away and run this again."
        )
    try:
        if is_open_elsewhere(store):
            raise ServiceError(
                f"The Milvus Lite store {shown(store)} is open in another process: shut down the "
                "other kernel of this notebook and run this cell again."
            )
        damage = _find_damage(store)
    except OSError as error:
        raise ServiceError(
            f"The Milvus Lite store {shown(store)} cannot be read and written "
            f"({error.strerror}): give yourself the right to, or set BOOTCAMP_STORES to another "
            "folder."
        ) from None
    if damage:
        raise ServiceError(
            f"The Milvus Lite store {shown(store)} is damaged ({damage}) and was left as it is: "
            "bring it back from a copy, or delete that folder and run the notebook again to build "
            "it anew."
        )


def _find_damage(store: Path) -> str | None:
    """Say what is wrong with a store, or None; only reads, but for one empty folder."""
    if store.is_dir() and any(store.iterdir()) and not (store / "collections").is_dir():
        return "the folder holds something else"
    for path in sorted(store.rglob("*.json")):
        if not isinstance(_parse(path), dict):
            return f"{path.relative_to(store).as_posix()} is not readable"
    databases = [store, *store.glob("databases/*")]
    for collection in (folder for root in databases for folder in root.glob("collections/*")):
        if damage := _find_damaged_collection(collection):
            return damage
    return None


def _find_damaged_collection(collection: Path) -> str | None:
    name = collection.name
    if not (collection / "schema.json").exists():
        if any(collection.iterdir()):
            return f"the schema.json of collection {name} is missing"
        # Left by a process killed while it created the collection; it would bar a second try.
        collection.rmdir()
        return None
    manifest = collection / "manifest.json"
    if not manifest.exists():
        # A new collection has none until its first flush, and then no data files either.
        has_files = any(collection.glob("partitions/*/data/*"))
        lost = has_files or (collection / "manifest.json.prev").exists()
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
