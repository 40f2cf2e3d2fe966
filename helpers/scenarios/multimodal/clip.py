"""CLIP: a network for photos and one for sentences, trained together to give like vectors.

Source: Radford et al., Learning Transferable Visual Models From Natural Language Supervision, 2021.
Its weights come from the Hugging Face hub, for those who choose it by name.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from helpers.encoders import torchvision_compat  # noqa: F401  transformers imports torchvision
from helpers.encoders.base import PictureEncoder
from helpers.encoders.text import TextEncoder, check_text
from helpers.errors import HelpfulError
from helpers.fetching.hub import HubError, hub_model
from helpers.inputs.pictures import open_image

_ON_THE_HUB = {"clip": "openai/clip-vit-base-patch32"}
_SETTINGS = ["*.json", "*.txt"]
_SAFE, _PICKLED = "model*.safetensors", "pytorch_model*.bin"


class ClipImages(PictureEncoder):
    """The half of CLIP that looks at photos."""

    batch_size = 16

    def __init__(self, name: str, model: Any, processor: Any) -> None:
        self.name, self.dim = name, model.config.projection_dim
        self.model, self._processor = model, processor

    def prepare(self, item: Any) -> np.ndarray:
        """Read a picture and scale it as the model wants it: float32, (3, side, side)."""
        return self._processor(open_image(item), return_tensors="np")["pixel_values"][0]

    @torch.inference_mode()
    def embed(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        """Run the network: (n, 3, side, side) to (n, dim) float32."""
        pixels = torch.from_numpy(np.stack(prepared)).to(self.model.device)
        found = self.model.get_image_features(pixel_values=pixels)
        return found.pooler_output.float().cpu().numpy()


class ClipTexts(TextEncoder):
    """The half of CLIP that reads sentences, in its own languages: English, for most models."""

    batch_size = 64

    def __init__(self, name: str, model: Any, tokenizer: Any) -> None:
        self.name, self.dim = name, model.config.projection_dim
        self.model, self._tokenizer = model, tokenizer
        self.max_tokens = model.config.text_config.max_position_embeddings

    def prepare(self, item: str) -> list[int]:
        """Cut a text into word pieces, at most ``max_tokens``, and look up their numbers."""
        pieces = self._tokenizer(check_text(item), truncation=True, max_length=self.max_tokens)
        return pieces["input_ids"]

    @torch.inference_mode()
    def embed(self, prepared: Sequence[list[int]]) -> np.ndarray:
        """Run the network: n texts to (n, dim) float32."""
        batch = self._tokenizer.pad({"input_ids": list(prepared)}, return_tensors="pt")
        found = self.model.get_text_features(**batch.to(self.model.device))
        return found.pooler_output.float().cpu().numpy()


def load(name: str) -> tuple[ClipImages, ClipTexts]:
    """Build the pair; ``helpers.scenarios.multimodal.joint.load_joint`` calls this.

    Raises:
        HelpfulError: the model cannot be reached, is no CLIP, or its files are incomplete.
    """
    from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer, logging

    logging.disable_progress_bar()
    try:
        folder = _folder(_ON_THE_HUB.get(name, name))
        model, report = CLIPModel.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, output_loading_info=True
        )
        processor = CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)
        tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except HubError as error:
        raise HubError(f"{error} ENCODER 'conse' needs no hub.") from None
    except (OSError, ValueError, KeyError) as error:
        raise HelpfulError(
            f"{name} holds no CLIP model that transformers can load "
            f"({str(error).splitlines()[0]}); choose another."
        ) from error
    if report["missing_keys"] or report["mismatched_keys"]:
        # transformers would fill the gaps with random numbers.
        raise HelpfulError(
            f"{name} lacks some of CLIP's weights; fetch it again, or choose another."
        )
    model = model.eval().to("cuda" if torch.cuda.is_available() else "cpu")
    return ClipImages(name, model, processor), ClipTexts(name, model, tokenizer)


def _folder(name: str) -> Path:
    """The folder of a model that is certainly a CLIP, with its weights in one form."""
    folder = hub_model(name, _SETTINGS)
    settings = folder / "config.json"
    kind = json.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    if kind.get("model_type") != "clip":
        raise HelpfulError(
            f"{name} is no CLIP model but {kind.get('model_type', 'of an unknown kind')}; choose "
            "one such as openai/clip-vit-base-patch32."
        )
    if not any((folder / file).exists() for file in ("tokenizer.json", "vocab.json")):
        # transformers would go on with a tokenizer that knows no word.
        raise HelpfulError(f"{name} has no tokenizer.json; fetch it again, or choose another.")
    # Some models, the default among them, were published before there was safetensors.
    folder = hub_model(name, [*_SETTINGS, _SAFE])
    return folder if any(folder.glob(_SAFE)) else hub_model(name, [*_SETTINGS, _PICKLED])
