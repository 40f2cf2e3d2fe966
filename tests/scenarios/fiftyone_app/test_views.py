"""A real data set in FiftyOne, with Milvus Lite behind it, in a process of its own."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.errors import BadItem
from helpers.scenarios.fiftyone_app.views import (
    patch_tiles,
    sample_tiles,
    save_changed,
    storable,
)
from helpers.scenarios.video.screenshots import CHANGES
from tests.services_world import finished

pytest_plugins = ["tests.services_world"]
# Everything that needs FiftyOne's database, in one go: starting it takes several seconds.
CODE = """
import json
import numpy as np
from helpers.scenarios.fiftyone_app.setup import milvus_settings
from helpers.scenarios.fiftyone_app.setup import prepare_fiftyone, run_python
from helpers.connect import connect_milvus
prepare_fiftyone("fiftyone")
milvus = connect_milvus("fiftyone")
import fiftyone as fo
import fiftyone.brain as fob
from helpers.encoders import load_encoder
from helpers.errors import HelpfulError
from helpers.scenarios.fiftyone_app.views import encode_samples, patch_tiles, sample_tiles

said, paths = {}, json.loads(PATHS)
dataset = fo.Dataset("photos", persistent=True)
for path in paths:
    dataset.add_sample(fo.Sample(filepath=path, label=fo.Classification(label=path[-5])))
vectors = encode_samples(dataset, load_encoder("resnet18"))
said["shape"], said["left"] = vectors.shape, [path[-5] for path in dataset.values("filepath")]
settings = {"backend": "milvus", **milvus_settings("fiftyone")}
fob.compute_similarity(
    dataset, brain_key="photos", embeddings=vectors, metric="cosine", collection_name="photos",
    **settings,
)
view = dataset.sort_by_similarity(vectors[1], k=2, brain_key="photos", dist_field="near")
tiles = sample_tiles(view, "{s.label.label} {s.near:.2f}")
said["tiles"] = [[tile.image[-5], tile.caption] for tile in tiles]
sample = dataset.first()
box = [10 / 80, 20 / 60, 40 / 80, 20 / 60]
sample["objects"] = fo.Detections(detections=[fo.Detection(label="cup", bounding_box=box)])
sample.save()
patches = dataset.to_patches("objects")
(tile,) = patch_tiles(patches, "objects")
said["patch"] = [tile.caption, tile.image.size, tile.image.getpixel((20, 20))]
code = "import fiftyone as fo; dataset = fo.load_dataset('photos')\\n"
code += "view = dataset.sort_by_similarity(dataset.first().id, k=1, brain_key='photos')\\n"
code += "print(view.values('label.label'))"
said["elsewhere"] = run_python(code, {"FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI": settings["uri"]})
dataset.delete_samples(dataset.limit(2))
dataset.add_sample(fo.Sample(filepath=paths[1]))
try:
    encode_samples(dataset, load_encoder("resnet18"))
except HelpfulError as error:
    said["nothing"] = str(error)
from helpers.scenarios.fiftyone_app.setup import running_databases, stop_database
from helpers.connect import remove_store
from helpers.paths import store_folder

stop_database("fiftyone")
remove_store("fiftyone")
said["removed"] = [store_folder("fiftyone").exists(), len(running_databases())]
print("SAID", json.dumps(said, default=str))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the process tells of three samples: blue, not a picture, and red."""
    folder = tmp_path_factory.mktemp("fiftyone")
    for name, colour in (("a", "blue"), ("c", "red")):
        Image.new("RGB", (80, 60), colour).save(folder / f"{name}.png")
    (folder / "b.png").write_text("not a picture")
    paths = json.dumps([str(folder / f"{name}.png") for name in "abc"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOOTCAMP_STORES", str(folder / "stores"))
        for name in ("MILVUS_URI", "MILVUS_TOKEN", "FIFTYONE_DATABASE_URI"):
            patch.delenv(name, raising=False)
        done = finished(f"PATHS = {paths!r}\n{CODE}")
    assert "SAID" in done.stdout, done.stdout + done.stderr
    assert "ORM-style" not in done.stderr and "too_many_pings" not in done.stderr
    return json.loads(done.stdout.partition("SAID")[2]) | {"all": done.stdout}


def test_a_photo_that_cannot_be_read_is_named_and_leaves(said):
    assert said["shape"] == [2, 512] and said["left"] == ["a", "c"]
    assert "b.png" in said["all"]
    assert said["nothing"] == "None of these photos can be read; choose others."


def test_similar_samples_become_tiles_with_their_captions(said):
    (first, second) = said["tiles"]
    assert first == ["c", "c 1.00"]
    assert second[0] == "a" and 0 < float(second[1].split()[1]) < 1


def test_a_patch_is_the_square_around_its_box(said):
    assert said["patch"] == ["cup", [40, 40], [0, 0, 255]]


def test_another_process_finds_samples_and_vectors(said):
    assert said["elsewhere"] == "['a']"


def test_the_database_stops_before_its_files_are_removed(said):
    assert said["removed"] == [False, 0]


class Patch(dict):
    filepath = "gone.png"


def test_a_patch_whose_photo_is_gone_stays_in_the_grid():
    cup = type("Label", (), {"label": "cup", "bounding_box": [0, 0, 1, 1]})
    (tile,) = patch_tiles([Patch(objects=cup)], "objects")
    assert tile == ("gone.png", "cup", None)


def test_a_caption_may_name_any_field():
    sample = type("Sample", (), {"filepath": "a.jpg", "score": 0.25})
    assert sample_tiles([sample], "{s.score:.1f}") == [("a.jpg", "0.2", None)]


def test_copies_are_changed_in_turn(tmp_path):
    picture = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    )
    picture.save(tmp_path / "a.png")
    copies = save_changed([str(tmp_path / "a.png")] * 17, tmp_path / "new" / "copies", every=2)
    assert [copy.original for copy in copies] == list(range(0, 17, 2))
    ways = [how for how in CHANGES if how != "unchanged"]
    assert [copy.how for copy in copies] == [*ways, *ways][:9]
    mirrored = next(copy for copy in copies if copy.how == "mirrored")
    expected = CHANGES["mirrored"](picture, random.Random(0))
    assert np.array_equal(np.asarray(Image.open(mirrored.path)), np.asarray(expected))
    with pytest.raises(BadItem):
        save_changed([str(tmp_path / "missing.png")], tmp_path / "copies")


def test_names_that_mongodb_cannot_store_are_named(capsys):
    photos = {Path("a/caf\udce9.jpg"): "a", Path("b\udcff/1.jpg"): "b", Path("照片.jpg"): "c"}
    assert storable(photos) == [("照片.jpg", "c")]
    said = "2 left out, MongoDB stores only names in UTF-8: caf\\udce9.jpg, 1.jpg\n"
    assert capsys.readouterr().out == said
