"""Photos and sentences in one space: CLIP on a tiny model made here; ConSE is in notebook 10."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.encoders import torchvision_compat  # noqa: F401  transformers imports torchvision
from helpers.errors import BadItem, HelpfulError
from helpers.fetching.hub import HubError
from helpers.ingest import encode_batches
from helpers.scenarios.multimodal.joint import load_joint
from helpers.scenarios.multimodal.object_photos import load_object_photos


@pytest.fixture(scope="module")
def photos():
    return {photo.label: photo.path for photo in load_object_photos()}


def test_unknown_names_list_the_known_ones():
    for name in ("clap", "", "dash"):
        with pytest.raises(HelpfulError, match="choose one of conse, clip, dashscope"):
            load_joint(name)


# Each letter is a word piece, so that any English text can be cut.
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The folder of a real CLIP model, small enough to make and save in a moment."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2}
    small["num_attention_heads"] = 2
    pieces = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    vocabulary |= {"<|startoftext|>": len(pieces), "<|endoftext|>": len(pieces) + 1}
    text = small | {
        "vocab_size": len(vocabulary), "max_position_embeddings": 77,
        "bos_token_id": len(pieces), "eos_token_id": len(pieces) + 1,
    }  # fmt: skip
    config = CLIPConfig(
        text_config=text,
        vision_config=small | {"image_size": 32, "patch_size": 8},
        projection_dim=24,
    )
    folder = tmp_path_factory.mktemp("models") / "tiny-clip"
    CLIPModel(config).save_pretrained(folder)
    CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
    square = {"height": 32, "width": 32}
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=square).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip(tiny):
    return load_joint(str(tiny))


def noise(seed, size=(50, 40)):
    pixels = np.random.default_rng(seed).integers(0, 255, (*size[::-1], 3), np.uint8)
    return Image.fromarray(pixels)


def cosine(one, other):
    one, other = np.ravel(one), np.ravel(other)
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def test_clip_equals_transformers_own_way(clip, tiny):
    from transformers import CLIPModel, CLIPProcessor

    model, processor = CLIPModel.from_pretrained(tiny), CLIPProcessor.from_pretrained(tiny)
    texts = ["a cat", "the quick brown fox"]
    pictures = [noise(1), noise(2, (32, 64))]
    given = processor(text=texts, images=pictures, return_tensors="pt", padding=True)
    with torch.inference_mode():
        expected = model(**given)
    assert clip.texts.encode(texts) == pytest.approx(expected.text_embeds.numpy(), abs=1e-5)
    # Pillow and torchvision scale pictures down by slightly different filters.
    for one, other in zip(clip.images.encode(pictures), expected.image_embeds, strict=True):
        assert cosine(one, other.numpy()) > 0.99


def test_clip_vectors_do_not_depend_on_their_batch(clip):
    texts = ["a cat", "the quick brown fox jumps over the lazy dog"]
    assert clip.texts.encode(texts)[0] == pytest.approx(clip.texts.encode(texts[:1])[0], abs=1e-5)
    pictures = [noise(seed) for seed in range(20)]
    together = clip.images.encode(pictures)
    assert together.shape == (20, 24) == (20, clip.images.dim)
    assert together[17] == pytest.approx(clip.images.encode(pictures[17:18])[0], abs=1e-5)


def test_clip_in_batches(clip, tmp_path):
    noise(1).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    batches = encode_batches(sorted(tmp_path.glob("*.png")), clip.images)
    assert [path.name for batch in batches for path in batch.items] == ["a.png"]
    assert [path.name for path, _ in batches.skipped] == ["b.png"]


def test_odd_texts(clip):
    texts = clip.texts
    odd = ["cat " * 25_000, "\U0001f600 cat", "שלום", "the of and", "  cat  "]
    vectors = texts.encode(odd)
    assert np.isfinite(vectors).all()
    assert vectors[-1] == pytest.approx(texts.encode(["cat"])[0], abs=1e-2)
    for bad in ("", "  ", "\U0001f600", "?!", None, 7, b"cat", ["cat"]):
        with pytest.raises(BadItem):
            texts.prepare(bad)


def test_a_word_of_100_000_letters(clip):
    assert np.isfinite(clip.texts.encode(["x" * 100_000])).all()


@pytest.fixture
def copied(tiny, tmp_path):
    """A copy of the tiny model to spoil."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in tiny.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_weights_in_the_older_form_are_read(copied, clip):
    from safetensors.torch import load_file

    weights = load_file(copied / "model.safetensors")
    torch.save(weights, copied / "pytorch_model.bin")
    (copied / "model.safetensors").unlink()
    again = load_joint(str(copied))
    assert again.texts.encode(["cat"]) == pytest.approx(clip.texts.encode(["cat"]), abs=1e-6)


def test_missing_weights_are_not_made_up(copied):
    from safetensors.torch import load_file, save_file

    weights = load_file(copied / "model.safetensors")
    del weights["text_projection.weight"]
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    with pytest.raises(HelpfulError, match="lacks some of CLIP's weights"):
        load_joint(str(copied))


def test_another_kind_of_model_is_refused(copied):
    settings = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(settings | {"model_type": "bert"}))
    with pytest.raises(HelpfulError, match="is no CLIP model but bert"):
        load_joint(str(copied))
    (copied / "config.json").unlink()
    with pytest.raises(HelpfulError, match="of an unknown kind"):
        load_joint(str(copied))


@pytest.mark.parametrize("gone", ["model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_explained(copied, gone):
    (copied / gone).unlink()
    with pytest.raises(HelpfulError) as caught:
        load_joint(str(copied))
    assert "\n" not in str(caught.value)


def test_the_hub_out_of_reach_is_an_error_that_names_it(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(HubError, match="openai/clip-vit-base-patch32 could not be had") as caught:
        load_joint("clip")
    assert "'conse' needs no hub" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.network("huggingface.co")
def test_the_real_clip_knows_what_it_sees(photos):
    joint = load_joint("clip")
    labels = ["goldfish", "grand piano keyboard", "camel", "lighthouse"]
    images = joint.images.encode(photos[label] for label in labels)
    texts = joint.texts.encode(f"a photo of a {label}" for label in labels)
    assert (images @ texts.T).argmax(axis=1).tolist() == [0, 1, 2, 3]
