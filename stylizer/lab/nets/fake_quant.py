"""Quantization in training: what an integer graph will do, done in float (Jacob et al. 2018).

Activations are uint8 with one scale a tensor, weights int8 with one scale an output channel and
only 7 bits of it: without VNNI a CPU multiplies u8 by s8 in pairs and saturates at 16 bits
(vpmaddubsw), and 255 * 64 * 2 just fits (see facts on U8S8 in ONNX Runtime's documentation).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylizer.frame import WEIGHT_LEVELS

EMA = 0.02
NORM_MOMENTUM = 0.03  # batches are small: follow their statistics slowly


class RoundThrough(torch.autograd.Function):
    """round() whose gradient is 1 (the straight-through estimator, Bengio et al. 2013)."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return torch.round(x)

    @staticmethod
    def backward(ctx: object, *grads: Tensor) -> Tensor:
        return grads[0]


def rounded(x: Tensor) -> Tensor:
    """round(x), with the gradient of x."""
    result = RoundThrough.apply(x)
    assert isinstance(result, Tensor)
    return result


class Activation(nn.Module):
    """A place where the integer graph holds uint8. Off: passes through.

    signed: the range goes below zero, as far as above, else it begins at 0 (after a ReLU). Where
    the other summand of relu(x + other) is given, no further below than that reaches above: the
    ReLU makes nothing of what is lower. mosaic-fast's steps became 2 to 6 times as fine, and what
    its integers made of noise in the game a third less.
    bounding: keeps to the range without rounding (as in PACT, Choi et al. 2018), as the float files
    do. Where only the integers did, bright snow was their one clear difference: 31 dB on mosaic.
    """

    def __init__(self, signed: bool = False, fixed: float | None = None) -> None:
        super().__init__()
        self.signed = signed
        self.fixed = fixed is not None  # a range that is given and never observed
        self.observing = False
        self.quantizing = False
        self.bounding = False
        self.reach: Tensor
        self.depth: Tensor
        self.register_buffer("reach", torch.tensor(fixed or 0.0))
        self.register_buffer("depth", torch.tensor(fixed or 0.0 if signed else 0.0))

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        if self.observing and not self.fixed:
            self._observe(x.detach(), other)
        if self.quantizing:
            scale = self.scale()
            low = torch.round(self.depth / scale)
            return (rounded(x / scale + low).clamp(0, 255) - low) * scale
        return x.clamp(*self.bounds()) if self.bounding else x

    def range_of(self, reach: float) -> None:
        """Begin with a range."""
        self.reach.fill_(reach)
        self.depth.fill_(reach if self.signed else 0.0)

    @property
    def zero_point(self) -> int:
        """The uint8 that stands for 0."""
        return round(float(self.depth / self.scale()))

    def scale(self) -> Tensor:
        """Float value of one step."""
        return (self.reach + self.depth).clamp_min(1e-4) / 255

    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value that the integer graph can hold here."""
        low, scale = self.zero_point, float(self.scale())
        return -low * scale, (255 - low) * scale

    def _observe(self, x: Tensor, other: Tensor | None) -> None:
        self._follow(self.reach, x if self.signed and other is not None else x.abs())
        if self.signed:
            if other is None:
                self.depth.copy_(self.reach)
            else:
                self._follow(self.depth, other.detach())

    def _follow(self, range_end: Tensor, values: Tensor) -> None:
        """The 99.99th percentile of the values: single outliers cost everyone steps."""
        sample = values.flatten()[:: max(1, values.numel() // 50_000)]
        end = (torch.quantile(sample.float(), 0.9999) * 1.05).clamp_min(0)
        first = range_end == 0
        range_end.copy_(torch.where(first, end, range_end + EMA * (end - range_end)))


class QuantConv(nn.Conv2d):
    """A convolution whose weights can be rounded as the integer graph rounds them. It repeats the
    edge: with zeros around, training painted its style onto the border and nowhere else.

    normed: with a batch norm behind it (Ioffe and Szegedy 2015), which the integer graph has not:
    it counts while `normalizing`, else its running statistics are folded into the weights.
    """

    quantizing = False
    normalizing = False

    def __init__(
        self,
        inp: int,
        out: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        normed: bool = False,
        dilation: int = 1,
    ) -> None:
        super().__init__(inp, out, kernel, stride, groups=groups, dilation=dilation)
        self.rim = dilation * (kernel // 2)
        self.norm = nn.BatchNorm2d(out, momentum=NORM_MOMENTUM) if normed else None

    def folded(self) -> tuple[Tensor, Tensor]:
        """(weight, bias) with the norm's running statistics in them."""
        assert self.bias is not None
        if self.norm is None:
            return self.weight, self.bias
        mean, variance = self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert variance is not None
        gain = self.norm.weight * torch.rsqrt(variance + self.norm.eps)
        bias = (self.bias - mean) * gain + self.norm.bias
        return self.weight * gain.view(-1, 1, 1, 1), bias

    def weight_scale(self) -> Tensor:
        """(out,): float value of one step of each output channel."""
        weight = self.folded()[0].detach()
        return weight.abs().amax(dim=(1, 2, 3)).clamp_min(1e-8) / WEIGHT_LEVELS

    def forward(self, input: Tensor) -> Tensor:
        if self.rim:
            input = F.pad(input, (self.rim,) * 4, mode="replicate")
        if self.norm is not None and self.normalizing:
            return self.norm(super().forward(input))
        weight, bias = self.folded()
        if self.quantizing:
            scale = self.weight_scale().view(-1, 1, 1, 1)
            weight = rounded(weight / scale) * scale
        return F.conv2d(input, weight, bias, self.stride, 0, self.dilation, self.groups)


def observe(network: nn.Module, on: bool) -> None:
    """Let every activation follow its range, or not."""
    for module in network.modules():
        if isinstance(module, Activation):
            module.observing = on


def quantize(network: nn.Module, on: bool) -> None:
    """Compute as the integer graph does, or in plain float."""
    for module in network.modules():
        if isinstance(module, Activation | QuantConv):
            module.quantizing = on


def bound(network: nn.Module, on: bool) -> None:
    """Keep every activation to its range, as the written files do, or not."""
    for module in network.modules():
        if isinstance(module, Activation):
            module.bounding = on


def normalize(network: nn.Module, on: bool) -> None:
    """Let batch norms see each batch's statistics, or have them folded into the weights."""
    for module in network.modules():
        if isinstance(module, QuantConv):
            module.normalizing = on
