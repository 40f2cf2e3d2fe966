"""What notebook 10 does itself: ConSE on real weights, and two vectors a row in Milvus."""

import os

import numpy as np
import pytest
from PIL import Image

from helpers.errors import BadItem
from helpers.ingest import encode_batches
from helpers.scenarios.multimodal.joint import Joint
from helpers.scenarios.multimodal.object_photos import load_object_photos, load_own_photos
from tests.notebooks.subject import MeanColour, subject

pytest_plugins = ["tests.services_world"]
NAME = "10_multimodal_search"


class Letters(MeanColour):
    """A text as a vector: how many a, b and c it has."""

    name = "letters"

    def content(self, item):
        return item

    def prepare(self, item):
        return np.array([item.count(letter) for letter in "abc"], np.float32) + 1


@pytest.fixture(scope="module")
def method():
    """The notebook's functions and constants, with the real networks."""
    return subject(NAME, COLLECTION="multimodal")


@pytest.fixture(scope="module")
def conse(method):
    return Joint(method["ConseImages"](), method["TEXT_ENCODER"])


@pytest.fixture(scope="module")
def photos():
    return {photo.label: photo.path for photo in load_object_photos()}


@pytest.fixture
def notebook(method, lite, redis_of_module):
    """A function that gives the notebook's functions on engines without a collection."""
    quick = Joint(MeanColour(), Letters())
    fields = ["image_embedding", "text_embedding"]
    given = {"milvus": lite, "redis": redis_of_module, "joint": quick, "FIELDS": fields}
    given |= {name: method[name] for name in ("RESNET", "LAST_LAYER", "CLASS_VECTORS")}
    given |= {"TEXT_ENCODER": method["TEXT_ENCODER"], "CLASSES": method["CLASSES"]}
    return lambda **more: subject(NAME, COLLECTION="multimodal", **given, **more)


@pytest.fixture
def own(tmp_path):
    """Two photos, one of a name that is not UTF-8, and a file that is no photo."""
    Image.new("RGB", (20, 20), "red").save(tmp_path / "cab.png")
    Image.new("RGB", (20, 20), "blue").save(tmp_path / os.fsdecode(b"\xff$aa$.png"))
    (tmp_path / "0.jpg").write_bytes(b"no picture")
    return load_own_photos(tmp_path)


def test_combine_weighs_the_likeliest_classes(method):
    probabilities = np.array([[0.6, 0.3, 0.1], [0, 0, 1]], np.float32)
    vectors = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)
    two = method["combine"](probabilities, vectors, 2)
    assert two[0] == pytest.approx(np.array([0.6, 0.3]) / np.hypot(0.6, 0.3))
    assert two[1] == pytest.approx([-1, 0])
    assert method["combine"](probabilities, vectors, 1).tolist() == [[1, 0], [-1, 0]]
    three = method["combine"](probabilities, vectors)[0]
    assert three == pytest.approx(np.array([0.5, 0.3]) / np.hypot(0.5, 0.3))


def test_the_network_names_what_it_sees(method, photos):
    pictures = [method["RESNET"].prepare(photos[label]) for label in ("goldfish", "camel")]
    chances = method["class_chances"](method["RESNET"].embed(pictures))
    assert chances.shape == (2, 1000)
    assert chances.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-5)
    named = [method["CLASSES"][i]["name"] for i in chances.argmax(axis=1)]
    assert named == ["goldfish", "Arabian camel"]


def test_conse_puts_a_photo_near_what_it_shows(conse, photos):
    labels = ["goldfish", "grand piano keyboard", "camel", "lighthouse"]
    images = conse.images.encode(photos[label] for label in labels)
    texts = conse.texts.encode(f"a photo of a {label}" for label in labels)
    assert images.shape == texts.shape == (4, 384) == (4, conse.images.dim)
    assert (images @ texts.T).argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert conse.images.encode([]).shape == (0, 384)


def test_conse_in_batches_skips_what_is_no_picture(conse, photos, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    batches = encode_batches([bad, photos["camel"], str(photos["camel"])], conse.images)
    assert [path for batch in batches for path in batch.items] == [photos["camel"]]
    assert [item for item, _ in batches.skipped] == [bad]
    assert batches.twins == [str(photos["camel"])]


def test_odd_texts(conse):
    odd = ["cat " * 25_000, "\U0001f600 cat", "שלום", "the of and", "  cat  "]
    assert np.isfinite(conse.texts.encode(odd)).all()
    for bad in ("", "  ", "\U0001f600", None, 7, "x" * 100_000):
        with pytest.raises(BadItem):
            conse.texts.prepare(bad)


def test_own_photos_are_stored_and_found_with_their_texts(notebook, own, lite):
    run = notebook()
    run["create"]("multimodal", 3)
    assert len(run["store"](own, "multimodal")) == 2
    run["build_indexes"]("multimodal")
    fields = ["origin", "image_description", "keywords"]
    wish = run["joint"].texts.encode(["aa"])
    (hits,) = run["search"]("text_embedding", wish, 2, "multimodal", output_fields=fields)
    assert [hit["entity"]["origin"] for hit in hits] == [
        "\N{REPLACEMENT CHARACTER}$aa$.png",
        "cab.png",
    ]
    assert hits[1]["entity"]["image_description"] == "cab"
    assert [tile.caption for tile in run["tiles"](hits, hits[0]["id"], "multimodal")][0] == "1.00"


def test_another_metric_and_index_in_a_second_run(notebook, own):
    first = notebook()
    first["create"]("multimodal", 3)
    first["store"](own, "multimodal")
    first["build_indexes"]("multimodal")
    for metric, index in (("L2", "HNSW"), ("L2", "IVF_FLAT"), ("COSINE", "FLAT")):
        run = notebook(METRIC=metric, INDEX=index)
        run["build_indexes"]("multimodal")
        (hits,) = run["search"]("text_embedding", run["joint"].texts.encode(["aa"]))
        assert len(hits) == 2
        assert hits[0]["distance"] == pytest.approx(0 if metric == "L2" else 1, abs=0.1)


def test_hybrid_scores_are_the_weighted_sum_that_the_notebook_says(notebook, own):
    run = notebook()
    run["create"]("multimodal", 3)
    stored = run["store"](own, "multimodal")
    run["build_indexes"]("multimodal")
    vector = run["joint"].texts.encode(["bb"])[0]
    for weight in (0.0, 0.3, 1.0):
        (hits,) = run["hybrid"]([vector], weight)
        expected = {}
        for id_, _, photo, text in stored:
            expected[id_] = (1 - weight) * (1 + vector @ photo) / 2 + weight * (
                1 + vector @ text
            ) / 2
        assert {hit["id"]: hit["distance"] for hit in hits} == pytest.approx(expected, abs=1e-5)
    (hits,) = run["hybrid"]([vector], None)
    assert sum(hit["distance"] for hit in hits) == pytest.approx(2 * (1 / 61 + 1 / 62), abs=1e-6)


@pytest.mark.parametrize("count", [0, 1, 10])
def test_small_sets_with_bad_photos_first_and_last(notebook, tmp_path, count, capsys):
    (tmp_path / "0.jpg").write_bytes(b"no picture")
    (tmp_path / "z.jpg").write_bytes(b"no picture either")
    for number in range(count):
        Image.new("RGB", (20, 20), (20 * number, 9, 9)).save(tmp_path / f"cab {number}.png")
    run = notebook()
    run["create"]("multimodal", 3)
    assert len(run["store"](load_own_photos(tmp_path), "multimodal")) == count
    run["build_indexes"]("multimodal")
    for field in ("image_embedding", "text_embedding"):
        (hits,) = run["search"](field, [np.ones(3, np.float32)], 10)
        assert len(hits) == count
    assert "0.jpg" in capsys.readouterr().out
