"""From items to vectors, in batches: reading runs ahead while the model computes.

Bad items are left out, counted and named; the batch around them is kept.
"""

import hashlib
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from helpers.encoders.base import Encoder
from helpers.errors import BadItem, printable
from helpers.progress import progress_bar

_NAMED = 10  # items that a report names of each kind


def content_id(data: bytes | str) -> int:
    """Make a positive 63-bit id from content: the same content has the same id everywhere.

    The id is the first 63 bits of BLAKE2b. Among n different contents, the probability that any
    two share an id is about n² / 2⁶⁴: 5 in a hundred million for a million of them.

    Args:
        data: the content, as in the bytes of an image file; a string is taken as UTF-8.

    Returns:
        An integer from 0 to 2⁶³ - 1, which fits Milvus' INT64.

    Example:
        >>> content_id("caffeine") == content_id(b"caffeine")
        True
    """
    raw = data.encode() if isinstance(data, str) else data
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest()) >> 1


class Batch(NamedTuple):
    """Encoded items, ready to be stored: ``ids[i]`` and ``vectors[i]`` belong to ``items[i]``."""

    ids: list[int]
    items: list[Any]
    vectors: np.ndarray


@dataclass(frozen=True)
class _Ready:
    """One item after reading: what the model takes, or why there is nothing."""

    item: Any
    id: int = 0
    prepared: Any = None
    problem: str = ""


def _read(item: Any, encoder: Encoder) -> _Ready:
    try:
        content = encoder.content(item)
        if not isinstance(content, bytes | str):
            kind = type(item).__name__
            raise TypeError(f"encode_batches takes paths, bytes or strings, not {kind}")
        return _Ready(item, content_id(content), encoder.prepare(content))
    except BadItem as error:
        return _Ready(item, problem=str(error))
    except OSError as error:
        return _Ready(item, problem=error.strerror or str(error))


def _name(item: Any) -> str:
    return printable(item.name) if isinstance(item, Path) else f"{str(item)[:40]!r}"


def _batch(rows: list[tuple[int, Any, np.ndarray]]) -> Batch:
    ids, items, vectors = zip(*rows, strict=True)
    return Batch(list(ids), list(items), np.stack(vectors))


class EncodeBatches:
    """Iterates over ``Batch``es; see ``encode_batches``.

    Attributes:
        encoded: how many items have been encoded so far.
        skipped: ``(item, reason)`` of every item that could not be read.
        twins: items whose content is the same as that of an earlier one.
        seconds: how long reading and encoding took, without the time the caller spent.
    """

    def __init__(self, items: Iterable[Any], encoder: Encoder, unit: str, rows: int) -> None:
        self.encoded = 0
        self.skipped: list[tuple[Any, str]] = []
        self.twins: list[Any] = []
        self.seconds = 0.0
        self._items, self._encoder, self._unit = list(items), encoder, unit
        self._rows = max(1, rows // encoder.batch_size) * encoder.batch_size

    def __iter__(self) -> Iterator[Batch]:
        with progress_bar(len(self._items), f"Encoding {self._unit}s", self._unit) as bar:
            batches = self._batches(bar)
            while True:
                started = time.perf_counter()
                batch = next(batches, None)
                self.seconds += time.perf_counter() - started
                if batch is None:
                    return
                self.encoded += len(batch.ids)
                yield batch

    def _batches(self, bar: Any) -> Iterator[Batch]:
        rows: list[tuple[int, Any, np.ndarray]] = []
        for group in self._groups(bar):
            vectors = self._encoder.encode_prepared([ready.prepared for ready in group])
            for ready, vector in zip(group, vectors, strict=True):
                if np.isfinite(vector).all() and vector.any():
                    rows.append((ready.id, ready.item, vector))
                else:
                    self.skipped.append((ready.item, "its vector is zero or not finite"))
            bar.update(len(group))
            if len(rows) >= self._rows:
                yield _batch(rows)
                rows = []
        if rows:
            yield _batch(rows)

    def _groups(self, bar: Any) -> Iterator[list[_Ready]]:
        """Readable items in groups of the model's batch size, in the order given."""
        size = self._encoder.batch_size
        seen: set[int] = set()
        group: list[_Ready] = []
        for ready in self._read_ahead(4 * size):
            if ready.problem:
                self.skipped.append((ready.item, ready.problem))
            elif ready.id in seen:
                self.twins.append(ready.item)
            else:
                seen.add(ready.id)
                group.append(ready)
                if len(group) == size:
                    yield group
                    group = []
                continue
            bar.update(1)
        if group:
            yield group

    def _read_ahead(self, ahead: int) -> Iterator[_Ready]:
        """Read in threads, at most ``ahead`` items before they are needed, so memory stays flat."""
        waiting: deque[Future[_Ready]] = deque()
        pool = ThreadPoolExecutor(min(8, os.cpu_count() or 2))
        try:
            for item in self._items:
                waiting.append(pool.submit(_read, item, self._encoder))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def report(self) -> str:
        """What was done and what was left out, with names, in a few lines."""
        speed = self.encoded / self.seconds if self.seconds else 0
        lines = [f"{self.encoded} {self._unit}s encoded in {self.seconds:.1f} s ({speed:.0f}/s)"]
        if self.skipped:
            lines.append(f"{len(self.skipped)} skipped:")
            lines += [f"  {_name(item)}: {reason}" for item, reason in self.skipped[:_NAMED]]
            lines += [f"  and {len(self.skipped) - _NAMED} more"] * (len(self.skipped) > _NAMED)
        if self.twins:
            names = ", ".join(_name(item) for item in self.twins[:_NAMED])
            more = ", ..." if len(self.twins) > _NAMED else ""
            lines.append(f"{len(self.twins)} left out as copies of others: {names}{more}")
        return "\n".join(lines)


def encode_batches(
    items: Iterable[Any], encoder: Encoder, unit: str = "item", rows: int = 256
) -> EncodeBatches:
    """Encode many items, a batch at a time, skipping those that cannot be read.

    Args:
        items: paths, or whatever the encoder's ``prepare`` takes (bytes, strings).
        encoder: from ``helpers.encoders.load_encoder``.
        unit: what one item is called in the progress bar and the report, for example ``"photo"``.
        rows: about how many items to hand over at once.

    Returns:
        An object to loop over once: ``for ids, items, vectors in encode_batches(...)``. ``ids``
        are made from content (``content_id``), so the same item has the same id
        in every run. Vectors are float32, (n, dim), each of length 1. Afterwards ``report()``
        says what was done, ``skipped`` and ``twins`` what was left out.
    """
    return EncodeBatches(items, encoder, unit, rows)
