"""What notebook 01 does itself, on odd photos, odd names and sets of no size to speak of."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from helpers.encoders import load_encoder
from helpers.errors import HelpfulError
from tests.notebooks.subject import MeanColour, subject

pytest_plugins = ["tests.services_world"]
COLOURS = ("red", "green", "blue", "yellow")
RNG = np.random.default_rng(1)


@pytest.fixture
def notebook(lite, redis_of_module):
    """The notebook's functions on engines without a collection."""
    given = {"milvus": lite, "redis": redis_of_module, "encoder": MeanColour()}
    return subject("01_image_search", COLLECTION="photos", **given)


@pytest.fixture(scope="module")
def method():
    """The notebook's functions where no engine is needed."""
    return subject("01_image_search", COLLECTION="photos")


@pytest.fixture
def photos(tmp_path):
    """Four photos of one colour each -> class; the third file's name is not UTF-8."""
    names = [b"a.png", b"b.png", b"c\xff$x$.png", b"d.png"]
    paths = [tmp_path / os.fsdecode(name) for name in names]
    for path, colour in zip(paths, COLOURS, strict=True):
        Image.new("RGB", (20, 20), colour).save(path)
    return dict(zip(paths, COLOURS, strict=True))


@pytest.fixture
def damaged(tmp_path):
    """A photo that is cut short."""
    whole = io.BytesIO()
    Image.fromarray(RNG.integers(256, size=(80, 80, 3)).astype(np.uint8)).save(whole, "JPEG")
    path = tmp_path / "0.jpg"
    path.write_bytes(whole.getvalue()[:1000])
    return path


def rows(milvus, collection):
    milvus.flush(collection)
    return milvus.get_collection_stats(collection)["row_count"]


@pytest.mark.parametrize(
    "photo",
    [
        Image.fromarray(RNG.integers(256, size=(300, 400, 3)).astype(np.uint8)),
        Image.fromarray(RNG.integers(65536, size=(260, 230)).astype(np.uint16)),
        Image.new("RGB", (1, 1), "red"),
        Image.new("RGBA", (2000, 30), (0, 200, 0, 90)),
    ],
    ids=["noise", "16 bits", "one pixel", "wide"],
)
def test_the_network_in_the_notebook_is_the_encoder(method, photo):
    ours = method["embed"](method["load_network"](), [photo])
    assert ours.shape == (1, 512)
    assert np.linalg.norm(ours) == pytest.approx(1, abs=1e-5)
    assert (ours @ load_encoder("resnet18").encode([photo]).T).item() > 0.999


def test_pca_keeps_the_directions_in_which_vectors_differ(method):
    wide = RNG.normal(size=(50, 2)) * (9, 3)
    axes = np.linalg.qr(RNG.normal(size=(6, 2)))[0]
    mean, directions = method["fit_pca"](wide @ axes.T + 7, 2)
    assert directions.shape == (6, 2)
    assert directions.T @ directions == pytest.approx(np.eye(2), abs=1e-9)
    # What was spread over two axes of six lies on two again: no distance is lost.
    short = (wide @ axes.T + 7 - mean) @ directions
    apart = np.linalg.norm(wide[0] - wide[1:], axis=1)
    assert np.linalg.norm(short[0] - short[1:], axis=1) == pytest.approx(apart)
    assert short[:, 0].std() > short[:, 1].std()


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_every_step_works_on_few_vectors(method, count):
    vectors = method["unit"](RNG.normal(size=(count, 20)).astype(np.float32))
    labels = np.array(["cat", "dog"] * count)[:count]
    for asked, kept in method["steps"](vectors[1::2], vectors[0::2]).values():
        assert np.isfinite(asked).all() and np.isfinite(kept).all()
        assert len(asked) == count // 2 and len(kept) == (count + 1) // 2
        p5 = method["precision_at_5"](asked, labels[1::2], kept, labels[0::2])
        assert p5.shape == (count // 2,)
        assert method["finds_original"](asked, kept, np.zeros(count // 2)).shape == p5.shape


def test_what_asks_teaches_nothing(method):
    kept, one, other = method["unit"](RNG.normal(size=(3, 30, 16)).astype(np.float32))
    by_one, by_other = (method["steps"](asked, kept, numbers=4) for asked in (one, other))
    for step in by_one:
        assert (by_one[step][1] == by_other[step][1]).all()
    some = method["steps"](one[:7], kept, numbers=4)
    for step in by_one:
        assert some[step][0] == pytest.approx(by_one[step][0][:7], abs=1e-5)


def test_an_average_by_hand(method):
    kept = np.array([[1, 0], [0.6, 0.8], [-1, 0]], np.float32)
    query = np.array([[1, 0]], np.float32)
    # Itself and the first at weight 1, the second at .6 ** 3; an opposite counts for nothing.
    expected = np.array([2 + 0.6**4, 0.8 * 0.6**3])
    expected /= np.linalg.norm(expected)
    assert method["average"](query, kept)[0] == pytest.approx(expected, abs=1e-6)
    assert method["average"](query, kept, neighbours=1)[0] == pytest.approx([1, 0])
    without_itself = np.array([1 + 0.6**4, 0.8 * 0.6**3])
    without_itself /= np.linalg.norm(without_itself)
    assert method["average"](query, kept, skip=1)[0] == pytest.approx(without_itself, abs=1e-6)


def test_precision_counts_the_label_of_the_nearest_five(method):
    angles = np.linspace(0, 1, 8)
    kept = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    labels = np.array(["a", "a", "b", "a", "b", "a", "a", "a"])
    asked = kept[[0, 7]]
    p5 = method["precision_at_5"](asked, np.array(["a", "b"]), kept, labels)
    assert p5 == pytest.approx([3 / 5, 1 / 5])
    assert list(method["finds_original"](asked, kept, np.array([0, 6]))) == [True, False]


def test_an_interval_holds_its_mean_and_nothing_has_none(method):
    text = method["with_interval"](np.array([0, 1] * 100))
    mean, low, high = (float(part.strip("[],")) for part in text.split())
    assert low < mean == 0.5 < high
    assert method["with_interval"]([]) == "no query"


def test_photos_are_found_by_photos(notebook, photos):
    notebook["store"](photos, "photos")
    notebook["build_index"]("photos")
    for path, colour in photos.items():
        (similarity, found, name), *others = notebook["find_similar"](path, 4)
        assert (found, name) == (str(path), colour)
        assert similarity == pytest.approx(1, abs=1e-5)
        similarities = [hit[0] for hit in others]
        assert len(others) == 3 and similarities == sorted(similarities, reverse=True)


@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_damaged_photo_costs_one_photo(notebook, photos, damaged, place, capsys):
    paths = list(photos)
    paths.insert(place, damaged)
    stored = notebook["store"]({path: photos.get(path, "red") for path in paths}, "photos")
    assert [path for _, path, _ in stored] == list(photos)
    assert rows(notebook["milvus"], "photos") == 4
    assert "1 skipped:\n  0.jpg: " in capsys.readouterr().out


def test_nothing_but_damaged_photos_empties_nothing(notebook, photos, damaged):
    notebook["store"](photos, "photos")
    with pytest.raises(HelpfulError, match="choose others"):
        notebook["store"]({damaged: "red"}, "photos")
    assert rows(notebook["milvus"], "photos") == 4
    assert notebook["find_similar"](next(iter(photos)), 1)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_search_of_few_photos_shows_them(notebook, photos, shown, count, capsys):
    some = dict(list(photos.items())[1 : 1 + count])
    notebook["create"]("own", 3)
    if some:
        notebook["store"](some, "own")
    notebook["build_index"]("own")
    notebook["search_and_show"](next(iter(photos)).read_bytes(), "$a_b$ <i>", "own")
    assert len(shown) == 1
    assert ("no photo" in capsys.readouterr().out) == (not count)
