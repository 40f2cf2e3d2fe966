"""EfficientNet-Lite0: timm's network with the weights of an older package, which name things so:

``_blocks.3._expand_conv.weight`` there is ``blocks.2.0.conv_pw.weight`` in timm.
"""

import torch

_OUTSIDE = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
# The first block has no expansion, so timm's names for the rest of it move up by one.
_FIRST_BLOCK = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_BLOCK = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def build(weights: dict[str, torch.Tensor]) -> torch.nn.Module:
    """EfficientNet-Lite0 without its last layer: pixels to (n, 1280).

    Args:
        weights: the state dict of ``efficientnet-lite0-57934424.pth``.

    Raises:
        RuntimeError: a tensor is missing, left over or of another shape.
    """
    # timm imports torchvision, which has to be imported here first.
    from helpers.encoders import torchvision_compat  # noqa: F401, I001
    import timm

    model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    blocks = [f"blocks.{s}.{i}" for s, stage in enumerate(model.blocks) for i in range(len(stage))]
    renamed = {}
    for key, tensor in weights.items():
        if key.startswith("_blocks."):
            _, number, layer, parameter = key.split(".")
            names = _FIRST_BLOCK if number == "0" else _BLOCK
            renamed[f"{blocks[int(number)]}.{names[layer]}.{parameter}"] = tensor
        else:
            layer, parameter = key.split(".")
            renamed[f"{_OUTSIDE[layer]}.{parameter}"] = tensor
    # The counters of the batch norms only matter in training, and the asset leaves them out.
    counters = {k: v for k, v in model.state_dict().items() if k.endswith("num_batches_tracked")}
    model.load_state_dict(counters | renamed)
    model.reset_classifier(0)
    return model
