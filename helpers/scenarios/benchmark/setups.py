"""What is measured: engine, index, how it is built, and the range of its search parameters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_GRAPH = {"M": 16, "efConstruction": 100}


@dataclass(frozen=True)
class Setup:
    """One index of one engine.

    Attributes:
        engine: a key of ``helpers.scenarios.benchmark.engines.ENGINES``.
        index: its kind.
        build: the parameters it is built with.
        efforts: the search parameters to try, from little effort to much. An exact search has only
            one, without parameters.
    """

    engine: str
    index: str
    build: dict[str, Any] = field(default_factory=dict)
    efforts: Sequence[dict[str, Any]] = ({},)

    @property
    def name(self) -> str:
        """Engine and index, as in ``"faiss HNSW"``."""
        return f"{self.engine} {self.index}"


def choose_setups(size: int, server: bool) -> list[Setup]:
    """The set-ups for a collection of ``size`` vectors.

    Args:
        size: how many vectors; the number of cells grows with its square root.
        server: whether there is a Milvus server to measure.
    """
    nlist = {"nlist": cells(size)}
    probes = tuple({"nprobe": n} for n in (4, 16, 64))
    graph = tuple({"ef": n} for n in (100, 200, 400))  # at least as many as hits are asked for
    pq = nlist | {"sub_vectors": 16, "max_iterations": 10}
    refined = tuple(effort | {"refine": 4} for effort in probes)
    chosen = [
        Setup("numpy", "exact"),
        Setup("faiss", "FLAT"),
        Setup("faiss", "IVF_FLAT", nlist, probes),
        Setup("faiss", "HNSW", _GRAPH, graph),
        Setup("hnswlib", "HNSW", _GRAPH, graph),
        Setup("sqlite-vec", "exact"),
        Setup("LanceDB", "IVF_FLAT", nlist, probes),
        Setup("LanceDB", "IVF_PQ", pq, refined),
    ]
    milvus = ("FLAT", {}, ({},)), ("IVF_FLAT", nlist, probes), ("IVF_SQ8", nlist, probes)
    for index, build, efforts in (*milvus, ("HNSW", _GRAPH, graph)):
        chosen.append(Setup("Milvus Lite", index, build, efforts))
        if server:
            chosen.append(Setup("Milvus server", index, build, efforts))
    return chosen


def cells(size: int) -> int:
    """How many cells (``nlist``) an IVF index of ``size`` vectors gets: the power of two near 4√n.

    The rule of thumb is https://github.com/facebookresearch/faiss/wiki/Guidelines-to-choose-an-index
    """
    return 2 ** round(math.log2(4 * math.sqrt(size)))
