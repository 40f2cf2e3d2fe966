"""Audio encoders: convolutional networks over pictures of sound, called log-mel spectrograms."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from safetensors.torch import load_file
from scipy.sparse import csr_array
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from helpers.assets import fetch
from helpers.encoders.base import Encoder
from helpers.errors import HelpfulError
from helpers.scenarios.audio.sounds import Sound, encoded, read_sound, without_silence

_RATE = 44_100  # Hz, and what follows in samples: all as aisfx was trained
_FRAME, _HOP, _BANDS = 2048, 1024, 96
_BLOCK, _BLOCK_HOP = 100, 50  # frames; a block is 2.3 seconds
_LARGEST = 9.457798957824707  # of the spectrograms it was trained on, which scales them to 0 .. 1
_LARGE_FILE = 16_000_000  # bytes
_PANNS_RATE = 32_000  # Hz


def log_mel(samples: np.ndarray) -> np.ndarray:
    """The log-mel spectrogram that aisfx expects: how loud each of 96 bands is, over time.

    Args:
        samples: float32, (n,), one channel at 44.1 kHz.

    Returns:
        float32, (frames, 96), a frame every 1,024 samples. Bands are equally wide on the mel
        scale from 0 to 22,050 Hz. A value is log10(10,000 x power + 1), divided by the largest of
        the training data.
    """
    import librosa  # here, because it takes seconds to load

    padded = np.pad(samples, (_FRAME // 2, _FRAME))
    power = np.abs(librosa.stft(padded, n_fft=_FRAME, hop_length=_HOP, center=False)) ** 2
    bands = (_mel_bands() @ power).T
    return (np.log10(bands * 1e4 + 1) / _LARGEST).astype(np.float32, order="C")


@cache
def _mel_bands() -> csr_array:
    import librosa

    # Sparse: a frequency lies in two bands at most. It also keeps NumPy from starting threads of
    # its own inside those that read ahead.
    return csr_array(librosa.filters.mel(sr=_RATE, n_fft=_FRAME, n_mels=_BANDS, htk=True, norm=1))


def blocks_of(spectrogram: np.ndarray) -> np.ndarray:
    """Cut a spectrogram into blocks of 100 frames, one every 50; zeros fill the last.

    Args:
        spectrogram: (frames, bands).

    Returns:
        (blocks, 100, bands), at least one block.
    """
    starts = range(0, max(1, len(spectrogram) - _BLOCK_HOP), _BLOCK_HOP)
    padded = np.pad(spectrogram, ((0, _BLOCK), (0, 0)))
    return np.stack([padded[start : start + _BLOCK] for start in starts])


def _network(weights: dict[str, torch.Tensor]) -> nn.Sequential:
    """The layers that Ma and Lerch describe, up to the last pooling: four pairs of convolutions."""
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
    return nn.Sequential(*layers[:-1])


def _exact(sound: Sound) -> bytes:
    # Not WAV: the head of one with floats holds the time at which it was written.
    return encoded(sound, "AU", subtype="FLOAT")


class _AudioEncoder(Encoder):
    metric = "IP"  # inner product; of vectors of length 1 it is the cosine
    batch_size = 16

    def __init__(self) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def content(self, item: Path | str | bytes | Sound) -> bytes:
        """The bytes of a sound file (a string is a path); of a large one, those of its beginning.

        The id is made from them. A file of more than 16 MB is read no further than is encoded, so
        an hour of sound takes no more memory than a minute.
        """
        if isinstance(item, Sound):
            return _exact(item)
        if isinstance(item, bytes):
            return item
        path = Path(item).expanduser()
        if path.stat().st_size <= _LARGE_FILE:
            return path.read_bytes()
        return _exact(read_sound(path))


class Aisfx(_AudioEncoder):
    """AI-SFX (Ma and Lerch 2022), trained on nine libraries of sound effects.

    Attributes:
        level: to how many dB below full scale the loudest sample is brought, once silence at both
            ends is cut off; None takes a sound as it is, as its authors did. They add a little
            before the logarithm, so at full scale noise far below hearing lights up the
            spectrogram. At -40 dB it does not, and the same sound is found again after noise,
            MP3 or a change of volume. Single notes of instruments are told apart better at 0.
    """

    name, dim = "aisfx", 512

    def __init__(self) -> None:
        super().__init__()
        self.level: float | None = -40
        network = _network(load_file(fetch("aisfx"))).eval()
        self.model = network.to(self._device, memory_format=torch.channels_last)
        self._at_once = 16 if self._device.type == "cpu" else 128

    def prepare(self, item: Path | str | bytes | Sound) -> np.ndarray:
        """Read a sound and cut its spectrogram into blocks: float32, (blocks, 100, 96)."""
        samples = read_sound(item, _RATE).samples
        if self.level is not None:
            samples = without_silence(samples)
            samples = samples * (10 ** (self.level / 20) / np.abs(samples).max())
        return blocks_of(log_mel(samples))

    @torch.inference_mode()
    def embed(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        """Run the network: the mean over the blocks of each sound, (n, 512) float32."""
        blocks = torch.from_numpy(np.concatenate(prepared))[:, None]
        maps = (self.model(some.to(self._device)) for some in blocks.split(self._at_once))
        vectors = np.concatenate([one.mean(dim=3).amax(dim=2).cpu().numpy() for one in maps])
        ends = np.cumsum([len(one) for one in prepared])[:-1]
        return np.stack([one.mean(axis=0) for one in np.split(vectors, ends)])


class Panns(_AudioEncoder):
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
        self.model = network.eval().to(self._device)

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
        parts = [torch.from_numpy(samples[i : i + window])[None].to(self._device) for i in starts]
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


def load_encoder(name: str) -> Encoder:
    """Load the audio encoder of that name; its weights are fetched the first time.

    Args:
        name: ``"aisfx"`` (512-d), carried by the package index, or ``"panns-cnn14"`` (2,048-d),
            whose weights come from Zenodo.

    Raises:
        HelpfulError: there is no such encoder, or its weights cannot be reached or are damaged;
            the message names the host.
    """
    kinds = {"aisfx": Aisfx, "panns-cnn14": Panns}
    if name not in kinds:
        raise HelpfulError(
            f"There is no audio encoder named {name!r}; choose {' or '.join(kinds)}."
        )
    return kinds[name]()
