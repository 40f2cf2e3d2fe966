"""A real Milvus server: the same program gives the same results there as on Milvus Lite.

The server is Milvus 2.3.5 standalone, which a wheel on the package index carries; it needs no
Docker. It is old: that the same calls work on it and on today's Milvus Lite says much.

``test_server.py`` runs these tests, in a network of its own.
"""

import os
import re

import pytest
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from helpers.connect import capabilities, connect_milvus, engine_name, remove_store
from helpers.engines.lite import InvalidRequest
from helpers.engines.server import VERSION, running_server
from helpers.scenarios.benchmark.job import run_job
from helpers.scenarios.benchmark.setups import Setup
from tests.notebooks.subject import subject
from tests.scenarios.benchmark.benchmark_world import make_work, quick_measure
from tests.services_world import VECTORS, create, finished, index, make_rows, refusal


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a running Milvus server that wants a password."""
    security = {"common.security.authorizationEnabled": "true"}
    with running_server(tmp_path_factory.mktemp("milvus"), security) as address:
        yield address


@pytest.fixture(autouse=True)
def settings(server, monkeypatch, tmp_path):
    monkeypatch.setenv("BOOTCAMP_STORES", str(tmp_path / "stores"))
    monkeypatch.setenv("MILVUS_URI", server)
    monkeypatch.setenv("MILVUS_TOKEN", "root:Milvus")
    yield
    remove_store("test")


def test_one_line_says_what_is_connected_without_the_password(server, monkeypatch, capsys):
    address = server.removeprefix("http://")
    connect_milvus("test")
    monkeypatch.delenv("MILVUS_TOKEN")
    monkeypatch.setenv("MILVUS_URI", f"http://root:Milvus@{address}")
    client = connect_milvus("test")
    assert capsys.readouterr().out == 2 * f"Milvus {VERSION}-lite at {address}\n"
    assert engine_name(client) == f"Milvus {VERSION}-lite"


@pytest.mark.parametrize(
    ("token", "says"),
    [("root:wrong-secret", "does not accept MILVUS_TOKEN"), ("", "wants a token")],
)
def test_a_wrong_token_is_named_but_not_shown(token, says, monkeypatch):
    monkeypatch.setenv("MILVUS_TOKEN", token)
    sentence = refusal(connect_milvus, "test")
    assert says in sentence
    assert "secret" not in sentence
    assert re.fullmatch(r"Milvus at 127\.0\.0\.1:\d+ [^.]*\.", sentence)


def test_a_refusal_comes_without_a_log_of_it(server, monkeypatch):
    monkeypatch.setenv("MILVUS_URI", f"{server}/nowhere")
    code = (
        "from helpers.connect import *\n"
        "try:\n    connect_milvus('test')\n"
        "except ServiceError as error:\n    print(error)"
    )
    done = finished(code)
    assert "database not found" in done.stdout
    assert done.stderr == ""


def run_program(client):
    """What notebooks do: create, upsert twice, index, load, search, filter, delete."""
    create(client)
    rows = make_rows()
    client.upsert("photos", rows)
    client.upsert("photos", rows[:50])
    client.flush("photos")
    for _ in range(2):  # A learner runs a cell again.
        index(client)
    client.delete("photos", ids=[5])

    def search(**options):
        options = {"data": VECTORS[:5], "limit": 5, **options}
        found = client.search("photos", consistency_level="Strong", **options)
        return [[(hit["id"], round(hit["distance"], 4)) for hit in hits] for hits in found]

    return {
        "search": search(),
        "filter": search(filter="label == 'l1'"),
        "offset": search(offset=2),
        "range": search(search_params={"radius": 0.4}, limit=100),
        "range, parameters nested": search(search_params={"params": {"radius": 0.4}}, limit=100),
        "count": client.query("photos", output_fields=["count(*)"], consistency_level="Strong"),
        "rows": sorted(
            (row["id"], row["label"])
            for row in client.query("photos", "id in [1, 4, 5]", output_fields=["label"])
        ),
        "indexes": client.list_indexes("photos"),
    }


def test_the_same_program_gives_the_same_results_as_on_lite(monkeypatch):
    server = connect_milvus("test")
    try:
        there = run_program(server)
    finally:
        server.drop_collection("photos")
    monkeypatch.delenv("MILVUS_URI")
    here = run_program(connect_milvus("test"))
    assert there == here
    assert here["search"][0][0] == (0, 1.0)
    assert here["count"][0]["count(*)"] == 599


def test_a_server_finds_nothing_for_what_is_not_finite():
    """Milvus Lite finds all with a distance of NaN, so our client refuses such queries there."""
    client = connect_milvus("test")
    client.create_collection("photos", dimension=4, auto_id=False)
    client.insert("photos", [{"id": 1, "vector": [1.0] * 4}])
    client.flush("photos")
    assert client.search("photos", [[float("inf")] * 4, [float("nan")] * 4]) == [[], []]
    client.drop_collection("photos")


def test_what_our_client_refuses_on_lite_the_server_refuses(monkeypatch):
    def bad_requests(client):
        nan = {"id": 1, "vector": [float("nan")] * 4}
        yield lambda: client.upsert("photos", [{"id": 1, "vector": [1.0] * 3}])
        yield lambda: client.upsert("photos", nan)
        yield lambda: client.search("photos", [[1.0] * 5])
        yield lambda: client.search("photos", [[1.0] * 4], search_params={"metric_type": "L2"})
        yield lambda: client.search("photos", [[1.0] * 4], limit=16_385)
        yield lambda: client.query("photos")
        yield lambda: client.create_collection("bad-name", dimension=4)

    for uri in (os.environ["MILVUS_URI"], ""):
        monkeypatch.setenv("MILVUS_URI", uri)
        client = connect_milvus("test")
        assert (type(client) is MilvusClient) == bool(uri)
        client.create_collection("photos", dimension=4, auto_id=False)
        client.insert("photos", [{"id": 1, "vector": [1.0] * 4}])
        client.flush("photos")
        for call in bad_requests(client):
            with pytest.raises((MilvusException, InvalidRequest)):
                call()
        client.drop_collection("photos")


def test_the_server_has_other_capabilities_than_lite():
    client = connect_milvus("test")
    can = capabilities(client)
    assert (can.binary_vectors, can.full_text, can.multiple_vectors) == (True, False, False)
    assert can.index_types == ("IVF_PQ", "SCANN")
    assert client.list_collections() == []


def test_index_parameters_reach_the_server_as_they_are():
    client = connect_milvus("test")
    client.create_collection("photos", dimension=4)
    try:
        client.release_collection("photos")
        client.drop_index("photos", "vector")
        assert client.list_indexes("photos") == []
        indexes = client.prepare_index_params()
        indexes.add_index("vector", index_type="IVF_FLAT", metric_type="L2", params={"nlist": 7})
        client.create_index("photos", indexes)
        assert client.describe_index("photos", "vector")["nlist"] == "7"
    finally:
        client.drop_collection("photos")


def test_the_benchmark_measures_a_server_that_is_there(tmp_path):
    (tmp_path / "data").mkdir()
    graph = Setup("Milvus server", "HNSW", {"M": 8, "efConstruction": 50}, ({"ef": 200},))
    engine = subject("12_benchmark")["Milvus"]
    result = run_job(engine, quick_measure, graph, make_work(tmp_path), tmp_path / "data")
    assert result["points"][0]["recall"] > 0.95
    assert result["version"].startswith(VERSION)
    assert result["memory_mb"] is result["disk_mb"] is None, "those of another machine"
    left = connect_milvus("test").list_collections()
    assert not [name for name in left if "benchmark" in name]
