"""What notebook 11 does itself: words, boxes, thresholds, and photos of the reader's own."""

import json

import pytest
from PIL import Image

from tests.notebooks.notebook_checks import MAX_PICTURE_BYTES, Notebook
from tests.notebooks.subject import _NOTEBOOKS
from tests.services_world import finished

pytest_plugins = ["tests.services_world"]
# FiftyOne reads its settings when it is imported, so all that needs it runs in one process.
CODE = """
import contextlib, io, json, sys
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from helpers.connect import connect_milvus, connect_redis
from helpers.scenarios.fiftyone_app.setup import milvus_settings, prepare_fiftyone
from helpers.scenarios.video.detect import Detections
from tests.notebooks.subject import MeanColour, subject

milvus, redis = connect_milvus("fiftyone"), connect_redis("fiftyone")
prepare_fiftyone("fiftyone")
import os
os.environ["FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI"] = milvus_settings("fiftyone")["uri"]
os.environ["FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND"] = "milvus"
given = {"milvus": milvus, "redis": redis, "encoder": MeanColour(), "dataset": None}
given |= {"CLASS_VECTORS": np.eye(1000, 384), "TEXTS": None, "OWN": "own", "caption": "x"}
of = SimpleNamespace(**subject("11_fiftyone", **given))
said = {}

rng = np.random.default_rng(0)
raw = rng.normal(size=(5, 512)).astype("float32")
lengths = np.linalg.norm(raw, axis=1, keepdims=True)
logits = raw @ of.WEIGHTS["fc.weight"].T + of.WEIGHTS["fc.bias"]
expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
said["chances"] = float(abs(of.class_chances(raw / lengths, lengths) - expected).max())
chances = np.full((1, 1000), 1e-9)
chances[0, [7, 9]] = 0.75, 0.25
said["words"] = of.among_words(chances, count=2)[0, [7, 9]].tolist()

boxes = np.float32([[10, 20, 40, 20], [0, 0, 80, 60]])
found = of.detections(Detections(boxes, ["cup", "table"], np.float32([0.75, 0.5])), 60, 80)
said["boxes"] = [[b.label, b.confidence, b.bounding_box] for b in found.detections]
none = Detections(np.zeros((0, 4), np.float32), [], np.zeros(0, np.float32))
said["none"] = of.detections(none, 6, 8).detections

photos = rng.normal(size=(40, 64))
copies = photos[:20] + rng.normal(size=(20, 64)) * 0.4  # of a distance of about .08
threshold = of.choose_threshold(np.concatenate([photos, copies]), np.r_[np.arange(40), :20])
said["threshold"] = threshold
far = photos[:20] + rng.normal(size=(20, 64)) * 0.9  # of about .27
threshold = of.choose_threshold(np.concatenate([photos, far]), np.r_[np.arange(40), :20])
said["far"] = threshold

shown = []
module = sys.modules["helpers.show"]
for name in ("search_own", "search_and_show"):
    getattr(of, name).__globals__["show_grid"] = lambda rows: shown.append(rows)
def printed(call, *args):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        call(*args)
    return out.getvalue().strip()
folder = Path(FOLDER)
query = (folder / "photos" / "red.png").read_bytes()
said["before"] = printed(of.search_own, query, "red")
from helpers.errors import HelpfulError
try:
    of.index_own(folder / "bad")
except HelpfulError as error:
    said["bad"] = str(error)
said["after bad"] = printed(of.search_own, query, "red")
said["indexed"] = printed(of.index_own, folder / "photos")
of.search_own.__globals__["caption"] = "{s.label.label} {s.similarity:.2f}"
of.search_own(query, "red")
said["hits"] = [Path(tile.image).name for tile in shown[0][0][1:]]
said["one"] = printed(of.index_own, folder / "one")
of.search_own(query, "red")
said["hit of one"] = [Path(tile.image).name for tile in shown[1][0][1:]]
print("SAID", json.dumps(said, default=str))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the process tells; among the reader's photos the first is no picture."""
    folder = tmp_path_factory.mktemp("fiftyone")
    for name in ("photos", "bad", "one"):
        (folder / name).mkdir()
        (folder / name / "a.png").write_text("not a picture")
    colours = {"red": (200, 30, 30), "dark": (150, 25, 25), "blue": (30, 30, 200)}
    for name, colour in colours.items():
        Image.new("RGB", (64, 48), colour).save(folder / "photos" / f"{name}.png")
    Image.new("RGB", (64, 48), (9, 9, 9)).save(folder / "one" / "b.png")
    (folder / "bad" / "a.png").write_bytes((folder / "one" / "b.png").read_bytes()[:60])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOOTCAMP_STORES", str(folder / "stores"))
        patch.setenv("FIFTYONE_DATABASE_NAME", "bootcamp_test_11")  # one that runs may be joined
        for name in ("MILVUS_URI", "MILVUS_TOKEN", "REDIS_URL", "FIFTYONE_DATABASE_URI"):
            patch.delenv(name, raising=False)
        done = finished(f"FOLDER = {str(folder)!r}\n{CODE}")
    assert "SAID" in done.stdout, done.stdout + done.stderr
    return json.loads(done.stdout.partition("SAID")[2])


def test_probabilities_are_those_of_the_whole_network(said):
    assert said["chances"] < 1e-6


def test_a_photo_lies_between_its_likeliest_classes(said):
    assert said["words"] == pytest.approx([0.75 / 0.625**0.5, 0.25 / 0.625**0.5])


def test_boxes_become_shares_of_the_sides(said):
    cup, table = said["boxes"]
    assert cup[:2] == ["cup", 0.75] and table[:2] == ["table", 0.5]
    assert cup[2] == pytest.approx([10 / 80, 20 / 60, 40 / 80, 20 / 60])
    assert table[2] == [0, 0, 1, 1]
    assert said["none"] == []


def test_a_threshold_lies_between_copies_and_other_photos(said):
    assert 0.08 < said["threshold"] < said["far"] < 0.5


def test_searching_before_indexing_is_one_sentence(said):
    assert said["before"] == "Index photos of your own first, in the box above."
    assert said["after bad"] == said["before"]


def test_bad_photos_are_named_and_the_others_found(said):
    assert "a.png" in said["indexed"] and "3 photos indexed" in said["indexed"]
    assert said["hits"] == ["red.png", "dark.png", "blue.png"]
    assert "1 photos indexed" in said["one"] and said["hit of one"] == ["b.png"]


def test_pictures_of_the_app_lie_in_the_notebook():
    notebook = Notebook.read(_NOTEBOOKS / "11_fiftyone.ipynb")
    attached = {}
    for cell in notebook.cells:
        attached |= cell.get("attachments", {})
    assert len(attached) == 3
    for name, picture in attached.items():
        assert f"(attachment:{name})" in notebook.prose
        assert 20_000 < len(picture["image/jpeg"]) * 3 / 4 < MAX_PICTURE_BYTES
    assert "](../docs" not in notebook.prose
