"""A real Milvus server that speaks TLS. ``test_server.py`` runs this in a network of its own."""

import pytest

from helpers.connect import connect_milvus
from helpers.engines.server import running_server
from tests.services_world import refusal
from tests.test_tls import certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"), "ours")


@pytest.fixture(scope="module")
def server(tmp_path_factory, authority):
    """The address of a running Milvus server that speaks TLS alone."""
    settings = {
        "common.security.tlsMode": "1",
        "tls.serverPemPath": str(authority[0]),
        "tls.serverKeyPath": str(authority[1]),
    }
    with running_server(tmp_path_factory.mktemp("milvus"), settings) as address:
        yield address.replace("http:", "https:")


def test_milvus_over_tls(server, authority, monkeypatch):
    monkeypatch.setenv("MILVUS_URI", server)
    assert "is not trusted" in refusal(connect_milvus, "test")
    monkeypatch.setenv("MILVUS_CA", str(authority[0]))
    client = connect_milvus("test")
    client.create_database("mine")
    client.close()
    monkeypatch.setenv("MILVUS_URI", f"{server}/mine")
    client = connect_milvus("test")
    client.create_collection("photos", dimension=4)
    assert client.list_collections() == ["photos"]
    monkeypatch.setenv("MILVUS_URI", server)
    assert connect_milvus("test").list_collections() == []
    monkeypatch.setenv("MILVUS_URI", f"{server}/none")
    assert "refuses" in refusal(connect_milvus, "test")
