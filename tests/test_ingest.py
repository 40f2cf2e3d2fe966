"""Reading ahead, batches, and everything that people have among their photos."""

import os
import threading
import time

import numpy as np
import pytest
from PIL import Image

from helpers.encoders import load_encoder
from helpers.encoders.base import Encoder
from helpers.errors import BadItem
from helpers.ingest import content_id, encode_batches


class Lengths(Encoder):
    """A small encoder: a text's length and its number of vowels."""

    name, dim, batch_size = "lengths", 2, 4

    def __init__(self):
        self.prepared = 0
        self.readers = set()
        self.lock = threading.Lock()

    def prepare(self, item):
        with self.lock:
            self.prepared += 1
            self.readers.add(threading.current_thread())
        if not item:
            raise BadItem("empty text")
        return item

    def embed(self, prepared):
        rows = [[len(text), sum(text.count(v) for v in "aeiou")] for text in prepared]
        vectors = np.array(rows, np.float32)
        vectors[[text == "nan" for text in prepared]] = np.nan
        return vectors


def words(count):
    return [f"word number {i}" for i in range(count)]


def test_an_id_comes_from_content_alone_and_fits_milvus():
    assert content_id("grün") == content_id("grün".encode()) == 8427505547868255367
    assert content_id(b"a") != content_id(b"b")
    ids = np.array([content_id(str(number)) for number in range(20_000)], dtype=np.int64)
    assert ids.min() >= 0
    assert len(set(ids)) == len(ids)
    # All 63 bits are used: each is set in about half of the ids.
    shares = [np.mean(ids >> bit & 1) for bit in range(63)]
    assert 0.45 < min(shares) <= max(shares) < 0.55


def test_every_item_comes_back_once_in_order_with_its_own_vector():
    encoder, texts = Lengths(), words(103)
    batches = encode_batches(texts, encoder, rows=20)
    ids, items, vectors = [], [], []
    for batch in batches:
        assert len(batch.ids) == len(batch.items) == len(batch.vectors) <= 20
        ids, items = ids + batch.ids, items + batch.items
        vectors.append(batch.vectors)
    assert items == texts
    assert ids == [content_id(text) for text in texts]
    assert np.array_equal(np.concatenate(vectors), encoder.encode(texts))
    assert batches.encoded == 103
    assert not batches.skipped
    assert "103 items encoded" in batches.report()


def test_bad_items_are_skipped_and_named_and_their_batch_is_kept():
    texts = words(5) + ["", "nan"] + words(12)[5:]
    batches = encode_batches(texts, Lengths(), unit="text")
    items = [item for batch in batches for item in batch.items]
    assert items == words(12)
    assert batches.skipped == [("", "empty text"), ("nan", "its vector is zero or not finite")]
    reasons = "'': empty text\n  'nan': its vector is zero or not finite"
    assert f"2 skipped:\n  {reasons}" in batches.report()


def test_copies_are_encoded_once_and_named():
    batches = encode_batches(["one", "two", "one"], Lengths())
    assert [item for batch in batches for item in batch.items] == ["one", "two"]
    assert batches.twins == ["one"]
    assert "1 left out as copies of others: 'one'" in batches.report()


def test_a_photo_has_the_same_id_however_it_is_given(messy_folder):
    path = messy_folder / "a good.jpg"
    for item in (path, str(path), path.read_bytes()):
        (batch,) = encode_batches([item], load_encoder("resnet18"))
        assert batch.ids == [content_id(path.read_bytes())]


def test_what_has_no_content_to_make_an_id_from_is_refused():
    with pytest.raises(TypeError, match="takes paths, bytes or strings, not NoneType"):
        list(encode_batches([None], Lengths()))


def test_nothing_gives_nothing():
    batches = encode_batches([], Lengths())
    assert list(batches) == []
    assert batches.report().startswith("0 items encoded")


def test_only_bad_items_give_no_batch():
    batches = encode_batches(["", ""], Lengths())
    assert list(batches) == []
    assert len(batches.skipped) == 2


def test_a_long_list_of_bad_items_is_cut():
    batches = encode_batches([""] * 25, Lengths())
    list(batches)
    assert "25 skipped:" in batches.report()
    assert "and 15 more" in batches.report()


def test_it_reads_ahead_but_not_everything():
    encoder = Lengths()
    batches = iter(encode_batches(words(1000), encoder, rows=4))
    next(batches)
    time.sleep(0.2)
    assert 4 < encoder.prepared < 60
    batches.close()


def test_leaving_early_stops_the_readers():
    class Slow(Lengths):
        def prepare(self, item):
            time.sleep(0.02)
            return super().prepare(item)

    encoder = Slow()
    for _ in encode_batches(words(1000), encoder, rows=4):
        break
    prepared = encoder.prepared
    for reader in encoder.readers:
        reader.join(5)
    assert not any(reader.is_alive() for reader in encoder.readers)
    assert encoder.prepared <= prepared + 8, "more was read than what each reader had begun"


def test_an_error_in_the_loop_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        for _ in encode_batches(words(100), Lengths(), rows=4):
            raise ZeroDivisionError


def test_an_error_of_the_encoder_itself_is_not_taken_for_a_bad_item():
    class Broken(Lengths):
        def prepare(self, item):
            raise RuntimeError("a mistake in the code")

    with pytest.raises(RuntimeError, match="a mistake in the code"):
        list(encode_batches(words(3), Broken()))


@pytest.fixture
def messy_folder(tmp_path):
    """Two good photos among everything that can be wrong."""
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    photo = Image.fromarray(noise)
    photo.save(tmp_path / "a good.jpg")
    photo.rotate(90).save(tmp_path / "b good.png")
    (tmp_path / "c copy.jpg").write_bytes((tmp_path / "a good.jpg").read_bytes())
    (tmp_path / "d empty.jpg").touch()
    (tmp_path / "e text.jpg").write_text("not a photo")
    whole = (tmp_path / "a good.jpg").read_bytes()
    (tmp_path / "f cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "g gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "h folder.jpg").mkdir()
    return tmp_path


def test_photos_in_a_messy_folder(messy_folder):
    batches = encode_batches(sorted(messy_folder.iterdir()), load_encoder("resnet18"), "photo")
    good = [path.name for batch in batches for path in batch.items]
    assert good == ["a good.jpg", "b good.png"]
    reasons = {path.name: reason for path, reason in batches.skipped}
    assert reasons.keys() == {
        "d empty.jpg", "e text.jpg", "f cut.jpg", "g gone.jpg", "h folder.jpg",
    }  # fmt: skip
    assert reasons["d empty.jpg"] == "empty file"
    assert reasons["e text.jpg"] == "not a picture that Pillow can read"
    assert "truncated" in reasons["f cut.jpg"]
    assert reasons["g gone.jpg"] == os.strerror(2)
    assert [path.name for path in batches.twins] == ["c copy.jpg"]
    assert str(messy_folder) not in batches.report(), "reports are committed: names, not places"
