"""What is measured: engine, index, how it is built, and what is asked of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

ALL = 1000  # of a thousand rows, those that no filter leaves out
KEEPS = (500, 100, 10, 1)
BATCH = 100  # queries in one request, where they come in batches
_CLIENTS = (2, 4, 8, 16)
_GRAPH = {"M": 16, "efConstruction": 100}
_WIDE = "faiss HNSW", "Milvus Lite HNSW", "Milvus server HNSW"  # also measured with many clients


@dataclass(frozen=True)
class Load:
    """What an engine is asked for, again and again.

    Attributes:
        effort: search parameters; none for an exact search.
        batch: queries in one request.
        clients: threads that ask at the same time.
        keep: of a thousand rows, those that a filter keeps.
    """

    effort: dict[str, Any] = field(default_factory=dict)
    batch: int = 1
    clients: int = 1
    keep: int = ALL


@dataclass(frozen=True)
class Setup:
    """One index of one engine.

    Attributes:
        engine: a key of the notebook's ``ENGINES``.
        index: its kind.
        build: the parameters it is built with.
        efforts: the search parameters to try, from little effort to much. An exact search has only
            one, without parameters.
        wide: whether many clients, filters and writing are measured, too.
    """

    engine: str
    index: str
    build: dict[str, Any] = field(default_factory=dict)
    efforts: Sequence[dict[str, Any]] = ({},)
    wide: bool = False

    @property
    def name(self) -> str:
        """Engine and index, as in ``"faiss HNSW"``."""
        return f"{self.engine} {self.index}"

    @property
    def usual(self) -> dict[str, Any]:
        """The effort in the middle, with which all but recall is compared."""
        return self.efforts[len(self.efforts) // 2]

    def loads(self, can_filter: bool) -> list[Load]:
        """All that is measured: single queries and batches, then clients and filters.

        Args:
            can_filter: whether the engine can search under a filter.
        """
        batches = (1,) if self.engine == "sqlite-vec" else (1, BATCH)  # it takes one at a time
        loads = [Load(effort, batch) for effort in self.efforts for batch in batches]
        if self.wide:
            loads += [Load(self.usual, clients=clients) for clients in _CLIENTS]
        if self.wide and can_filter:
            loads += [Load(self.usual, keep=keep) for keep in KEEPS]
        return loads


def choose_setups(size: int, server: bool) -> list[Setup]:
    """The set-ups for a collection of ``size`` vectors.

    Args:
        size: how many vectors; the number of cells grows with its square root.
        server: whether there is a Milvus server to measure.
    """
    nlist = {"nlist": cells(size)}
    probes = tuple({"nprobe": n} for n in (2, 8, 32))
    graph = tuple({"ef": n} for n in (16, 32, 64, 128))
    chosen = [
        Setup("numpy", "exact"),
        Setup("faiss", "IVF_FLAT", nlist, probes),
        Setup("faiss", "HNSW", _GRAPH, graph),
        Setup("sqlite-vec", "exact"),
        Setup("LanceDB", "IVF_FLAT", nlist, probes),
    ]
    chosen += [Setup("Milvus Lite", "FLAT"), Setup("Milvus Lite", "HNSW", _GRAPH, graph)]
    chosen += [Setup("Milvus server", "HNSW", _GRAPH, graph)] if server else []
    return [replace(one, wide=one.name in _WIDE) for one in chosen]


def cells(size: int) -> int:
    """The cells (``nlist``) of an IVF index of ``size`` vectors: the power of two near √size."""
    return 2 ** round(math.log2(math.sqrt(size)))
