"""What encoders of sounds share, the network of AI-SFX, and CNN14 of PANNs."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from helpers.assets import fetch
from helpers.encoders.base import Encoder
from helpers.errors import HelpfulError
from helpers.inputs.files import open_file
from helpers.scenarios.audio.sounds import Sound, encoded, read_sound

_LARGE_FILE = 16_000_000  # bytes
_PANNS_RATE = 32_000  # Hz


class SoundEncoder(Encoder):
    """The part that encoders of sounds have in common.

    Attributes:
        device: where its network runs.
    """

    metric = "IP"  # inner product; of vectors of length 1 it is the cosine
    batch_size = 16

    def __init__(self) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def content(self, item: Path | str | bytes | Sound) -> bytes:
        """The bytes of a sound file (a string is a path); of a large one, those of its beginning.

        The id is made from them. A file of more than 16 MB is read no further than is encoded, so
        an hour of sound takes no more memory than a minute.
        """
        if isinstance(item, Sound):
            return _exact(item)
        if isinstance(item, bytes):
            return item
        with open_file(item) as file:
            content = file.read(_LARGE_FILE + 1)
        return content if len(content) <= _LARGE_FILE else _exact(read_sound(item))


def load_network(device: torch.device | str = "cpu") -> nn.Sequential:
    """The layers of AI-SFX (Ma and Lerch 2022) up to the last pooling: four pairs of convolutions.

    Returns:
        A network that turns pictures, (n, 1, frames, bands), into maps of what it found in them,
        (n, 512, frames / 8, bands / 8).
    """
    weights = load_file(fetch("aisfx"))
    layers: list[nn.Module] = []
    for block in range(1, 5):
        place = f"embedding_net.conv_block{block}."
        for half in (1, 2):
            kernel = weights[f"{place}conv{half}.weight"]
            parts = ("running_mean", "running_var", "weight", "bias")
            mean, variance, scale, shift = (weights[f"{place}bn{half}.{part}"] for part in parts)
            layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
            # One layer that does what a convolution and its batch norm do: the same function in
            # fewer passes.
            layer.weight, layer.bias = fuse_conv_bn_weights(
                kernel, None, mean, variance, 1e-5, scale, shift
            )
            layers += [layer, nn.ReLU(True)]
        layers.append(nn.MaxPool2d(2))
    network = nn.Sequential(*layers[:-1]).eval()
    return network.to(device, memory_format=torch.channels_last)


def _exact(sound: Sound) -> bytes:
    # Not WAV: the head of one with floats holds the time at which it was written.
    return encoded(sound, "AU", subtype="FLOAT")


class Panns(SoundEncoder):
    """CNN14 of PANNs (Kong et al. 2020), trained on AudioSet; the classic choice, 327 MB.

    The vector of a sound is the mean over its windows of ten seconds, the length of the sounds it
    was trained on.
    """

    name, dim = "panns-cnn14", 2048

    def __init__(self) -> None:
        super().__init__()
        path = fetch("panns-cnn14")
        network = _panns_models().Cnn14(
            sample_rate=_PANNS_RATE, window_size=1024, hop_size=320, mel_bins=64, fmin=50,
            fmax=14_000, classes_num=527,
        )  # fmt: skip
        try:
            weights = torch.load(path, map_location="cpu", weights_only=True)["model"]
            network.load_state_dict(weights)
        except Exception as error:  # a damaged pickle can raise nearly anything
            raise HelpfulError(
                f"{path.name} does not hold the weights of CNN14 ({type(error).__name__}); delete "
                "it, and get Cnn14_mAP=0.431.pth from zenodo.org/records/3987831."
            ) from error
        self.model = network.eval().to(self.device)

    def prepare(self, item: Path | str | bytes | Sound) -> np.ndarray:
        """Read a sound at 32 kHz: float32, (n,), at least half a second, zeros at its end."""
        samples = read_sound(item, _PANNS_RATE).samples
        # The network halves time five times, so it needs a third of a second.
        return np.pad(samples, (0, max(0, _PANNS_RATE // 2 - len(samples))))

    @torch.inference_mode()
    def embed(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        """Run the network on one sound after the other: (n, 2048) float32."""
        return np.stack([self._vector(samples) for samples in prepared])

    def _vector(self, samples: np.ndarray) -> np.ndarray:
        window, least = 10 * _PANNS_RATE, _PANNS_RATE // 2
        # A last window too short for the network is left out.
        starts = range(0, max(1, len(samples) - least + 1), window)
        parts = [torch.from_numpy(samples[i : i + window])[None].to(self.device) for i in starts]
        vectors = [self.model(part)["embedding"][0].cpu().numpy() for part in parts]
        return np.mean(vectors, axis=0)


def _panns_models() -> ModuleType:
    """The module with the networks, without the package's own ``__init__``.

    That one runs wget for a table of labels nobody needs here, and fails without it.
    """
    if "panns_inference" not in sys.modules:
        spec = importlib.util.find_spec("panns_inference")
        if spec is None:
            raise HelpfulError("panns-cnn14 needs the package panns-inference: pip install it.")
        sys.modules["panns_inference"] = importlib.util.module_from_spec(spec)
        try:
            return importlib.import_module("panns_inference.models")
        finally:
            del sys.modules["panns_inference"]  # half a package is not for others to find
    return importlib.import_module("panns_inference.models")


def load_encoder(name: str) -> SoundEncoder:
    """Load an encoder that lies in this room; its weights are fetched the first time.

    Args:
        name: ``"panns-cnn14"`` (2,048-d), whose weights come from Zenodo. The other one, aisfx, is
            written out in the notebook.

    Raises:
        HelpfulError: there is no such encoder, or its weights cannot be reached or are damaged;
            the message names the host.
    """
    if name != "panns-cnn14":
        raise HelpfulError(f"There is no audio encoder {name!r}; choose aisfx or panns-cnn14.")
    return Panns()
