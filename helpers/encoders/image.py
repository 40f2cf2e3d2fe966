"""Image encoders: convolutional networks trained on ImageNet, without their last layer."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn.utils.fusion import fuse_conv_bn_eval

from helpers.assets import fetch
from helpers.encoders import efficientnet_lite
from helpers.encoders.base import PictureEncoder
from helpers.encoders.torchvision_compat import torchvision
from helpers.inputs.pictures import open_image

_SIZE = 224  # the side of the square the networks were trained on
_RESIZED = 256  # the shorter side of the whole picture before that square is cut from its middle


@dataclass(frozen=True)
class _Architecture:
    """How to build one network from its weights, and the pixel scaling it was trained with."""

    dim: int
    build: Callable[[dict[str, torch.Tensor]], torch.nn.Module]
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    resample: Image.Resampling = Image.Resampling.BILINEAR


def _fold_batch_norm(module: torch.nn.Module) -> None:
    """Merge each batch norm into the convolution before it: the same function, fewer passes."""
    for (name, layer), (next_name, following) in itertools.pairwise(list(module.named_children())):
        if isinstance(layer, torch.nn.Conv2d) and isinstance(following, torch.nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(layer, following))
            setattr(module, next_name, torch.nn.Identity())
    for child in module.children():
        _fold_batch_norm(child)


def _resnet(build: Callable[[], torch.nn.Module], weights: dict[str, torch.Tensor]):
    model = build()
    model.load_state_dict(weights)
    model.fc = torch.nn.Identity()
    _fold_batch_norm(model.eval())
    return model


def _vgg16(weights: dict[str, torch.Tensor]) -> torch.nn.Module:
    model = torchvision.models.vgg16()
    model.load_state_dict(weights)
    # Global max pooling of the last feature map: the 512-d vector of the classic image search.
    return torch.nn.Sequential(model.features, torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten())


_ARCHITECTURES = {
    "resnet18": _Architecture(512, lambda w: _resnet(torchvision.models.resnet18, w)),
    "resnet50": _Architecture(2048, lambda w: _resnet(torchvision.models.resnet50, w)),
    "vgg16": _Architecture(512, _vgg16),
    "efficientnet-lite0": _Architecture(
        1280, efficientnet_lite.build, (0.5,) * 3, (0.5,) * 3, Image.Resampling.BICUBIC
    ),
}


def central_square(image: Image.Image, resample: Image.Resampling) -> np.ndarray:
    """The middle of a picture as the networks expect it: uint8, (224, 224, 3).

    The same pixels as torchvision's ``Resize(256)`` and ``CenterCrop(224)``, but only the square is
    resampled, so a very wide picture costs no more than a square one.
    """
    width, height = image.size
    scale = _RESIZED / min(width, height)
    resized_width = max(_RESIZED, int(width * scale))
    resized_height = max(_RESIZED, int(height * scale))
    step_x, step_y = width / resized_width, height / resized_height
    left = round((resized_width - _SIZE) / 2) * step_x
    top = round((resized_height - _SIZE) / 2) * step_y
    box = (left, top, left + _SIZE * step_x, top + _SIZE * step_y)
    return np.asarray(image.resize((_SIZE, _SIZE), resample, box=box))


class ImageEncoder(PictureEncoder):
    """A convolutional network that turns a picture into one vector."""

    def __init__(self, name: str) -> None:
        architecture = _ARCHITECTURES[name]
        self.name = name
        self.dim = architecture.dim
        self._resample = architecture.resample
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        # On a CPU small batches stay in its cache: 8 is a third faster than 32 with two cores.
        self.batch_size = 8 if self._device.type == "cpu" else 64
        model = architecture.build(load_file(fetch(name))).eval()
        self.model = model.to(self._device, memory_format=torch.channels_last)
        self._mean = torch.tensor(architecture.mean, device=self._device)[:, None, None] * 255
        self._std = torch.tensor(architecture.std, device=self._device)[:, None, None] * 255

    def prepare(self, item: Path | str | bytes | Image.Image) -> np.ndarray:
        """Read a picture and cut its central square: uint8, (224, 224, 3)."""
        return central_square(open_image(item), self._resample)

    @torch.inference_mode()
    def embed(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        """Run the network: (n, 224, 224, 3) uint8 to (n, dim) float32."""
        # Rows of RGB pixels are already the memory order that channels_last stands for.
        pixels = torch.from_numpy(np.stack(prepared)).to(self._device).permute(0, 3, 1, 2)
        return self.model(pixels.float().sub_(self._mean).div_(self._std)).cpu().numpy()


def load(name: str) -> ImageEncoder:
    """Build the image encoder of that name; ``helpers.encoders.load_encoder`` calls this."""
    return ImageEncoder(name)
