"""What the small language model is asked, what is believed of its answer, and how it fails."""

import contextlib
from types import SimpleNamespace

import pytest
import torch

from helpers.errors import HelpfulError
from helpers.scenarios.questions import smollm

PARAGRAPH = "The basin has 7,000,000 km2, of which 5,500,000 km2 are forest."


def test_the_prompt_holds_text_question_and_answer():
    system, user = smollm.build_prompt("How large is it?", PARAGRAPH, "5,500,000 km2")
    assert system["role"] == "system"
    assert user["role"] == "user"
    for part in (PARAGRAPH, "How large is it?", "Answer: 5,500,000 km2"):
        assert part in user["content"]


@pytest.mark.parametrize("place", [0, 5_000, 9_000])
def test_of_a_long_paragraph_the_part_around_the_answer_is_given(place):
    paragraph = "x " * (place // 2) + "the answer" + " y" * ((10_000 - place) // 2)
    _, user = smollm.build_prompt("What?", paragraph, "the answer")
    text = user["content"].partition("\n")[0]
    assert "the answer" in text
    assert 1_000 < len(text) < 1_300


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("It is 3.5 km long. It is old.", "It is 3.5 km long."),
        ("Is it? Yes.", "Is it?"),
        ("no end\n at all", "no end at all"),
        ("", ""),
    ],
)
def test_only_the_first_sentence_counts(text, first):
    assert smollm.first_sentence(text) == first


@pytest.mark.parametrize(
    ("sentence", "answer", "good"),
    [
        ("The forest has 5,500,000 km2.", "5,500,000 km2", True),
        ("The forest has 7,000,000 km2.", "5,500,000 km2", False),
        ("It took place in 1845.", "184", False),
        ("5,500,000 km2", "5,500,000 km2", False),
        ("Anything.", "the", False),
        ("", "x", False),
    ],
)
def test_a_sentence_must_contain_the_answer_and_more(sentence, answer, good):
    assert smollm.is_worded(sentence, answer) is good


@pytest.fixture
def model_says(monkeypatch):
    """Let the model say something without loading it."""

    def prepare(said):
        tokenizer = SimpleNamespace(
            apply_chat_template=lambda *_, **__: {"input_ids": torch.zeros(1, 3, dtype=int)},
            decode=lambda tokens, **_: said if len(tokens) == 2 else "the prompt too",
        )
        model = SimpleNamespace(
            generate=lambda **_: torch.zeros(1, 5, dtype=int),
            config=SimpleNamespace(eos_token_id=2),
        )
        monkeypatch.setattr(smollm, "fetch", lambda name: name)
        monkeypatch.setattr(smollm, "_load", lambda file: (tokenizer, model))

    return prepare


def test_a_good_sentence_is_taken_and_a_wrong_one_gives_the_plain_answer(model_says):
    model_says("The forest has 5,500,000 km2. It is green.")
    said = smollm.word_answer("How large?", PARAGRAPH, "5,500,000 km2")
    assert said == "The forest has 5,500,000 km2."
    model_says("The forest is larger than the Sahara.")
    assert smollm.word_answer("How large?", PARAGRAPH, "5,500,000 km2") == "5,500,000 km2"


def test_a_file_that_is_no_model_is_explained(tmp_path):
    file = tmp_path / "SmolLM2.gguf"
    file.write_bytes(b"not a model")
    with contextlib.suppress(AttributeError):
        smollm._load.cache_clear()
    with pytest.raises(HelpfulError, match=r"SmolLM2\.gguf could not be read as a language model"):
        smollm._load(file)
