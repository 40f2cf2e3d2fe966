"""A Milvus client that behaves alike on every engine.

Milvus Lite lets pass what a server refuses, and reads the parameters of an index from another
place. ``CheckedMilvusClient`` evens that out and is otherwise pymilvus' ``MilvusClient``.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from pymilvus import DataType, MilvusClient
from pymilvus.milvus_client.index import IndexParams

from helpers.engines import checks
from helpers.errors import HelpfulError


class InvalidRequest(HelpfulError):
    """What was asked of Milvus cannot be done; nothing was sent to the engine."""


class CheckedMilvusClient(MilvusClient):
    """pymilvus' client with two additions.

    On every engine, requests are checked before they are sent: the dimension of vectors, NaN and
    infinity, the length of strings, names, limits, the metric of a search.

    On Milvus Lite, index parameters are put where it reads them, creating the same index twice is
    no error, dropping one index leaves the others, and a search without ``output_fields`` returns
    ids only: all as on a server.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Connect as ``MilvusClient`` does, with the same arguments."""
        super().__init__(*args, **kwargs)
        self._on_lite = self.get_server_version().startswith("milvus_lite")
        self._fields: dict[str, list[dict]] = {}

    def create_collection(self, collection_name: str, *args: Any, **kwargs: Any) -> None:
        """Create a collection, if a server would take its name."""
        _refuse(checks.name_problem(collection_name))
        self._fields.clear()
        super().create_collection(collection_name, *args, **kwargs)

    def rename_collection(self, old_name: str, new_name: str, *args: Any, **kwargs: Any) -> None:
        """Rename a collection, if a server would take its new name."""
        _refuse(checks.name_problem(new_name))
        self._fields.clear()
        super().rename_collection(old_name, new_name, *args, **kwargs)

    def create_alias(self, collection_name: str, alias: str, *args: Any, **kwargs: Any) -> None:
        """Give a collection a second name, if a server would take it."""
        _refuse(checks.name_problem(alias))
        self._fields.clear()
        super().create_alias(collection_name, alias, *args, **kwargs)

    def alter_alias(self, *args: Any, **kwargs: Any) -> None:
        """Point an alias at another collection."""
        self._fields.clear()
        super().alter_alias(*args, **kwargs)

    def create_index(
        self, collection_name: str, index_params: IndexParams, *args: Any, **kwargs: Any
    ) -> None:
        """Create indexes whose parameters take effect on every engine."""
        if self._on_lite and isinstance(index_params, IndexParams) and index_params:
            index_params = self._for_lite(collection_name, index_params)
            if not index_params:
                return
        super().create_index(collection_name, index_params, *args, **kwargs)

    def drop_index(self, collection_name: str, index_name: str, *args: Any, **kwargs: Any) -> None:
        """Drop one index, and on every engine no other."""
        # Milvus Lite calls an index by its field's name when asked, but drops it by this name only;
        # by any other it drops all indexes.
        index_name = f"{index_name}_idx" if self._on_lite else index_name
        super().drop_index(collection_name, index_name, *args, **kwargs)

    def insert(self, collection_name: str, data: Any, *args: Any, **kwargs: Any) -> dict:
        """Insert rows, if their vectors and strings fit the collection."""
        self._check_rows(collection_name, data)
        return super().insert(collection_name, data, *args, **kwargs)

    def upsert(self, collection_name: str, data: Any, *args: Any, **kwargs: Any) -> dict:
        """Insert or replace rows, if their vectors and strings fit the collection."""
        self._check_rows(collection_name, data)
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
        """Search, if the queries fit the collection."""
        params = search_params or {}
        _refuse(checks.limit_problem(limit, kwargs.get("offset") or params.get("offset") or 0))
        self._check_queries(collection_name, data, kwargs.get("anns_field"), params)
        output_fields = self._outputs(collection_name, output_fields)
        return super().search(
            collection_name, data, filter, limit, output_fields, search_params, **kwargs
        )

    def hybrid_search(
        self,
        collection_name: str,
        reqs: list,
        ranker: Any,
        limit: int = 10,
        output_fields: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Search several vector fields at once, if the queries fit the collection."""
        _refuse(checks.limit_problem(limit, kwargs.get("offset") or 0))
        for request in reqs:
            _refuse(checks.limit_problem(request.limit))
            self._check_queries(
                collection_name, request.data, request.anns_field, request.param or {}
            )
        output_fields = self._outputs(collection_name, output_fields)
        return super().hybrid_search(collection_name, reqs, ranker, limit, output_fields, **kwargs)

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
                f"filter, or a limit of at most {checks.MAX_LIMIT}."
            )
        _refuse(checks.limit_problem(limit or 0, kwargs.get("offset") or 0))
        return super().query(collection_name, filter, output_fields, **kwargs)

    def _describe_fields(self, collection: str, fresh: bool = False) -> list[dict]:
        # Asked once per collection: asking takes as long as a server's search.
        if fresh or collection not in self._fields:
            self._fields[collection] = self.describe_collection(collection)["fields"]
        return self._fields[collection]

    def _check(self, collection: str, problem_in: Callable[[list[dict]], str | None]) -> None:
        if problem_in(self._describe_fields(collection)):
            # Another client may have made the collection anew: look again before refusing.
            _refuse(problem_in(self._describe_fields(collection, fresh=True)))

    def _check_rows(self, collection: str, data: Any) -> None:
        rows = [data] if isinstance(data, dict) else data
        # What is not a list of dicts, pymilvus refuses by itself.
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            self._check(collection, lambda fields: checks.rows_problem(rows, fields))

    def _check_queries(
        self, collection: str, data: Any, anns_field: str | None, params: dict
    ) -> None:
        if data is None or len(data) == 0 or isinstance(data[0], str | bytes | dict):
            return  # By id, text, binary or sparse vector: the engine checks those.
        if isinstance(data[0], int | float | np.number):
            raise InvalidRequest("A search takes a list of vectors: write data=[vector].")

        def problem_in(fields: list[dict]) -> str | None:
            field = _dense_field(fields, anns_field)
            return field and checks.vectors_problem(data, field["name"], field["params"]["dim"])

        self._check(collection, problem_in)
        if metric := params.get("metric_type"):
            self._check_metric(collection, anns_field, metric)

    def _check_metric(self, collection: str, anns_field: str | None, metric: str) -> None:
        field = _dense_field(self._describe_fields(collection), anns_field)
        index = self._find_index(collection, field["name"]) if field else None
        if index and index["metric_type"] != metric.upper():
            raise InvalidRequest(
                f"The search asks for metric {metric}, but the index on field '{field['name']}' "
                f"was built for {index['metric_type']}: leave metric_type out of the search."
            )

    def _find_index(self, collection: str, field: str) -> dict | None:
        indexes = [self.describe_index(collection, name) for name in self.list_indexes(collection)]
        return next((index for index in indexes if index["field_name"] == field), None)

    def _outputs(self, collection: str, output_fields: list[str] | None) -> list[str] | None:
        if output_fields or not self._on_lite:
            return output_fields
        # Milvus Lite would send along every field of every hit, vectors included.
        return [field["name"] for field in self._describe_fields(collection) if _is_id(field)]

    def _for_lite(self, collection: str, index_params: IndexParams) -> IndexParams:
        """Nest index parameters one level deeper, and leave out indexes that are there already."""
        nested = IndexParams()
        for index in index_params:
            own = dict(index.get_index_configs())
            kind, metric = own.pop("index_type", ""), own.pop("metric_type", None)
            own = own.get("params", own)
            there = self._find_index(collection, index.field_name)
            if there and _is_same(there, kind, metric, own):
                continue
            nested.add_index(
                index.field_name, kind, index.index_name, metric_type=metric, params={"params": own}
            )
        return nested


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


def _refuse(problem: str | None) -> None:
    if problem:
        raise InvalidRequest(problem)


def _dense_field(fields: list[dict], anns_field: str | None) -> dict | None:
    """Find the float vector field that a search means; None if that is not plain."""
    dense = [field for field in fields if field["type"] == DataType.FLOAT_VECTOR]
    meant = [field for field in dense if not anns_field or field["name"] == anns_field]
    return meant[0] if len(meant) == 1 else None


def _is_id(field: dict) -> bool:
    return bool(field.get("is_primary"))


def _is_same(index: dict, kind: str, metric: str | None, params: dict) -> bool:
    metrics = (metric or "NONE").upper()  # Milvus Lite's word for an index on numbers or strings.
    found = (index["index_type"], index.get("metric_type", "NONE"), index.get("params", {}))
    return found == (kind.upper(), metrics, params)
