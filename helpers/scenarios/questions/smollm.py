"""A small language model that words an answer as a sentence: SmolLM2-135M-Instruct, in four bits.

Source: Ben Allal et al., SmolLM2, 2025. With 135 million parameters it writes fluent English and
knows little, and it invents what it does not know. So it is given the answer and only words it.
"""

import contextlib
import io
import re
from functools import cache
from pathlib import Path
from typing import Any

from helpers.assets import fetch
from helpers.encoders import torchvision_compat  # noqa: F401  transformers imports torchvision
from helpers.errors import HelpfulError
from helpers.scenarios.questions.questions import normalise

_ORDER = (
    "You answer a question in one short sentence that contains the given answer word for word. "
    "You add nothing that is not in the text."
)
_LONGEST = 60  # word pieces of a sentence
_PARAGRAPH = 1_200  # characters of the paragraph that the model reads: each costs time


def word_answer(question: str, paragraph: str, answer: str) -> str:
    """An answer as a sentence, worded by the model; the plain answer where its sentence lost it.

    The model is loaded at the first call, which takes longer than all later ones.

    Args:
        question: what was asked.
        paragraph: the text that holds the answer.
        answer: the answer, as it stands in the paragraph.

    Returns:
        A sentence that contains the answer, as ``is_worded`` has it, or the answer itself. What
        the sentence says beside the answer may be wrong: nothing here can check that.

    Raises:
        HelpfulError: the model could not be fetched or loaded.
    """
    tokenizer, model = _load(fetch("smollm2"))
    inputs = tokenizer.apply_chat_template(
        build_prompt(question, paragraph, answer),
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    length = inputs["input_ids"].shape[1]
    output = model.generate(
        **inputs, max_new_tokens=_LONGEST, do_sample=False, pad_token_id=model.config.eos_token_id
    )
    sentence = first_sentence(tokenizer.decode(output[0, length:], skip_special_tokens=True))
    return sentence if is_worded(sentence, answer) else answer


def build_prompt(question: str, paragraph: str, answer: str) -> list[dict[str, str]]:
    """The messages the model is given: what to do, then text, question and answer.

    Of a long paragraph it gets the part around the answer.
    """
    middle = max(0, paragraph.find(answer)) + len(answer) // 2
    start = max(0, min(middle - _PARAGRAPH // 2, len(paragraph) - _PARAGRAPH))
    text = paragraph[start : start + _PARAGRAPH]
    user = f"Text: {text}\n\nQuestion: {question}\nAnswer: {answer}\nSay it in one short sentence."
    return [{"role": "system", "content": _ORDER}, {"role": "user", "content": user}]


def first_sentence(text: str) -> str:
    """The text up to the first full stop, question or exclamation mark that ends a sentence."""
    return re.split(r"(?<=[.!?]) ", " ".join(text.split()), maxsplit=1)[0]


def is_worded(sentence: str, answer: str) -> bool:
    """Whether a sentence contains an answer, and more than it, compared as SQuAD does."""
    said, wanted = normalise(sentence), normalise(answer)
    return bool(wanted) and f" {wanted} " in f" {said} " and said != wanted


@cache
def _load(file: Path) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, logging

    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        with contextlib.redirect_stderr(io.StringIO()):  # a progress bar that cannot be turned off
            model, report = AutoModelForCausalLM.from_pretrained(
                file.parent,
                gguf_file=file.name,
                quantization_config=GgufConfig(dequantize=True),  # quicker than unpacking each time
                dtype=torch.bfloat16,
                output_loading_info=True,
            )
    except (OSError, ValueError, KeyError) as error:
        raise HelpfulError(
            f"{file.name} could not be read as a language model ({str(error).splitlines()[0]}); "
            "delete it and fetch it again."
        ) from error
    if report["missing_keys"] or report["mismatched_keys"]:
        # transformers would fill the gaps with random numbers.
        raise HelpfulError(f"{file.name} does not hold the weights of SmolLM2; fetch it again.")
    return tokenizer, model.eval()
