"""Backup and restore of an embedded store, with the very commands of the README."""

import re
import shutil
import subprocess
import time

from helpers.connect import connect_milvus, connect_redis
from helpers.engines import keeper
from helpers.metadata import load_metadata
from helpers.paths import ROOT
from tests.services_world import VECTORS, finished

pytest_plugins = ["tests.services_world"]

# As a notebook that has run and was shut down.
NOTEBOOK = """
from helpers.connect import connect_milvus, connect_redis
from helpers.metadata import save_metadata
from tests.services_world import fill, index
milvus = connect_milvus("image_search")
fill(milvus)
index(milvus, "HNSW", M=8, efConstruction=50)
save_metadata(connect_redis("image_search"), "photos", range(600), [{"n": n} for n in range(600)])
"""


def test_a_store_comes_back_from_its_copy(stores, tmp_path, monkeypatch):
    stores = tmp_path / ".stores"  # as in the README
    monkeypatch.setenv("BOOTCAMP_STORES", str(stores))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    save, bring_back = re.findall(r"^(?:tar|rm -rf) .*\bimage_search.*$", readme, re.MULTILINE)
    done = finished(NOTEBOOK)
    assert done.returncode == 0, done.stderr
    until = time.monotonic() + 10  # the seconds that the README has one wait
    while keeper.is_kept(stores / "image_search" / "milvus.db"):
        assert time.monotonic() < until
        time.sleep(0.1)
    subprocess.run(save, shell=True, cwd=tmp_path, check=True)
    shutil.rmtree(stores / "image_search" / "milvus.db")
    (stores / "image_search" / "new").touch()
    subprocess.run(bring_back, shell=True, cwd=tmp_path, check=True)
    assert not (stores / "image_search" / "new").exists()
    milvus = connect_milvus("image_search")
    milvus.load_collection("photos")
    found = milvus.search("photos", VECTORS[:50], limit=1)
    assert [hits[0].id for hits in found] == list(range(50))
    assert milvus.query("photos", output_fields=["count(*)"])[0]["count(*)"] == 600
    records = load_metadata(connect_redis("image_search"), "photos", range(600))
    assert records == [{"n": n} for n in range(600)]
