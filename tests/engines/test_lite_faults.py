"""What Milvus Lite gets wrong, fault by fault, and that our client puts it right.

Each first test of a pair is on plain pymilvus. When it fails, Milvus Lite has been mended, and what
mends it in ``helpers/engines/lite.py`` can go, with both tests.
"""

import numpy as np
import pytest
from pymilvus import AnnSearchRequest, DataType, Function, FunctionType, MilvusClient, RRFRanker
from pymilvus.exceptions import MilvusException

from helpers.connect import capabilities, connect_milvus
from helpers.engines.lite import InvalidRequest
from tests.services_world import VECTORS, fill, index, refusal

pytest_plugins = ["tests.services_world"]

QUERY = VECTORS[:1]


@pytest.fixture
def plain(tmp_path):
    """pymilvus' own client on Milvus Lite, with an indexed collection."""
    client = MilvusClient(str(tmp_path / "plain.db"))
    fill(client)
    index(client)
    yield client
    client.close()


@pytest.fixture
def ours(lite):
    """Our client on Milvus Lite, with an indexed collection."""
    fill(lite)
    index(lite)
    return lite


def built(folder, kind):
    """The one index file below a folder, read by faiss."""
    import faiss

    (file,) = folder.rglob(f"*.{kind}.idx")
    return faiss.read_index(str(file))


def rebuild(client, kind, **params):
    client.release_collection("photos")
    client.drop_index("photos", "vector")
    index(client, kind, **params)


def test_calls_that_only_explain_a_full_disk_do_not_count_as_put_right(ours):
    assert {"create_index", "insert", "search", "query"} <= set(ours.put_right)
    assert not {"delete", "flush", "drop_collection", "has_collection"} & set(ours.put_right)


# Parameters of an index


def test_lite_ignores_the_parameters_of_an_index(plain, tmp_path):
    rebuild(plain, "IVF_FLAT", nlist=7)
    assert built(tmp_path, "ivf_flat").nlist != 7


def test_parameters_of_an_index_take_effect(ours, lite_folder):
    rebuild(ours, "IVF_FLAT", nlist=7)
    assert built(lite_folder, "ivf_flat").nlist == 7
    rebuild(ours, "HNSW", M=5, efConstruction=33)
    graph = built(lite_folder, "hnsw")
    assert (graph.hnsw.nb_neighbors(1), graph.hnsw.efConstruction) == (5, 33)


@pytest.mark.parametrize("nested", [False, True])
def test_search_parameters_take_effect(ours, nested):
    rebuild(ours, "IVF_FLAT", nlist=15)
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    exact = np.argsort(-unit[:20] @ unit.T)[:, :10]

    def recall(nprobe):
        params = {"params": {"nprobe": nprobe}} if nested else {"nprobe": nprobe}
        hits = ours.search("photos", VECTORS[:20], search_params=params)
        found = [{hit["id"] for hit in each} for each in hits]
        return np.mean([len(ids & set(e)) / 10 for ids, e in zip(found, exact, strict=True)])

    assert recall(15) == 1
    assert recall(1) < 0.9
    near = {"params": {"radius": 0.5}} if nested else {"radius": 0.5}
    hits = ours.search("photos", QUERY, search_params=near, limit=600)[0]
    assert {hit["id"] for hit in hits} == set(np.flatnonzero(unit @ unit[0] > 0.5))


# The same index twice


def test_lite_refuses_an_index_that_is_there(plain):
    with pytest.raises(MilvusException, match="already exists"):
        index(plain)


def test_creating_the_same_index_again_is_no_error(ours):
    index(ours)
    with pytest.raises(MilvusException):
        index(ours, "IVF_FLAT", nlist=8)


# Dropping one index


def two_indexes(client):
    indexes = client.prepare_index_params()
    indexes.add_index("label", index_type="INVERTED")
    client.create_index("photos", indexes)
    client.release_collection("photos")
    client.drop_index("photos", "label")
    return client.list_indexes("photos")


def test_lite_drops_all_indexes_for_one(plain):
    assert two_indexes(plain) == []


def test_dropping_one_index_leaves_the_others(ours):
    assert two_indexes(ours) == ["vector"]


# What a search returns


def scores_of(client, query="cat"):
    """BM25 for a word that three of four texts hold, once, once and twice."""
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=90, enable_analyzer=True)
    schema.add_field("terms", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["terms"]))
    client.create_collection("texts", schema=schema)
    texts = ["a cat sat", "a cat and a dog sat down", "cat and cat sat", "a dog"]
    client.insert("texts", [{"id": i, "text": text} for i, text in enumerate(texts)])
    index = client.prepare_index_params()
    index.add_index("terms", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_index("texts", index)
    client.load_collection("texts")
    found = client.search("texts", data=[query], anns_field="terms", limit=4)[0]
    return [(hit["id"], hit["distance"]) for hit in found]


def test_lite_gives_scores_of_words_below_zero(plain):
    ids, scores = zip(*scores_of(plain), strict=True)
    assert ids == (2, 0, 1) and max(scores) < 0


def test_scores_of_words_fall_from_the_best(ours):
    ids, scores = zip(*scores_of(ours), strict=True)
    assert ids == (2, 0, 1) and list(scores) == sorted(scores, reverse=True) and min(scores) > 0


def test_lite_returns_every_field(plain):
    assert "vector" in plain.search("photos", QUERY)[0][0]["entity"]


def test_a_search_returns_ids_unless_more_is_asked(ours):
    assert set(ours.search("photos", QUERY)[0][0]["entity"]) <= {"id"}
    hit = ours.search("photos", QUERY, output_fields=["label"])[0][0]
    assert hit["entity"] == {"label": "l0"}
    request = AnnSearchRequest(QUERY, "vector", {}, 5)
    hit = ours.hybrid_search("photos", [request], RRFRanker())[0][0]
    assert set(hit["entity"]) <= {"id"}


# Numbers that are none


def not_finite():
    nan, infinite, large = (list(VECTORS[:3].astype(float)) for _ in range(3))
    nan[1] = np.where(np.arange(16) == 3, np.nan, nan[1])
    infinite[1] = np.where(np.arange(16) == 3, -np.inf, infinite[1])
    large[1] = large[1] * 1e60  # infinite as float32
    return {"nan": nan, "infinite": infinite, "large": large}


def rows_of(vectors):
    return [{"id": 900 + n, "label": "a", "vector": vector} for n, vector in enumerate(vectors)]


@pytest.mark.parametrize("kind", not_finite())
def test_lite_takes_what_is_not_finite(plain, kind):
    vectors = not_finite()[kind]
    assert plain.upsert("photos", rows_of(vectors))["upsert_count"] == 3
    assert len(plain.search("photos", vectors)) == 3


@pytest.mark.parametrize("kind", not_finite())
def test_what_is_not_finite_never_reaches_the_engine(ours, kind):
    vectors = not_finite()[kind]
    for call in (ours.insert, ours.upsert):
        sentence = refusal(call, "photos", rows_of(vectors), error=InvalidRequest)
        assert "field 'vector' of row 1 holds NaN or infinity (1 of 3" in sentence
    for data in (vectors, [vector.tolist() for vector in vectors]):
        assert "query 1 " in refusal(ours.search, "photos", data, error=InvalidRequest)
    request = AnnSearchRequest(vectors, "vector", {}, 5)
    refusal(ours.hybrid_search, "photos", [request], RRFRanker(), error=InvalidRequest)
    assert ours.query("photos", filter="id >= 900") == []


def test_a_row_is_counted_among_those_that_lack_a_vector(ours):
    rows = [{"id": 1, "label": "a"}, {"id": 2, "label": "a", "vector": [np.inf] * 16}]
    assert "of row 1 " in refusal(ours.upsert, "photos", rows, error=InvalidRequest)


@pytest.mark.parametrize("vector", [[1.0] * 15 + ["x"], [None] * 16, [[1.0]] * 16, 3.0, "text"])
def test_what_is_no_vector_is_refused(ours, vector):
    with pytest.raises((MilvusException, InvalidRequest)):
        ours.upsert("photos", [{"id": 1, "label": "a", "vector": vector}])


# Searches for nothing, and for one vector where a list belongs


@pytest.mark.parametrize("data", [[], VECTORS[:0], VECTORS[0], VECTORS[0].tolist()])
def test_pymilvus_has_no_sentence_for_queries_of_another_form(plain, data):
    with pytest.raises(MilvusException, match="out of (range|bounds)|is illegal"):
        plain.search("photos", data)


@pytest.mark.parametrize("data", [[], VECTORS[:0]])
def test_a_search_for_nothing_is_explained(ours, data):
    assert "at least one query" in refusal(ours.search, "photos", data, error=InvalidRequest)
    request = AnnSearchRequest(data, "vector", {}, 5)
    refusal(ours.hybrid_search, "photos", [request], RRFRanker(), error=InvalidRequest)


@pytest.mark.parametrize("data", [VECTORS[0], VECTORS[0].tolist()])
def test_one_vector_where_a_list_belongs_is_explained(ours, data):
    assert "data=[vector]" in refusal(ours.search, "photos", data, error=InvalidRequest)


def test_rows_and_requests_are_not_changed(ours):
    vector = VECTORS[1].astype("f8")
    rows = [{"id": 1, "label": "a", "vector": vector}]
    request = AnnSearchRequest([vector], "vector", {}, 3, filter="id >= 5")
    ours.upsert("photos", rows)
    (hits,) = ours.hybrid_search("photos", [request], RRFRanker())
    assert rows[0]["vector"] is vector and request.data[0] is vector
    assert [hit["id"] >= 5 for hit in hits] == [True] * 3, "the filter counts"


# Queries of another length


def test_lite_has_no_word_for_queries_of_another_length(plain):
    with pytest.raises(MilvusException) as caught:
        plain.search("photos", [[1.0] * 9])
    assert "field" not in caught.value.message and "dim " not in caught.value.message


def test_queries_of_another_length_are_explained(ours):
    sentence = refusal(ours.search, "photos", [VECTORS[0], VECTORS[0][:9]], error=InvalidRequest)
    assert "query 1 has 9 numbers, but field 'vector' takes 16" in sentence
    request = AnnSearchRequest([[1.0] * 9], "vector", {}, 5)
    refusal(ours.hybrid_search, "photos", [request], RRFRanker(), error=InvalidRequest)


# Texts in bytes


def test_lite_counts_characters(plain):
    plain.upsert("photos", [{"id": 1, "vector": VECTORS[0], "label": "ééééé"}])
    assert plain.query("photos", ids=[1], output_fields=["label"])[0]["label"] == "ééééé"


def test_a_text_that_is_no_utf_8_is_named(ours):
    rows = [{"id": 1, "vector": VECTORS[0], "label": "\udcff"}]
    sentence = refusal(ours.upsert, "photos", rows, error=InvalidRequest)
    assert "row 0 for field 'label' cannot be written in UTF-8 ('\\udcff')" in sentence


def test_texts_are_counted_in_bytes(ours):
    row = {"id": 1, "vector": VECTORS[0]}
    ours.upsert("photos", [{**row, "label": "éééé"}, {**row, "label": "12345678"}])
    rows = [{**row, "label": "ok"}, {**row, "label": "ééééé"}]
    sentence = refusal(ours.upsert, "photos", rows, error=InvalidRequest)
    assert "row 1" in sentence and "10 bytes" in sentence


# Names

BAD_NAMES = ["bad-name", "1st", "a b", "é"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_lite_takes_any_name(plain, name):
    plain.create_collection(name, dimension=4)
    plain.create_alias("photos", f"{name} too")
    plain.rename_collection("photos", f"{name}2")
    assert plain.list_collections() == sorted([name, f"{name}2"])


@pytest.mark.parametrize("name", [*BAD_NAMES, "", "a" * 256])
def test_names_that_a_server_refuses_are_refused(ours, name):
    refusal(ours.create_collection, name, dimension=4, error=InvalidRequest)
    refusal(ours.rename_collection, "photos", name, error=InvalidRequest)
    refusal(ours.create_alias, "photos", name, error=InvalidRequest)
    assert ours.list_collections() == ["photos"]
    assert ours.list_aliases("photos")["aliases"] == []


# How much is asked for

TOO_MUCH = {
    "limit": lambda client: client.search("photos", QUERY, limit=16_385),
    "limit and offset": lambda client: client.search("photos", QUERY, limit=100, offset=16_300),
    "every row": lambda client: client.query("photos"),
    "rows": lambda client: client.query("photos", filter="id > 1", limit=16_385),
}


@pytest.mark.parametrize("kind", TOO_MUCH)
def test_lite_returns_any_number(plain, kind):
    TOO_MUCH[kind](plain)


@pytest.mark.parametrize("kind", TOO_MUCH)
def test_more_than_a_server_returns_is_refused(ours, kind):
    refusal(TOO_MUCH[kind], ours, error=InvalidRequest)


def test_what_a_server_returns_is_returned(ours):
    assert len(ours.search("photos", QUERY, "id < 5", 10, ["label"])[0]) == 5
    assert ours.query("photos", "id == 3", ["label"]) == [{"label": "l0", "id": 3}]
    assert ours.query("photos", ids=[3], output_fields=["id"]) == [{"id": 3}]
    assert len(ours.query("photos", limit=7)) == 7


# Another metric than the index's


def test_lite_searches_by_any_metric(plain):
    assert plain.search("photos", QUERY, search_params={"metric_type": "L2"})[0]


def test_another_metric_is_refused(ours):
    call = lambda metric: ours.search("photos", QUERY, search_params={"metric_type": metric})  # noqa: E731
    assert "COSINE" in refusal(call, "L2", error=InvalidRequest)
    assert call("cosine")[0]


# And besides


def test_a_collection_made_anew_by_another_client_is_noticed(ours):
    other = connect_milvus("image_search")
    other.drop_collection("photos")
    other.create_collection("photos", dimension=4, primary_field_name="number")
    ours.upsert("photos", [{"number": 1, "vector": [1.0] * 4}])
    assert ours.search("photos", [[1.0] * 4])[0][0]["number"] == 1
    assert "takes 4" in refusal(ours.search, "photos", QUERY, error=InvalidRequest)


def test_a_collection_that_is_not_there_is_named(ours):
    with pytest.raises(MilvusException, match="nowhere"):
        ours.search("nowhere", QUERY)


def test_lite_tells_its_capabilities(ours):
    can = capabilities(ours)
    assert (can.binary_vectors, can.full_text, can.multiple_vectors) == (False, True, True)
    assert can.sparse_vectors
    assert can.index_types == ("HNSW_SQ",)
    assert ours.list_collections() == ["photos"]
    assert capabilities(ours) is can
