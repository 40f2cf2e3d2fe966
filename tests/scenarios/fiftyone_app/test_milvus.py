"""FiftyOne's connections and the Milvus of a notebook."""

import json

import pytest
from pymilvus import connections, utility

from helpers.connect import connect_milvus
from helpers.scenarios.fiftyone_app.setup import milvus_settings, run_python
from tests.services_world import finished
from tests.test_tls import certificate, tls_before

pytest_plugins = ["tests.services_world"]
pytestmark = pytest.mark.usefixtures("stores")


def test_another_process_reaches_the_milvus_lite_of_this_one(stores):
    milvus = connect_milvus("fiftyone")
    milvus.create_collection("photos", dimension=4)
    settings = milvus_settings("fiftyone")
    assert list(settings) == ["uri"] and settings["uri"].startswith("unix:/")
    code = "import json, os; from pymilvus import MilvusClient\n"
    code += "print(json.dumps(MilvusClient(os.environ['WHERE']).list_collections()))"
    assert json.loads(run_python(code, {"WHERE": settings["uri"]})) == ["photos"]


def test_a_server_and_its_token_are_passed_on(monkeypatch):
    monkeypatch.delenv("MILVUS_CA", raising=False)
    monkeypatch.setenv("MILVUS_URI", "http://milvus:19530")
    assert milvus_settings("fiftyone") == {"uri": "http://milvus:19530"}
    monkeypatch.setenv("MILVUS_TOKEN", "me:secret")
    assert milvus_settings("fiftyone") == {"uri": "http://milvus:19530", "token": "me:secret"}


def test_an_encrypted_connection_is_made_with_what_fiftyone_gets(tmp_path, monkeypatch):
    connect_milvus("fiftyone")
    ours = certificate(tmp_path, "ours")
    path = milvus_settings("fiftyone")["uri"].removeprefix("unix:")
    with tls_before(path, ours) as port:
        monkeypatch.setenv("MILVUS_URI", f"https://localhost:{port}")
        monkeypatch.setenv("MILVUS_CA", str(ours[0]))
        # As its back end does, which passes on what it gets.
        connections.connect("theirs", **milvus_settings("fiftyone"))
        assert utility.list_collections(using="theirs") == []
        connections.disconnect("theirs")


def test_only_the_warnings_of_the_back_end_are_silenced():
    code = """
import types, warnings
from helpers.scenarios.fiftyone_app.setup import prepare_fiftyone
prepare_fiftyone("fiftyone")
for name in ("fiftyone.brain.internal.core.milvus", "mine"):
    text = f"`Collection.load` of {name} is an ORM-style PyMilvus API"
    warnings.warn_explicit(text, FutureWarning, "file.py", 1, module=name)
warnings.warn_explicit("else", FutureWarning, "file.py", 1, "fiftyone.brain.internal.core.milvus")
"""
    said = finished(code).stderr
    assert "of mine is" in said and "else" in said and "fiftyone" not in said
