"""faiss' indexes by the names and parameters that Milvus gives them."""

from collections.abc import Mapping

import faiss

# https://github.com/facebookresearch/faiss/wiki/The-index-factory
_RECIPES = {
    "FLAT": "Flat",
    "IVF_FLAT": "IVF{nlist},Flat",
    "IVF_SQ8": "IVF{nlist},SQ8",
    "IVF_PQ": "IVF{nlist},PQ{m}x{nbits}np",  # np: without ordering the codes, which takes long
    "SCANN": "IVF{nlist},PQ{half}x4fs,RFlat",  # four bits for every two numbers, as in Milvus
    "HNSW": "HNSW{M},Flat",
}


def new_index(name: str, dim: int, build: Mapping[str, int]) -> faiss.Index:
    """An empty index that compares by inner product.

    Args:
        name: FLAT, IVF_FLAT, IVF_SQ8, IVF_PQ, SCANN or HNSW.
        dim: the dimension of the vectors.
        build: the parameters it is built with, named as in Milvus.

    Raises:
        KeyError: the name is none of these, or a parameter is missing.
        RuntimeError: faiss cannot use a parameter.
    """
    recipe = _RECIPES[name].format(**build, half=dim // 2)
    index = faiss.index_factory(dim, recipe, faiss.METRIC_INNER_PRODUCT)
    if "efConstruction" in build:
        index.hnsw.efConstruction = build["efConstruction"]
    return index


def set_search(index: faiss.Index, params: Mapping[str, int]) -> None:
    """Set how an index searches from now on.

    Args:
        index: from ``new_index``.
        params: search parameters, named as in Milvus; ``reorder_k`` is for ten neighbours.

    Raises:
        RuntimeError: the index has no such parameter.
    """
    for name, value in params.items():
        if name == "reorder_k":  # faiss takes it as a multiple of the ten wanted
            name, value = "k_factor_rf", value / 10
        name = "efSearch" if name == "ef" else name
        faiss.ParameterSpace().set_index_parameter(index, name, value)
