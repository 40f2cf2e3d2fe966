"""Move what a notebook stored from its embedded store to a server, or back.

python tools/move.py image_search --to http://localhost:19530      to a server
python tools/move.py image_search --from http://localhost:19530    back into .stores/
python tools/move.py image_search --to … --collections a b         only these

Schema, partitions, indexes, rows and Redis records are copied, and nothing is deleted. Broken off,
it goes on when it is run again. In the end rows are counted and 100 searches compared. How to reach
the server say MILVUS_TOKEN, MILVUS_CA and REDIS_URL, as for notebooks.

For millions of rows there are files, which the server reads by itself:

python tools/move.py image_search --files FOLDER                   write them
python tools/move.py image_search --to … --files FOLDER --stored-at PATH     have them imported

Between the two, put FOLDER into the server's storage; PATH is what the server calls it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from helpers.connect import connect_milvus, connect_redis, engine_name
from helpers.errors import HelpfulError
from helpers.metadata import BATCH
from helpers.paths import shown, store_folder

if TYPE_CHECKING:
    from move_collection import Collection
    from pymilvus import MilvusClient


def copy_records(source: redis.Redis, target: redis.Redis, names: list[str]) -> int:
    """Copy the JSON records of collections; tells how many."""
    keys = [key for key in source.scan_iter(count=BATCH) if key.rpartition(":")[0] in names]
    for first in range(0, len(keys), BATCH):
        some = keys[first : first + BATCH]
        target.mset(dict(zip(some, source.mget(some), strict=True)))
    return len(keys)


def move(
    store: str,
    to: str | None = None,
    back: str | None = None,
    names: list[str] | None = None,
    files: Path | None = None,
    stored_at: str | None = None,
) -> None:
    """Do what the command line says.

    Raises:
        HelpfulError: an end does not answer or has no such collection, the target lacks what one
            needs, or what was copied is not the same.
    """
    if not back and not store_folder(store).is_dir():
        there = ", ".join(sorted(path.name for path in store_folder(store).parent.glob("*")))
        raise HelpfulError(f"There is no store '{store}'; there are: {there or 'none'}.")
    source = _connect(connect_milvus, store, "MILVUS_URI", back)
    from move_collection import Collection, move_collection, write_files  # and with it pymilvus

    there = sorted(source.list_collections())
    # On a server the collections of all notebooks lie side by side.
    own = [name for name in there if not back or name.startswith((f"bootcamp_{store}", store))]
    names = names or own
    if not names or set(names) - set(there):
        wanted = ", ".join(set(names) - set(there)) or f"What '{store}' stored"
        raise HelpfulError(
            f"{wanted} is not there; name some of these after --collections: {', '.join(there)}."
        )
    collections = [Collection(source, name) for name in names]
    if not (to or back):
        for collection in collections:
            write_files(collection, files)
        print(f"The files are in {shown(files)}.")
        return
    target = _connect(connect_milvus, store, "MILVUS_URI", to)
    _refuse_what_is_lacking(collections, target)
    _move_records(store, bool(back), names)
    for collection in collections:
        move_collection(collection, target, files, stored_at)


def main() -> None:
    """Move what the command line names."""
    os.environ.pop("MILVUS_URI", None)  # --to and --from say it, and pymilvus reads no path in it.
    from pymilvus.exceptions import MilvusException

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("store", help="its name, as in connect_milvus(...)")
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument("--to", metavar="URI", help="the Milvus to copy to")
    ends.add_argument("--from", metavar="URI", dest="back", help="the Milvus to copy from")
    parser.add_argument("--collections", nargs="+", dest="names", metavar="NAME", help="only these")
    parser.add_argument("--files", type=Path, metavar="FOLDER", help="of files for a server")
    parser.add_argument("--stored-at", metavar="PATH", help="what the server calls FOLDER")
    options = parser.parse_args()
    if not (options.to or options.back or options.files) or (options.back and options.files):
        parser.error("say where to: --to URI, --from URI, or --files FOLDER")
    if options.files:
        options.files = options.files.absolute()
    try:
        move(**vars(options))
    except HelpfulError as error:
        sys.exit(f"{error}")
    except (MilvusException, redis.RedisError) as error:
        why = getattr(error, "message", error)
        sys.exit(f"This broke off ({why}): mend that and run it again; what was copied stays.")


def _connect(connect: Callable, store: str, variable: str, value: str | None) -> Any:
    """Connect to a server, or with None to the store, whatever the environment names."""
    before = os.environ.pop(variable, None)
    try:
        if value:
            os.environ[variable] = value
        return connect(store)
    finally:
        os.environ.pop(variable, None)
        if before is not None:
            os.environ[variable] = before


def _refuse_what_is_lacking(collections: list[Collection], target: MilvusClient) -> None:
    lacking = {collection.name: collection.lacks(target) for collection in collections}
    if bad := [f"{name}: {', '.join(lacks)}" for name, lacks in lacking.items() if lacks]:
        rest = " ".join(name for name, lacks in lacking.items() if not lacks)
        raise HelpfulError(
            f"{engine_name(target)} cannot hold all of this ({'; '.join(bad)}): use another"
            + (f", or move the rest with --collections {rest}." if rest else ".")
        )


def _move_records(store: str, back: bool, names: list[str]) -> None:
    url = os.environ.get("REDIS_URL")
    here = _connect(connect_redis, store, "REDIS_URL", None)
    if not url and not back and here.dbsize():
        raise HelpfulError(
            f"'{store}' has records in Redis: say in REDIS_URL which Redis they should go to."
        )
    if not url:
        print("No records of Redis are copied, because REDIS_URL names none.")
        return
    there = _connect(connect_redis, store, "REDIS_URL", url)
    print(f"{copy_records(*((there, here) if back else (here, there)), names):,} records copied")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped; run it again to go on.")
