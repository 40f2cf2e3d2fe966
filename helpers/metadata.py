"""What an id in Milvus stands for: one JSON record per id, kept in Redis.

Write metadata before the vectors. Then no id that a search returns can lack its metadata, wherever
an ingest breaks off.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from helpers.errors import HelpfulError

if TYPE_CHECKING:
    import redis

BATCH = 2_000  # Records in one command: few round trips, and no command blocks Redis for long.


class MetadataError(HelpfulError):
    """Metadata could not be written or found."""


def save_metadata(
    client: redis.Redis, prefix: str, ids: Sequence[int], records: Sequence[dict]
) -> None:
    """Write one record per id, replacing what was there.

    Args:
        client: a Redis client that gives strings, as that of ``connect_redis`` does.
        prefix: what the keys begin with, as in ``"image_search"``; a record's key is
            ``image_search:<id>``.
        ids: n ids; NumPy integers will do.
        records: n records of what JSON can hold.

    Raises:
        MetadataError: there are more ids than records or fewer, a record is not JSON, or Redis
            does not answer.
    """
    if len(ids) != len(records):
        raise MetadataError(
            f"{len(ids)} ids and {len(records)} records were given: give one record for each id."
        )
    with _explained():
        pairs = zip(ids, records, strict=True)
        while batch := dict(islice(pairs, BATCH)):
            client.mset({_key(prefix, id): _to_json(id, record) for id, record in batch.items()})


def load_metadata(client: redis.Redis, prefix: str, ids: Sequence[int]) -> list[dict]:
    """Read the records of ids, in the order of the ids.

    Args:
        client: a Redis client.
        prefix: the prefix they were saved under.
        ids: n ids, perhaps with repetitions; NumPy integers will do.

    Returns:
        n records.

    Raises:
        MetadataError: an id has no record, or Redis does not answer.
    """
    with _explained():
        batches = _batches(_key(prefix, id) for id in ids)
        records = [record for batch in batches for record in client.mget(batch)]
    missing = [int(id) for id, record in zip(ids, records, strict=True) if record is None]
    if missing:
        first = ", ".join(map(str, missing[:3])) + (", ..." if len(missing) > 3 else "")
        raise MetadataError(
            f"{len(missing)} of {len(ids)} ids have no metadata under '{prefix}' in Redis "
            f"({first}): run the cell that stores the data again."
        )
    return [json.loads(record) for record in records]


def delete_metadata(client: redis.Redis, prefix: str) -> int:
    """Delete all records under a prefix and nothing else, without holding up a shared server.

    Args:
        client: a Redis client.
        prefix: the prefix they were saved under.

    Returns:
        The number of records deleted.

    Raises:
        MetadataError: Redis does not answer.
    """
    with _explained():
        found = client.scan_iter(match=f"{_escape(prefix)}:*", count=BATCH)
        # The pattern also finds what lies under a longer prefix, such as "photos:old" for "photos".
        keys = (key for key in found if key.rpartition(":")[0] == prefix)
        return sum(client.unlink(*batch) for batch in _batches(keys))


def _key(prefix: str, id: int) -> str:
    return f"{prefix}:{int(id)}"


def _to_json(id: int, record: dict) -> bytes:
    try:
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
        # File names may hold bytes that are no UTF-8, which Python keeps as half characters. Their
        # escapes are JSON's, too.
        return text.encode("utf-8", "backslashreplace")
    except (TypeError, ValueError) as error:
        raise MetadataError(
            f"The metadata of id {int(id)} cannot be written as JSON ({error}): give strings, "
            "numbers, lists and dicts of Python, not NumPy's."
        ) from None


def _batches(items: Iterable[str]) -> Iterator[list[str]]:
    items = iter(items)
    while batch := list(islice(items, BATCH)):
        yield batch


def _escape(prefix: str) -> str:
    """Let SCAN take a prefix literally."""
    return "".join(f"\\{letter}" if letter in r"*?[]\^-" else letter for letter in prefix)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    import redis  # Loaded already by who made the client; not by who only imports this module.

    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError):
        raise MetadataError(
            "Redis does not answer any more: make room if its disk is full, and run the cell that "
            "connects to it again."
        ) from None
