"""Pruning one family of networks: single weights (unstructured) or whole channels (structured)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from stylizer.lab.nets.johnson import Arch, ConvLayer, StyleNetwork, watch_layers

STEP = 8  # channels that a kernel computes at once: a width between two multiples costs the upper


def prune_weights(network: StyleNetwork, ratio: float) -> list[tuple[nn.Conv2d, str]]:
    """Mask the smallest share `ratio` of all convolutions' weights, taken over the whole network
    (global L1). The masks stay on while training goes on, until `make_permanent`."""
    layers = [(m.conv2d, "weight") for m in network.modules() if isinstance(m, ConvLayer)]
    prune.global_unstructured(layers, pruning_method=prune.L1Unstructured, amount=ratio)
    return layers


def make_permanent(layers: list[tuple[nn.Conv2d, str]]) -> None:
    """Leave plain weights with zeros in them."""
    for layer, name in layers:
        prune.remove(layer, name)


def narrower(width: int, ratio: float) -> int:
    """Channels left of `width`: a multiple of 8 where there are 16 or more, at least 1."""
    left = width * (1 - ratio)
    if width >= 2 * STEP:
        return min(width, max(STEP, round(left / STEP) * STEP))
    return max(1, round(left))


def prune_channels(network: StyleNetwork, ratio: float, pictures: list[Tensor]) -> StyleNetwork:
    """A narrower copy without the channels that matter least; pictures (1, 3, H, W) in 0..1.

    Channels form groups that live or die together: all that is added onto the residual stream is
    one group, every other tensor behind a norm is its own. A channel matters as much as it is
    strong (RMS on the pictures) times as much as is made of it (norm of the weights that read it).
    """
    arch = network.arch
    matter = importance(network, pictures)
    a, b, c = (narrower(width, ratio) for width in arch.widths)
    inner = tuple(narrower(w, ratio) for w in arch.inner or (arch.widths[2],) * arch.blocks)
    sizes = {"conv1": a, "conv2": b, "stream": c, "deconv1": b, "deconv2": a}
    sizes |= {f"blocks.{i}": n for i, n in enumerate(inner)}
    kept = {name: _strongest(matter[name], size) for name, size in sizes.items()}
    same = () if set(inner) == {c} else inner
    small = StyleNetwork(replace(arch, widths=(a, b, c), inner=same))
    _copy(network, small, kept)
    small.copy_style(network)
    return small.eval()


def _strongest(values: np.ndarray, count: int) -> Tensor:
    return torch.from_numpy(np.sort(np.argsort(values)[::-1][:count]).copy())


def readers(arch: Arch) -> dict[str, list[str]]:
    """The convolutions that read each group of channels."""
    stream = [f"blocks.{i}.conv1" for i in range(arch.blocks)]
    found = {
        "conv1": ["conv2"],
        "conv2": ["conv3"],
        "stream": [*stream, "deconv1"],
        "deconv1": ["deconv2"],
        "deconv2": ["deconv3"],
    }
    return found | {f"blocks.{i}": [f"blocks.{i}.conv2"] for i in range(arch.blocks)}


def writers(arch: Arch) -> dict[str, list[tuple[str, str]]]:
    """The convolutions that write each group, with their norms."""
    stream = [(f"blocks.{i}.conv2", f"blocks.{i}.in2") for i in range(arch.blocks)]
    found = {
        "conv1": [("conv1", "in1")],
        "conv2": [("conv2", "in2")],
        "stream": [("conv3", "in3"), *stream],
        "deconv1": [("deconv1", "in4")],
        "deconv2": [("deconv2", "in5")],
    }
    inside = {f"blocks.{i}": [(f"blocks.{i}.conv1", f"blocks.{i}.in1")] for i in range(arch.blocks)}
    return found | inside


def importance(network: StyleNetwork, pictures: list[Tensor]) -> dict[str, np.ndarray]:
    """(C,) for each group: over its readers, RMS of what they read times the norm of their weights
    for that channel, relative to the layer's whole."""
    power: dict[str, Tensor] = {}

    def note(name: str, given: Tensor, _made: Tensor) -> None:
        square = given.square().mean(dim=(0, 2, 3))
        power[name] = power.get(name, torch.zeros_like(square)) + square

    watch_layers(network, pictures, note)
    convs = {n: m for n, m in network.named_modules() if isinstance(m, ConvLayer)}
    found = {}
    for group, names in readers(network.arch).items():
        total = 0.0
        for name in names:
            norms = convs[name].conv2d.weight.detach().square().sum(dim=(0, 2, 3)).sqrt()
            values = power[name].sqrt() * norms
            total = total + (values / values.sum().clamp_min(1e-12)).numpy()
        found[group] = np.asarray(total)
    return found


def _copy(old: StyleNetwork, new: StyleNetwork, kept: dict[str, Tensor]) -> None:
    """Fill the narrower network with the kept channels' weights."""
    outputs = {conv: kept[g] for g, pairs in writers(old.arch).items() for conv, _ in pairs}
    norms = {norm: kept[g] for g, pairs in writers(old.arch).items() for _, norm in pairs}
    inputs = {conv: kept[g] for g, names in readers(old.arch).items() for conv in names}
    target = new.state_dict()
    for name, values in old.state_dict().items():
        layer, kind = name.rsplit(".conv2d.", 1) if ".conv2d." in name else (name, "norm")
        if kind == "weight":
            if layer in outputs:
                values = values[outputs[layer]]
            if layer in inputs:
                values = values[:, inputs[layer]]
        elif kind == "bias":
            values = values[outputs[layer]] if layer in outputs else values
        else:
            values = values[norms[name.rpartition(".")[0]]]
        target[name].copy_(values)


def zeros_share(network: StyleNetwork) -> float:
    """Share of the convolutions' weights that are zero."""
    weights = [m.conv2d.weight for m in network.modules() if isinstance(m, ConvLayer)]
    return sum(int((w == 0).sum()) for w in weights) / sum(w.numel() for w in weights)
