"""What the checked client evens out between Milvus Lite and a server, on a real Milvus Lite."""

import time

import numpy as np
import pytest
from pymilvus import AnnSearchRequest, DataType, RRFRanker
from pymilvus.exceptions import MilvusException

from helpers.connect import capabilities, connect_milvus
from helpers.engines import checks
from helpers.engines.lite import InvalidRequest
from tests.services_world import VECTORS, fill, index, refusal

pytest_plugins = ["tests.services_world"]
pytestmark = pytest.mark.usefixtures("stores")


def test_index_parameters_take_effect_on_lite(stores):
    import faiss

    client = connect_milvus("image_search")
    fill(client)
    index(client, "IVF_FLAT", nlist=7)
    (file,) = stores.rglob("*.ivf_flat.idx")
    assert faiss.read_index(str(file)).nlist == 7

    client.release_collection("photos")
    client.drop_index("photos", "vector")
    index(client, "HNSW", M=5, efConstruction=33)
    (file,) = stores.rglob("*.hnsw.idx")
    graph = faiss.read_index(str(file))
    assert (graph.hnsw.nb_neighbors(1), graph.hnsw.efConstruction) == (5, 33)


@pytest.mark.parametrize("nested", [False, True])
def test_search_parameters_take_effect(nested):
    client = connect_milvus("image_search")
    fill(client)
    index(client, "IVF_FLAT", nlist=15)
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    exact = np.argsort(-unit[:20] @ unit.T)[:, :10]

    def recall(nprobe):
        params = {"params": {"nprobe": nprobe}} if nested else {"nprobe": nprobe}
        hits = client.search("photos", VECTORS[:20], search_params=params)
        found = [{hit["id"] for hit in each} for each in hits]
        return np.mean([len(ids & set(e)) / 10 for ids, e in zip(found, exact, strict=True)])

    assert recall(15) == 1
    assert recall(1) < 0.9
    near = {"params": {"radius": 0.5}} if nested else {"radius": 0.5}
    hits = client.search("photos", VECTORS[:1], search_params=near, limit=600)[0]
    assert {hit["id"] for hit in hits} == set(np.flatnonzero(unit @ unit[0] > 0.5))


def test_creating_the_same_index_again_is_no_error():
    client = connect_milvus("image_search")
    fill(client)
    for _ in range(2):
        index(client, "IVF_FLAT", nlist=7)
    with pytest.raises(MilvusException):
        index(client, "IVF_FLAT", nlist=8)


def test_dropping_one_index_leaves_the_others():
    client = connect_milvus("image_search")
    fill(client)
    index(client)
    indexes = client.prepare_index_params()
    indexes.add_index("label", index_type="INVERTED")
    for _ in range(2):
        client.create_index("photos", indexes)
    client.release_collection("photos")
    client.drop_index("photos", "label")
    assert client.list_indexes("photos") == ["vector"]


def test_a_search_returns_ids_unless_more_is_asked():
    client = connect_milvus("image_search")
    fill(client)
    index(client)
    assert set(client.search("photos", VECTORS[:1])[0][0]["entity"]) <= {"id"}
    hit = client.search("photos", VECTORS[:1], output_fields=["label"])[0][0]
    assert hit["entity"] == {"label": "l0"}


def bad_vectors():
    short, nan, infinite, large = (list(VECTORS[:3].astype(float)) for _ in range(4))
    short[1] = short[1][:9]
    nan[1] = np.where(np.arange(16) == 3, np.nan, nan[1])
    infinite[1] = np.where(np.arange(16) == 3, -np.inf, infinite[1])
    large[1] = large[1] * 1e60
    return {"9 numbers": short, "NaN": nan, "infinity": infinite, "NaN or infinity": large}


@pytest.mark.parametrize("problem", bad_vectors())
def test_bad_vectors_never_reach_the_engine(problem):
    client = connect_milvus("image_search")
    fill(client)
    index(client)
    vectors = bad_vectors()[problem]
    rows = [{"id": 900 + n, "label": "a", "vector": vector} for n, vector in enumerate(vectors)]
    for call in (client.insert, client.upsert):
        sentence = refusal(call, "photos", rows, error=InvalidRequest)
        assert problem in sentence
        assert "row 1" in sentence
        assert "'vector'" in sentence
    for data in (vectors, [vector.tolist() for vector in vectors]):
        sentence = refusal(client.search, "photos", data, error=InvalidRequest)
        assert problem in sentence
        assert "query 1" in sentence
    request = AnnSearchRequest(vectors, "vector", {}, 5)
    sentence = refusal(client.hybrid_search, "photos", [request], RRFRanker(), error=InvalidRequest)
    assert problem in sentence
    assert client.query("photos", filter="id >= 900") == []


@pytest.mark.parametrize("vector", [[1.0] * 15 + ["x"], [None] * 16, [[1.0]] * 16, 3.0, "text"])
def test_what_is_no_vector_is_refused(vector):
    client = connect_milvus("image_search")
    fill(client)
    rows = [{"id": 1, "label": "a", "vector": vector}]
    refusal(client.upsert, "photos", rows, error=InvalidRequest)


def test_the_row_is_counted_in_the_batch_and_the_field_named():
    fields = [
        {"name": "first", "type": DataType.FLOAT_VECTOR, "params": {"dim": 2}},
        {"name": "second", "type": DataType.FLOAT_VECTOR, "params": {"dim": 3}},
    ]
    rows = [{"first": [1, 2]}, {"first": [1, 2], "second": None}, {"second": [1, 2]}]
    assert checks.rows_problem(rows, fields) == (
        "The vector of row 2 has 2 numbers, but field 'second' takes 3."
    )
    assert checks.rows_problem(rows[:2], fields) is None


def test_checks_take_a_small_part_of_an_insert():
    vectors = np.zeros((1000, 512), np.float32)
    rows = [{"vector": vector} for vector in vectors]
    fields = [{"name": "vector", "type": DataType.FLOAT_VECTOR, "params": {"dim": 512}}]
    start = time.perf_counter()
    assert checks.rows_problem(rows, fields) is None
    assert time.perf_counter() - start < 0.03  # Storing them takes 0.08 s or more.


def test_strings_are_counted_in_bytes():
    client = connect_milvus("image_search")
    fill(client)
    row = {"id": 1, "vector": VECTORS[0]}
    client.upsert("photos", [{**row, "label": "éééé"}, {**row, "label": "12345678"}])
    rows = [{**row, "label": "ok"}, {**row, "label": "ééééé"}]
    sentence = refusal(client.upsert, "photos", rows, error=InvalidRequest)
    assert "row 1" in sentence
    assert "10 bytes" in sentence


@pytest.mark.parametrize("name", ["bad-name", "1st", "", "a b", "é", "a" * 256])
def test_names_that_a_server_refuses_are_refused(name):
    client = connect_milvus("image_search")
    client.create_collection("photos", dimension=4)
    refusal(client.create_collection, name, dimension=4, error=InvalidRequest)
    refusal(client.rename_collection, "photos", name, error=InvalidRequest)
    refusal(client.create_alias, "photos", name, error=InvalidRequest)
    assert client.list_collections() == ["photos"]


def test_searches_that_a_server_refuses_are_refused():
    client = connect_milvus("image_search")
    fill(client)
    index(client)
    query = VECTORS[:1]
    for call in (
        lambda: client.search("photos", query, limit=16_385),
        lambda: client.search("photos", query, limit=100, offset=16_300),
        lambda: client.search("photos", query, "", 16_385),
        lambda: client.search("photos", query[0]),
        lambda: client.search("photos", query[0].tolist()),
        lambda: client.search("photos", query, search_params={"metric_type": "L2"}),
        lambda: client.query("photos"),
        lambda: client.query("photos", filter="id > 1", limit=16_385),
    ):
        refusal(call, error=InvalidRequest)
    assert len(client.search("photos", query, "id < 5", 10, ["label"])[0]) == 5
    assert client.search("photos", query, search_params={"metric_type": "COSINE"})
    assert client.query("photos", "id == 3", ["label"]) == [{"label": "l0", "id": 3}]
    assert client.query("photos", ids=[3], output_fields=["id"]) == [{"id": 3}]


def test_a_collection_made_anew_by_another_client_is_noticed():
    one, two = connect_milvus("image_search"), connect_milvus("image_search")
    fill(one)
    two.drop_collection("photos")
    two.create_collection("photos", dimension=4)
    one.upsert("photos", [{"id": 1, "vector": [1.0] * 4}])
    refusal(one.upsert, "photos", [{"id": 1, "vector": [1.0] * 16}], error=InvalidRequest)


def test_lite_tells_its_capabilities():
    client = connect_milvus("image_search")
    can = capabilities(client)
    assert (can.binary_vectors, can.full_text, can.multiple_vectors) == (False, True, True)
    assert can.sparse_vectors
    assert can.index_types == ("HNSW_SQ",)
    assert client.list_collections() == []
    start = time.monotonic()
    assert capabilities(client) is can
    assert time.monotonic() - start < 0.01
