"""Indexes of faiss alone: what is measured, and what is wrong with a setting."""

import faiss
import numpy as np
import pytest

from helpers.errors import HelpfulError
from helpers.measure import exact_search
from helpers.scenarios.start_here.index_times import measure_alone


@pytest.fixture(scope="module")
def vectors():
    """3,000 unit vectors to search among, 20 to search for, and the truth."""
    drawn = np.random.default_rng(0).normal(size=(3020, 16)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn[20:], drawn[:20], exact_search(drawn[:20], drawn[20:], 10)


def test_every_index_is_measured_with_every_search(vectors):
    cells = [{"nprobe": 1}, {"nprobe": 8}]
    table = measure_alone(
        *vectors,
        {
            "FLAT": ({}, [{}]),
            "IVF_FLAT": ({"nlist": 8}, cells),
            "IVF_SQ8": ({"nlist": 8}, cells),
            "IVF_PQ": ({"nlist": 8, "m": 4, "nbits": 4}, cells),
            "SCANN": ({"nlist": 8}, [{**few, "reorder_k": 100} for few in cells]),
            "HNSW": ({"M": 8, "efConstruction": 40}, [{"ef": 10}, {"ef": 200}]),
        },
    )
    assert table["index"].tolist() == ["FLAT"] + [
        name for name in ("IVF_FLAT", "IVF_SQ8", "IVF_PQ", "SCANN", "HNSW") for _ in range(2)
    ]
    recall = table.groupby("index")["recall@10"]
    assert recall.max()["FLAT"] == recall.max()["IVF_FLAT"] == 1
    assert (recall.last() > recall.first()).drop("FLAT").all(), "a wider search finds more"
    assert (table["ms"] > 0).all() and (table["build s"] > 0).all()
    megabytes = table.groupby("index")["MB"].first()
    assert megabytes["IVF_PQ"] < megabytes["IVF_SQ8"] < megabytes["IVF_FLAT"] < megabytes["HNSW"]
    assert megabytes["FLAT"] == pytest.approx(3000 * 16 * 4 / 1e6, rel=0.01)


def test_more_candidates_make_scann_more_exact(vectors):
    searches = [{"nprobe": 8, "reorder_k": 10}, {"nprobe": 8, "reorder_k": 3000}]
    table = measure_alone(*vectors, {"SCANN": ({"nlist": 8}, searches)})
    assert table["recall@10"][0] < table["recall@10"][1] == 1


@pytest.mark.parametrize(
    ("name", "setting", "why"),
    [
        ("IVF_FLAT", ({}, [{"nprobe": 1}]), "nlist"),
        ("IVF_PQ", ({"nlist": 8, "m": 5, "nbits": 4}, [{"nprobe": 1}]), "d % M == 0"),
        ("HNSW", ({"M": 8}, [{"nprobe": 1}]), "nprobe"),
        ("ANNOY", ({}, [{}]), "ANNOY"),
    ],
)
def test_a_wrong_setting_is_named(vectors, name, setting, why):
    threads = faiss.omp_get_max_threads()
    with pytest.raises(HelpfulError, match=f"(?s)faiss cannot use .* for {name}: .*{why}"):
        measure_alone(*vectors, {name: setting})
    assert faiss.omp_get_max_threads() == threads
