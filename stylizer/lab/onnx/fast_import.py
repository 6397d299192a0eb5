"""The fast network back from a float file that `fast_export` wrote, to train on from it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from stylizer.errors import BadInput, StylizerError
from stylizer.lab.nets.fake_quant import QuantConv, bound
from stylizer.lab.nets.fast import AREA, TEXTURE, FastNetwork, activations
from stylizer.lab.onnx.fast_export import OF_PIXELS
from stylizer.lab.onnx.painter_graph import take_style
from stylizer.style.metadata import RANGES_KEY, texts_of

SMOOTHING = ("luma", "detail", "limit", "taken")  # layers that older files have not


def load_fast_weights(network: FastNetwork, path: Path) -> None:
    """Fill the network from a float file that `write_fast` wrote.

    Raises StylizerError when the file holds another network, BadInput when it is of the time
    before the grade and the canvas.
    """
    model = onnx.load(str(path))
    values = {v.name: numpy_helper.to_array(v).copy() for v in model.graph.initializer}
    if "stem.weight" in values:
        raise BadInput(
            f"{path}: a fast model of an older kind, whose canvas is not half as large as the "
            "frame; train it anew, or start from random weights with --init none"
        )
    ranges = json.loads(texts_of(model).get(RANGES_KEY, "{}"))
    older = "limit.weight" not in values
    for name, module in network.named_modules():
        if isinstance(module, QuantConv) and not (older and name in SMOOTHING):
            _fill(module, name, values, path)
    take_style(network, path, model)
    if older:
        network.smooth(TEXTURE, network.matrix.sum(dim=1))
    for name, act in activations(network):
        depth, reach = ranges.get(name, (float(act.depth), float(act.reach)))
        act.depth.fill_(depth)
        act.reach.fill_(reach)
    if older:
        network.edit.range_of(float(network.head_act.reach + network.taken_act.reach))
    bound(network, bool(ranges))


def _fill(conv: QuantConv, name: str, values: dict[str, np.ndarray], path: Path) -> None:
    """One convolution from the file's values. Raises StylizerError when they do not fit."""
    values = values | of_blocks(values)
    if values.get(f"{name}.weight") is None or conv.bias is None:
        raise StylizerError(f"{path}: not a float model of this architecture (no {name!r})")
    weight, bias = _disarranged(name, values)
    if weight.shape != tuple(conv.weight.shape):
        raise StylizerError(f"{path}: {name!r} is {weight.shape}, not {tuple(conv.weight.shape)}")
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(weight))
        conv.bias.copy_(torch.from_numpy(bias))


def of_blocks(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a float file has as convolutions of pixels, as 1x1 convolutions of their blocks; of
    those that are there."""

    def joined(*names: str) -> dict[str, np.ndarray]:
        parts = [values.get(f"{name}.weight") for name in names]
        planes = [w.reshape(len(w), -1, 1, 1) * 255 for w in parts if w is not None]
        return {f"{names[0].split('.')[0]}.weight": np.concatenate(planes, 1)} if planes else {}

    return joined("stem.frame", "stem.canvas") | joined("luma")


def inner_widths(path: Path) -> tuple[int, ...]:
    """Channels between the two convolutions of each block of a file that `write_fast` wrote."""
    shapes = {v.name: v.dims[0] for v in onnx.load(str(path)).graph.initializer if v.dims}
    numbers = range(sum(bool(re.fullmatch(r"blocks\.\d+\.conv1\.weight", n)) for n in shapes))
    return tuple(int(shapes[f"blocks.{i}.conv1.weight"]) for i in numbers)


def _disarranged(name: str, values: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The weights and bias of a convolution as PyTorch has them: `arranged` backwards."""
    weight, bias = values[f"{name}.weight"], values[f"{name}.bias"]
    if name in OF_PIXELS:
        weight, bias = planewise(weight, AREA) / 255, planewise(bias, AREA) / 255
    elif name == "up":
        weight, bias = planewise(weight, 4), planewise(bias, 4)
    return np.ascontiguousarray(weight), np.ascontiguousarray(bias)


def planewise(values: np.ndarray, area: int) -> np.ndarray:
    """First axis from (place, channel) to PyTorch's (channel, place)."""
    split = values.reshape(area, len(values) // area, *values.shape[1:])
    return split.swapaxes(0, 1).reshape(values.shape)
