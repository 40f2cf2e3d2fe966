"""pymilvus' client on Milvus Lite, with what Milvus Lite 3.2.2 gets wrong put right.

On a server there is nothing in between: there the notebooks use ``pymilvus.MilvusClient`` itself.
``tests/engines/test_lite_faults.py`` shows each fault on plain pymilvus. When one of its tests
fails, Milvus Lite has been mended there, and what mends it here can go.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pymilvus import AnnSearchRequest, DataType, MilvusClient
from pymilvus.exceptions import MilvusException
from pymilvus.milvus_client.index import IndexParams

from helpers.engines import keeper
from helpers.errors import HelpfulError, ServiceError
from helpers.paths import shown

# Milvus Lite would send along every field of every hit, vectors included. Asked for one field, be
# it there or not, it sends no other.
_IDS = ["id"]
MAX_LIMIT = 16_384  # A server's bound on limit + offset.


class InvalidRequest(HelpfulError):
    """A server would not do what was asked; nothing was sent to Milvus Lite, which would."""


class LiteClient(MilvusClient):
    """pymilvus' client for Milvus Lite.

    Index parameters take effect, creating the same index twice is no error, dropping one index
    leaves the others, a search without ``output_fields`` returns ids only, and BM25's scores are
    positive: all as on a server.

    As a server does, it refuses rows with NaN or infinity, vectors of another length than their
    field's, texts longer than their field in bytes, names with other characters, more results than
    16,384, a query for every row, and another metric than the index's. It also refuses queries with
    NaN or infinity, for which a server finds nothing and Milvus Lite everything.

    Vectors may be arrays of any numbers; pymilvus alone takes float32 and float64 of this
    computer's byte order.

    Attributes:
        put_right: the names of the calls that differ from pymilvus' own.
    """

    put_right: ClassVar[list[str]]

    def __init__(self, store: Path, uri: str, **kwargs: Any) -> None:
        """Connect to a store.

        Args:
            store: its folder.
            uri: the address at which its keeper serves it, or the folder's path again to open it
                in this process.
            **kwargs: what ``MilvusClient`` takes besides.
        """
        self._store, self._is_kept = store, uri != str(store)
        super().__init__(uri, **kwargs)

    def _get_connection(self) -> Any:
        # pymilvus would try for minutes to reach a keeper that was killed.
        if self._is_kept and not keeper.is_kept(self._store):
            raise ServiceError(
                f"Milvus Lite of the store {shown(self._store.parent)} has ended: run the cell "
                "that connects to it again."
            )
        return super()._get_connection()

    def create_collection(self, collection_name: str, *args: Any, **kwargs: Any) -> None:
        """Create a collection, if a server would take its name."""
        _check_name(collection_name)
        super().create_collection(collection_name, *args, **kwargs)

    def rename_collection(self, old_name: str, new_name: str, *args: Any, **kwargs: Any) -> None:
        """Rename a collection, if a server would take its new name."""
        _check_name(new_name)
        super().rename_collection(old_name, new_name, *args, **kwargs)

    def create_alias(self, collection_name: str, alias: str, *args: Any, **kwargs: Any) -> None:
        """Give a collection a second name, if a server would take it."""
        _check_name(alias)
        super().create_alias(collection_name, alias, *args, **kwargs)

    def create_index(
        self, collection_name: str, index_params: IndexParams, *args: Any, **kwargs: Any
    ) -> None:
        """Create indexes whose parameters take effect; those that are there already stay."""
        nested = IndexParams()
        for index in index_params:
            own = dict(index.get_index_configs())
            kind, metric = own.pop("index_type", ""), own.pop("metric_type", None)
            own = own.get("params", own)
            there = self._find_index(collection_name, index.field_name)
            if there and _is_same(there, kind, metric, own):
                continue
            # Milvus Lite reads the parameters one level deeper than a server.
            nested.add_index(
                index.field_name, kind, index.index_name, metric_type=metric, params={"params": own}
            )
        if nested or not index_params:
            super().create_index(collection_name, nested, *args, **kwargs)

    def drop_index(self, collection_name: str, index_name: str, *args: Any, **kwargs: Any) -> None:
        """Drop one index and no other."""
        # Milvus Lite calls an index by its field's name when asked, but drops it by this name only;
        # by any other it drops all indexes.
        super().drop_index(collection_name, f"{index_name}_idx", *args, **kwargs)

    def insert(self, collection_name: str, data: Any, *args: Any, **kwargs: Any) -> dict:
        """Insert rows, if their vectors and texts are such as a server takes."""
        data = self._checked_rows(collection_name, data)
        return super().insert(collection_name, data, *args, **kwargs)

    def upsert(self, collection_name: str, data: Any, *args: Any, **kwargs: Any) -> dict:
        """Insert or replace rows, if their vectors and texts are such as a server takes."""
        data = self._checked_rows(collection_name, data)
        return super().upsert(collection_name, data, *args, **kwargs)

    def search(
        self,
        collection_name: str,
        data: Any = None,
        filter: str = "",
        limit: int = 10,
        output_fields: list[str] | None = None,
        search_params: dict | None = None,
        **kwargs: Any,
    ) -> Any:
        """Search, if a server would; without ``output_fields`` for ids only."""
        params = search_params or {}
        _check_limit(limit, kwargs.get("offset") or params.get("offset") or 0)
        data = _checked_queries(data)
        if metric := params.get("metric_type"):
            self._check_metric(collection_name, kwargs.get("anns_field"), metric)
        outputs = output_fields or _IDS
        with self._explained(collection_name, [(kwargs.get("anns_field"), data)]):
            found = super().search(
                collection_name, data, filter, limit, outputs, search_params, **kwargs
            )
        if len(data) and isinstance(data[0], str):  # only BM25 takes texts
            for hit in itertools.chain.from_iterable(found):
                hit["distance"] = -hit["distance"]
        return found

    def hybrid_search(
        self,
        collection_name: str,
        reqs: list,
        ranker: Any,
        limit: int = 10,
        output_fields: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Search several vector fields at once, if a server would."""
        _check_limit(limit, kwargs.get("offset") or 0)
        reqs = [_checked_request(request) for request in reqs]
        outputs = output_fields or _IDS
        asked = [(request.anns_field, request.data) for request in reqs]
        with self._explained(collection_name, asked):
            return super().hybrid_search(collection_name, reqs, ranker, limit, outputs, **kwargs)

    def query(
        self,
        collection_name: str,
        filter: str = "",
        output_fields: list[str] | None = None,
        **kwargs: Any,
    ) -> list[dict]:
        """Fetch rows by filter or ids; with neither there must be a limit, as on a server."""
        limit = kwargs.get("limit")
        counts = output_fields == ["count(*)"]
        if limit is None and not (filter or counts or kwargs.get("ids") is not None):
            raise InvalidRequest(
                f"A query of '{collection_name}' without a filter asks for every row: give it a "
                f"filter, or a limit of at most {MAX_LIMIT}."
            )
        _check_limit(limit or 0, kwargs.get("offset") or 0)
        return super().query(collection_name, filter, output_fields, **kwargs)

    def _checked_rows(self, collection: str, data: Any) -> Any:
        """The rows with their vectors as float32, if a server would take them."""
        rows = [data] if isinstance(data, dict) else data
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return data  # pymilvus refuses that by itself.
        rows = [dict(row) for row in rows]
        for field in self.describe_collection(collection)["fields"]:
            name, kind = field["name"], field["type"]
            places = [place for place, row in enumerate(rows) if name in row]
            values = [rows[place][name] for place in places]
            if kind == DataType.FLOAT_VECTOR:
                what = [f"field '{name}' of row {place}" for place in places]
                values = _checked_vectors(values, what)
                _check_lengths(values, what, field)
                for place, vector in zip(places, values, strict=True):
                    rows[place][name] = vector
            elif kind == DataType.VARCHAR:
                _check_bytes(values, name, field["params"]["max_length"], places)
        return rows

    def _check_metric(self, collection: str, anns_field: str | None, metric: str) -> None:
        field = _dense_field(self.describe_collection(collection)["fields"], anns_field)
        index = self._find_index(collection, field["name"]) if field else None
        if index and index["metric_type"] != metric.upper():
            raise InvalidRequest(
                f"The search asks for metric {metric}, but the index on field '{field['name']}' "
                f"was built for {index['metric_type']}: leave metric_type out of the search."
            )

    def _find_index(self, collection: str, field: str) -> dict | None:
        indexes = [self.describe_index(collection, name) for name in self.list_indexes(collection)]
        return next((index for index in indexes if index["field_name"] == field), None)

    @contextlib.contextmanager
    def _explained(
        self, collection: str, asked: Sequence[tuple[str | None, Any]]
    ) -> Iterator[None]:
        """Say what is wrong with queries of another length, which Milvus Lite fails without a word.

        Args:
            collection: the collection searched.
            asked: the field and the queries of each search in it.
        """
        try:
            yield
        except MilvusException:
            if self.has_collection(collection):
                fields = self.describe_collection(collection)["fields"]
                for anns_field, queries in asked:
                    field = _dense_field(fields, anns_field)
                    if field and all(isinstance(query, np.ndarray) for query in queries):
                        _check_lengths(queries, _queries(queries), field)
            raise


# Before others are wrapped, only to explain a full disk.
LiteClient.put_right = [name for name in vars(LiteClient) if not name.startswith("_")]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep pymilvus and Milvus Lite from logging errors that the caller handles."""
    loggers = [logging.getLogger("pymilvus"), logging.getLogger("milvus_lite")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _on_a_full_disk(write: Callable[..., Any]) -> Callable[..., Any]:
    """Say in a sentence that the disk is full."""

    @functools.wraps(write)
    def explained(self: LiteClient, *args: Any, **kwargs: Any) -> Any:
        try:
            return write(self, *args, **kwargs)
        except MilvusException as error:
            if "No space left" not in str(error):
                raise
            raise ServiceError(
                f"The disk of the store {shown(self._store.parent)} is full, so that nothing was "
                "stored or changed: make room and run this cell again."
            ) from None

    return explained


# pymilvus writes every error to the log, too, with the calls that led to it.
logging.getLogger("pymilvus.decorators").addFilter(lambda r: "No space left" not in r.getMessage())
for _name in (
    *("create_alias", "create_collection", "create_index", "create_partition", "delete"),
    *("drop_collection", "drop_index", "flush", "insert", "rename_collection", "upsert"),
):
    setattr(LiteClient, _name, _on_a_full_disk(getattr(LiteClient, _name)))


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,254}", name):
        raise InvalidRequest(
            f"{name!r} cannot name a Milvus collection: use at most 255 letters, digits and '_', "
            "and begin with a letter or '_'."
        )


def _check_limit(limit: int, offset: int = 0) -> None:
    if limit + offset > MAX_LIMIT:
        raise InvalidRequest(
            f"{limit + offset} results were asked for (limit and offset together), but Milvus "
            f"returns at most {MAX_LIMIT}: ask for fewer, or use an iterator."
        )


def _checked_queries(data: Any) -> Any:
    """Dense query vectors as float32; other queries, such as texts, are left to pymilvus."""
    if not isinstance(data, list | np.ndarray):
        return data
    if not len(data):
        raise InvalidRequest("There is nothing to search for: give at least one query vector.")
    if np.isscalar(data[0]) and not isinstance(data[0], str):
        raise InvalidRequest(
            "A search takes a list of vectors, but one vector was given: write data=[vector]."
        )
    if not all(isinstance(query, list | tuple | np.ndarray) for query in data):
        return data
    return _checked_vectors(data, _queries(data))


def _checked_request(request: AnnSearchRequest) -> AnnSearchRequest:
    _check_limit(request.limit)
    data, field, params = _checked_queries(request.data), request.anns_field, request.param
    options = {"expr": request.expr, "expr_params": request.expr_params}
    return AnnSearchRequest(data, field, params, request.limit, **options)


def _queries(data: Sequence) -> list[str]:
    return [f"query {place}" for place in range(len(data))]


def _checked_vectors(vectors: Sequence, what: Sequence[str]) -> list[np.ndarray]:
    """Each vector as float32, (dim,).

    NaN and infinity are refused, also of numbers that float32, which Milvus stores, is too small
    for.
    """
    arrays = []
    for vector, name in zip(vectors, what, strict=True):
        try:
            array = np.asarray(vector)
        except ValueError:  # lists of different lengths in a list
            array = np.empty(len(vector), object)
        if array.dtype.kind not in "fiub" or array.ndim != 1:
            raise InvalidRequest(
                f"The vector of {name} is not a list of numbers (it has the type {array.dtype} and "
                f"the shape {array.shape}): make it one."
            )
        with np.errstate(over="ignore"):
            arrays.append(array.astype(np.float32, copy=False))
    bad = [name for name, array in zip(what, arrays, strict=True) if not np.isfinite(array).all()]
    if bad:
        raise InvalidRequest(
            f"The vector of {bad[0]} holds NaN or infinity ({len(bad)} of {len(arrays)} vectors "
            "do): leave such vectors out."
        )
    return arrays


def _check_lengths(vectors: Sequence[np.ndarray], what: Sequence[str], field: dict) -> None:
    dim = field["params"]["dim"]
    for vector, name in zip(vectors, what, strict=True):
        if len(vector) != dim:
            raise InvalidRequest(
                f"The vector of {name} has {len(vector)} numbers, but field '{field['name']}' "
                f"takes {dim}."
            ) from None


def _check_bytes(values: Sequence[str], field: str, most: int, places: Sequence[int]) -> None:
    for place, value in zip(places, values, strict=True):
        try:
            size = len(value.encode()) if isinstance(value, str) else 0
        except UnicodeEncodeError:
            raise InvalidRequest(
                f"The text of row {place} for field '{field}' cannot be written in UTF-8 "
                f"({value[:50]!r}): leave out what is no character."
            ) from None
        if size > most:
            raise InvalidRequest(
                f"The text of row {place} for field '{field}' takes {size} bytes in UTF-8, but its "
                f"max_length is {most}: shorten it, or create the collection with a larger "
                "max_length."
            )


def _dense_field(fields: list[dict], anns_field: str | None) -> dict | None:
    """Find the float vector field that a search means; None if that is not plain."""
    dense = [field for field in fields if field["type"] == DataType.FLOAT_VECTOR]
    meant = [field for field in dense if not anns_field or field["name"] == anns_field]
    return meant[0] if len(meant) == 1 else None


def _is_same(index: dict, kind: str, metric: str | None, params: dict) -> bool:
    metrics = (metric or "NONE").upper()  # Milvus Lite's word for an index on numbers or strings.
    found = (index["index_type"], index.get("metric_type", "NONE"), index.get("params", {}))
    return found == (kind.upper(), metrics, params)
