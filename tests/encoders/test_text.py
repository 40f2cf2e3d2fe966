"""The text encoders on real weights, and on every kind of text people have."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing

from helpers.assets import fetch
from helpers.encoders import load_encoder
from helpers.errors import BadItem, HelpfulError
from helpers.fetching.hub import HubError, hub_model
from helpers.ingest import encode_batches

MEANT_ALIKE = ["How old is the universe?", "What is the age of the cosmos?"]
OTHER = "The recipe needs two eggs and a spoon of sugar."
LONG = "The quick brown fox jumps over the lazy dog. " * 2_300  # over 100,000 characters


@pytest.fixture(scope="module", params=["minilm", "use-multilingual"])
def encoder(request):
    return load_encoder(request.param)


@pytest.fixture(scope="module")
def minilm():
    return load_encoder("minilm")


def test_vectors_are_float32_of_unit_length(encoder):
    vectors = encoder.encode(["one", "two words", OTHER])
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, {"minilm": 384, "use-multilingual": 512}[encoder.name])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_what_means_the_same_is_near(encoder):
    one, two, other = encoder.encode([*MEANT_ALIKE, OTHER])
    assert one @ two > 0.6 > 0.4 > one @ other


def test_a_text_has_the_same_vector_in_any_company(encoder):
    texts = [*MEANT_ALIKE, OTHER, LONG[:900]]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert (together * alone).sum(axis=1).min() > 0.9995


def test_blanks_around_a_text_do_not_count(encoder):
    assert encoder.content("  a text\n") == encoder.content("a text")
    one, two = encoder.encode(["  a text\n", "a text"])
    assert one @ two > 0.9999


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        "Я люблю векторный поиск",
        "שלום עולם",
        "مرحبا بالعالم",
        "中国的历史",
        "🎉 party 🎉",
        "7",
    ],
    ids=["long", "Russian", "Hebrew", "Arabic", "Chinese", "emoji", "digit"],
)
def test_every_script_and_any_length_is_encoded(encoder, text):
    assert np.isfinite(encoder.encode([text])).all()


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("🙂🙂", "without a letter or digit"),
        ("?!...", "without a letter or digit"),
        (None, "not a text but NoneType"),
        (3.5, "not a text but float"),
        (b"bytes", "not a text but bytes"),
        ("broken \ud83d here", "half a character .* at position 7"),
    ],
)
def test_what_is_no_text_is_refused_with_a_reason(encoder, item, problem):
    with pytest.raises(BadItem, match=problem):
        encoder.encode([item])


def test_bad_texts_are_skipped_and_named_and_the_others_kept(encoder):
    texts = ["good", "", None, "also good", "🙂", "good", float("nan")]
    batches = encode_batches(texts, encoder, unit="text")
    (batch,) = batches
    assert batch.items == ["good", "also good"]
    assert [item for item, _ in batches.skipped][:2] == ["", None]
    assert len(batches.skipped) == 4 and batches.twins == ["good"]
    assert "4 skipped" in batches.report()


def test_use_finds_the_same_question_in_other_languages():
    encoder = load_encoder("use-multilingual")
    english = encoder.encode([MEANT_ALIKE[0], OTHER])
    others = encoder.encode(
        ["宇宙有多少岁？", "Quel âge a l'univers ?", "¿Qué edad tiene el universo?"]
    )
    similar, different = (others @ english.T).T
    assert similar.min() > 0.6 > 0.3 > different.max()


def test_minilm_equals_plain_transformers_in_float32(minilm):
    from transformers import AutoModel, AutoTokenizer

    folder = fetch("minilm")
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    texts = [*MEANT_ALIKE, OTHER, LONG[:4_000], "a"]
    for text, ours in zip(texts, minilm.encode(texts), strict=True):
        inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=256)
        with torch.inference_mode():
            plain = model(**inputs).last_hidden_state[0].mean(0).numpy()
        assert ours @ plain / np.linalg.norm(plain) > 0.999


def test_minilm_cuts_at_its_number_of_word_pieces(minilm):
    assert minilm.max_tokens == 256
    assert len(minilm.prepare(LONG)) == 256


def test_minilm_refuses_a_script_it_does_not_know(minilm):
    for text in ("ሰላም", "ሰላም ነው?", "x" * 100_000):
        with pytest.raises(BadItem, match="the model knows no word"):
            minilm.encode([text])


def test_a_folder_is_a_model_too(minilm, tmp_path):
    folder = shutil.copytree(fetch("minilm"), tmp_path / "own")
    (one,) = load_encoder(str(folder)).encode([OTHER])
    assert one @ minilm.encode([OTHER])[0] > 0.9999


def tiny_model(folder, mode="mean_tokens", module="Normalize"):
    """Save a BERT of one small layer with made-up weights, as Sentence Transformers lays it out."""
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "small", "world"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(folder)
    sizes = {"hidden_size": 8, "intermediate_size": 8, "max_position_embeddings": 20}
    layers = {"num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=len(words), **sizes, **layers)).save_pretrained(folder)
    kinds = ("Transformer", "Pooling", module)
    (folder / "modules.json").write_text(json.dumps([{"type": f"x.{kind}"} for kind in kinds]))
    (folder / "1_Pooling").mkdir()
    settings = {"word_embedding_dimension": 8, f"pooling_mode_{mode}": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize("mode", ["mean_tokens", "cls_token", "max_tokens"])
def test_a_model_is_pooled_as_its_settings_say(tmp_path, mode):
    encoder = load_encoder(str(tiny_model(tmp_path, mode)))
    assert (encoder.dim, encoder.max_tokens) == (8, 18)
    with torch.inference_mode():
        ids = torch.tensor([[2, 4, 5, 6, 3]])
        states = encoder.model(input_ids=ids).last_hidden_state[0].float().numpy()
    pooled = {"mean_tokens": states.mean(0), "cls_token": states[0], "max_tokens": states.max(0)}
    # Beside a shorter text, so that padding would show.
    (ours,) = encoder.embed([[2, 4, 5, 6, 3], [2, 4, 3]])[:1]
    assert np.allclose(ours, pooled[mode], atol=0.02)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"module": "Dense"}, "layers .* not supported .*Dense"),
        ({"mode": "lasttoken"}, "lasttoken"),
    ],
)
def test_a_model_that_would_give_other_vectors_is_refused(tmp_path, changes, problem):
    with pytest.raises(HelpfulError, match=problem):
        load_encoder(str(tiny_model(tmp_path, **changes)))


def test_a_folder_without_a_model_is_an_error(tmp_path):
    with pytest.raises(HelpfulError, match="no text model that transformers can load"):
        load_encoder(str(tmp_path))


OUT_OF_REACH = """
import sys
from helpers.encoders import load_encoder
try:
    load_encoder(sys.argv[1])
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("name", ["bert-base", "sentence-transformers/all-mpnet-base-v2"])
def test_a_hub_out_of_reach_is_one_clear_sentence(name, closed_port, tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", OUT_OF_REACH, name],
        env={"HF_ENDPOINT": f"http://127.0.0.1:{closed_port}", "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert found.stdout.startswith("HubError") and "could not be had from 127.0.0.1" in found.stdout
    assert "check the network" in found.stdout and found.stdout.count("\n") == 1


def test_a_name_that_cannot_be_one_is_an_error():
    with pytest.raises(HubError, match="neither a folder here nor the name of a model"):
        hub_model("/no/such/folder", ["*.json"])
    with pytest.raises(HelpfulError, match="no encoder named 'mini'; choose one of .*minilm"):
        load_encoder("mini")


@pytest.mark.network("huggingface.co")
def test_bert_base_from_the_hub():
    one, two, other = load_encoder("bert-base").encode([*MEANT_ALIKE, OTHER])
    assert one.shape == (768,) and one @ two > one @ other
