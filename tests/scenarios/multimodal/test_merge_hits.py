"""Merging by hand gives what Milvus' hybrid search gives."""

import numpy as np
import pytest
from pymilvus import AnnSearchRequest, DataType, RRFRanker, WeightedRanker

from helpers.connect import connect_milvus
from helpers.scenarios.multimodal.joint import merge_hits

pytest_plugins = ["tests.services_world"]


def hits(*pairs):
    return [{"id": id_, "distance": distance} for id_, distance in pairs]


def test_weighted_adds_similarities():
    one, other = hits((1, 0.8), (2, 0.6)), hits((2, 0.4), (3, -1.0))
    (merged,) = merge_hits([[one], [other]], (0.25, 0.75))
    assert [hit["id"] for hit in merged] == [2, 1, 3]
    sums = [0.25 * 0.8 + 0.75 * 0.7, 0.25 * 0.9, 0]
    assert [hit["distance"] for hit in merged] == pytest.approx(sums)


def test_rrf_adds_places():
    one, other = hits((1, 0.9), (2, 0.1)), hits((3, 0.9), (2, 0.8))
    (merged,) = merge_hits([[one], [other]])
    assert merged[0] == {"id": 2, "distance": pytest.approx(2 / 62)}
    assert {hit["id"] for hit in merged[1:]} == {1, 3}


def test_every_query_is_merged_by_itself_and_cut():
    one = [hits((1, 0.9), (2, 0.8)), hits((3, 0.7))]
    other = [hits((2, 0.9)), []]
    merged = merge_hits([one, other], (0.5, 0.5), limit=1)
    assert [[hit["id"] for hit in row] for row in merged] == [[2], [3]]
    assert merge_hits([[], []]) == []


def test_what_does_not_fit_together_is_refused():
    one = [hits((1, 0.5))]
    with pytest.raises(ValueError, match=r"searches of \[0, 1\] queries .* do not fit together"):
        merge_hits([one, []])
    with pytest.raises(ValueError, match="2 searches .* 1 weights do not fit together"):
        merge_hits([one, one], (1.0,))
    with pytest.raises(ValueError, match="0 searches .* 1 weights do not fit together"):
        merge_hits([], (1.0,))


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.9, 0.1), None])
def test_as_milvus_does(stores, weights):
    drawn = np.random.default_rng(0).normal(size=(2, 80, 16)).astype(np.float32)
    milvus = connect_milvus("fusion")
    schema = milvus.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    index = milvus.prepare_index_params()
    for field in "ab":
        schema.add_field(field, DataType.FLOAT_VECTOR, dim=16)
        index.add_index(field, index_type="FLAT", metric_type="COSINE")
    milvus.create_collection("both", schema=schema)
    rows = [{"id": i, "a": a, "b": b} for i, (a, b) in enumerate(zip(*drawn, strict=True))]
    milvus.upsert("both", rows)
    milvus.flush("both")
    milvus.create_index("both", index)
    milvus.load_collection("both")
    queries = list(drawn[0, :5] + drawn[1, 5:10])
    asked = [AnnSearchRequest(queries, field, {}, limit=80) for field in "ab"]
    ranker = WeightedRanker(*weights) if weights else RRFRanker(60)
    expected = milvus.hybrid_search("both", asked, ranker, limit=10)
    lists = [milvus.search("both", data=queries, anns_field=f, limit=80) for f in "ab"]
    for ours, theirs in zip(merge_hits(lists, weights), expected, strict=True):
        sums = [hit["distance"] for hit in theirs]
        assert [hit["distance"] for hit in ours] == pytest.approx(sums, abs=1e-5)
        if weights:  # RRF has ties, which may stand in any order
            assert [hit["id"] for hit in ours] == [hit["id"] for hit in theirs]
