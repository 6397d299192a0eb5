"""Channels that no picture switches on are left out of a trained network.

A ReLU that is zero everywhere gets no gradient and stays so ("dying ReLU", Lu et al. 2019): after a
long training without norms 66 of the 144 channels inside mosaic-fast's blocks were never on.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from stylizer.lab.nets.fake_quant import QuantConv
from stylizer.lab.nets.fast import FastNetwork, activations

LANES = 8  # integer convolutions work on so many channels at a time


@torch.no_grad()
def leave_out_dead(network: FastNetwork, pictures: Tensor) -> FastNetwork:
    """The network without the channels inside its blocks that are never on in these pictures, (B,
    3, H, W) in 0..1: the same picture, faster. Widths stay multiples of `LANES`; norms are folded.
    """
    every = dict(_convolutions(network))
    names = [f"blocks.{i}.conv1" for i in range(len(network.blocks))]
    active = [_on(network, every[name], pictures) for name in names]
    widths = [min(len(s), full_lanes(int((s > 0).sum()))) for s in active]
    slim = FastNetwork(replace(network.arch, inner=tuple(widths))).to(pictures.device).eval()
    slim.copy_style(network)
    picked = {
        f"blocks.{i}.conv": share.argsort(descending=True)[:width].sort().values
        for i, (share, width) in enumerate(zip(active, widths, strict=True))
    }
    for name, new in _convolutions(slim):
        weight, bias = every[name].folded()
        kept = picked.get(name[:-1])
        if kept is not None:
            first = name.endswith("1")
            weight, bias = (weight[kept], bias[kept]) if first else (weight[:, kept], bias)
        new.weight.copy_(weight)
        assert new.bias is not None
        new.bias.copy_(bias)
    for (_, new), (_, old) in zip(activations(slim), activations(network), strict=True):
        new.reach.copy_(old.reach)
        new.depth.copy_(old.depth)
    return slim


def full_lanes(channels: int) -> int:
    """The next multiple of LANES, at least one."""
    return max(1, -(-channels // LANES)) * LANES


def _on(network: FastNetwork, conv: QuantConv, pictures: Tensor) -> Tensor:
    """(C,): part of the places at which each channel is above zero."""
    return (output_of(network, conv, pictures) > 0).float().mean(dim=(0, 2, 3))


def _convolutions(network: FastNetwork) -> list[tuple[str, QuantConv]]:
    return [(n, m) for n, m in network.named_modules() if isinstance(m, QuantConv)]


def output_of(network: nn.Module, conv: QuantConv, pictures: Tensor) -> Tensor:
    """What a convolution gives for these pictures: (B, C, h, w)."""
    outputs: list[Tensor] = []

    def keep(_conv: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        outputs.append(output)

    hook = conv.register_forward_hook(keep)
    try:
        network(pictures)
    finally:
        hook.remove()
    return outputs[0]
