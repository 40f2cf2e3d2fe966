"""What a Milvus server would refuse, found before a request is sent to any engine.

Every function returns what is wrong in one sentence, or None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from pymilvus import DataType

MAX_LIMIT = 16_384  # A server's bound on limit + offset.


def name_problem(name: str) -> str | None:
    """Check the name of a collection or an alias."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,254}", name):
        return None
    return (
        f"{name!r} cannot name a Milvus collection: use at most 255 letters, digits and '_', and "
        "begin with a letter or '_'."
    )


def limit_problem(limit: int, offset: int = 0) -> str | None:
    """Check how many results are asked for."""
    if limit + offset <= MAX_LIMIT:
        return None
    return (
        f"{limit + offset} results were asked for (limit and offset together), but Milvus returns "
        f"at most {MAX_LIMIT}: ask for fewer, or use an iterator."
    )


def rows_problem(rows: Sequence[dict], fields: Sequence[dict]) -> str | None:
    """Check the float vectors and strings of rows that are to be stored.

    Args:
        rows: one dict per row, as ``MilvusClient.insert`` takes them; a missing or None value is
            left to pymilvus.
        fields: the collection's fields as ``describe_collection`` lists them.
    """
    for field in fields:
        name, kind = field["name"], field["type"]
        if kind not in (DataType.FLOAT_VECTOR, DataType.VARCHAR):
            continue
        places = [place for place, row in enumerate(rows) if row.get(name) is not None]
        values = [rows[place][name] for place in places]
        if kind == DataType.FLOAT_VECTOR:
            problem = vectors_problem(values, name, field["params"]["dim"], "row", places)
        else:
            problem = _strings_problem(values, name, field["params"]["max_length"], places)
        if problem:
            return problem
    return None


def vectors_problem(
    vectors: Sequence[Any],
    field: str,
    dim: int,
    what: str = "query",
    places: Sequence[int] | None = None,
) -> str | None:
    """Check that all vectors have ``dim`` numbers, none of them NaN or infinite in float32.

    Args:
        vectors: lists or arrays of shape (dim,), or one array of shape (n, dim).
        field: the vector field they are meant for.
        dim: the dimension of that field.
        what: what a vector belongs to: ``"row"`` or ``"query"``.
        places: the number of each vector's row; 0, 1, ... without it.
    """
    if len(vectors) == 0:
        return None
    places = range(len(vectors)) if places is None else places
    for place, vector in zip(places, vectors, strict=True):
        found = vector.shape if isinstance(vector, np.ndarray) else (_length(vector),)
        if found != (dim,):
            got = f"{found[0]} numbers" if len(found) == 1 else f"an array of shape {found}"
            return f"The vector of {what} {place} has {got}, but field '{field}' takes {dim}."
    try:
        # As float32, which is what Milvus stores: a number too large for it becomes infinite.
        with np.errstate(over="ignore"):
            matrix = np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape != (len(vectors), dim):
        return f"Field '{field}' was given a vector that does not consist of numbers."
    finite = np.isfinite(matrix).all(axis=1)
    if finite.all():
        return None
    first = places[int(np.argmin(finite))]
    return (
        f"The vector of {what} {first} for field '{field}' holds NaN or infinity "
        f"({np.count_nonzero(~finite)} of {len(vectors)} vectors do): leave such vectors out."
    )


def _strings_problem(
    values: Sequence[str], field: str, max_bytes: int, places: Sequence[int]
) -> str | None:
    for place, value in zip(places, values, strict=True):
        # No character takes more than four bytes, so most strings need no encoding to be sure.
        if isinstance(value, str) and 4 * len(value) > max_bytes:
            size = len(value.encode())
            if size > max_bytes:
                return (
                    f"The text of row {place} for field '{field}' takes {size} bytes in UTF-8, but "
                    f"its max_length is {max_bytes}: shorten it, or create the collection with a "
                    "larger max_length."
                )
    return None


def _length(vector: Any) -> int:
    try:
        return len(vector)
    except TypeError:  # A bare number.
        return 1
