"""The feed-forward style network of Johnson et al. 2016, with the widths as parameters.

Layers as in PyTorch's `fast_neural_style` example: 9x9 convolution, two strided 3x3 convolutions,
five residual blocks, two nearest-upsample + 3x3 convolutions, 9x9 convolution; affine instance
norm (Ulyanov et al. 2016), ReLU, reflection padding. It gives the edit, see `painter`, and how
strongly the canvas is laid at each pixel: with the edit alone, thousands of steps gave the lines
between panes and hardly their colors. And how far the frame's texture is smoothed away: an edit
that takes a game's grit away exactly was not learnt, either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylizer.frame import CANVAS_MIDDLE
from stylizer.lab.nets.painter import CANVAS_STEP, Painter
from stylizer.lab.nets.smoothing import smoothed

# 2,592 weights add up in one output value, so one Adam step of 1e-3 could move it by the whole
# range. Copying the input with small, one seed, 100 steps at 1e-3: correlation 0.2 to 0.56 and
# jumping with a gain of 1; 0.60 to 0.62 and steady with 0.05. A whole training was not compared.
OUTPUT_GAIN = 0.05
LAID_GAIN = 0.25  # of how strongly the canvas is laid, which is wanted at about 0.7
SMOOTH_GAIN = 0.25  # of how far texture is smoothed away, wanted at about the same
SMOOTH = 0.02  # variance of the luma of texture that can be

INPUT_CHANNELS = 6  # channels of frame and canvas
# Of the last layer: the edit, how strongly the canvas is laid, how far texture is smoothed away.
GIVEN = 5


@dataclass(frozen=True)
class Arch:
    """Widths of one tier: channels at full, half and quarter size, and residual blocks.

    inner: channels inside each block where pruning left others than around it; () for the same.
    half: its file keeps weights in half precision, and computes in single.
    """

    name: str
    widths: tuple[int, int, int]
    blocks: int = 5
    size_multiple: int = 4
    inner: tuple[int, ...] = ()
    half: bool = False


JOHNSON_ARCHS = {
    "original": Arch("original", (32, 64, 128)),
    "small": Arch("small", (16, 32, 32), half=True),
    "tiny": Arch("tiny", (4, 8, 8), blocks=1),  # for tests: trains in seconds
}


class ConvLayer(nn.Module):
    """Reflection padding and a convolution; optionally nearest upsampling before."""

    def __init__(self, inp: int, out: int, kernel: int, stride: int = 1, upsample: int = 1) -> None:
        super().__init__()
        self.upsample = upsample
        self.pad = kernel // 2
        self.conv2d = nn.Conv2d(inp, out, kernel, stride)

    def bias(self) -> Tensor:
        """The convolution's bias (always there)."""
        assert self.conv2d.bias is not None
        return self.conv2d.bias

    def forward(self, x: Tensor) -> Tensor:
        if self.upsample > 1:
            x = F.interpolate(x, scale_factor=float(self.upsample), mode="nearest")
        return self.conv2d(F.pad(x, (self.pad,) * 4, mode="reflect"))


class ResidualBlock(nn.Module):
    """conv-norm-relu-conv-norm plus its input, at a quarter of the frame's size."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.conv1 = ConvLayer(channels, inner, 3)
        self.in1 = nn.InstanceNorm2d(inner, affine=True)
        self.conv2 = ConvLayer(inner, channels, 3)
        self.in2 = nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.in1(self.conv1(x)))
        return x + self.in2(self.conv2(y))


class StyleNetwork(Painter):
    """RGB in, RGB out, both (batch, 3, height, width) in 0..1; sizes a multiple of 4.

    The output is not clamped: the loss needs gradients outside 0..1, the runtime clamps.
    """

    def __init__(self, arch: Arch) -> None:
        super().__init__()
        self.arch = arch
        a, b, c = arch.widths
        self.conv1, self.in1 = ConvLayer(INPUT_CHANNELS, a, 9), nn.InstanceNorm2d(a, affine=True)
        self.conv2, self.in2 = ConvLayer(a, b, 3, stride=2), nn.InstanceNorm2d(b, affine=True)
        self.conv3, self.in3 = ConvLayer(b, c, 3, stride=2), nn.InstanceNorm2d(c, affine=True)
        inner = arch.inner or (c,) * arch.blocks
        self.blocks = nn.Sequential(*(ResidualBlock(c, i) for i in inner))
        self.deconv1, self.in4 = ConvLayer(c, b, 3, upsample=2), nn.InstanceNorm2d(b, affine=True)
        self.deconv2, self.in5 = ConvLayer(b, a, 3, upsample=2), nn.InstanceNorm2d(a, affine=True)
        self.deconv3 = ConvLayer(a, GIVEN, 9)
        self.smooth = SMOOTH  # of the style, as the canvas is

    def forward(self, x: Tensor, canvas: Tensor | None = None) -> Tensor:
        """canvas: (B, 3, H / 2, W / 2) in 0..1; None: the tile, at rest."""
        at_size = self.enlarged(x, canvas)
        given = self.layers(torch.cat([x, at_size], dim=1))
        laid = LAID_GAIN * given[:, 3:4] * (at_size - CANVAS_MIDDLE)
        ground = self.graded(x)
        taken = SMOOTH_GAIN * given[:, 4:] * (smoothed(ground, self.smooth) - ground)
        return ground + OUTPUT_GAIN * given[:, :3] + laid + taken

    def copy_style(self, other: Painter) -> None:
        super().copy_style(other)
        assert isinstance(other, StyleNetwork)
        self.smooth = other.smooth

    def enlarged(self, x: Tensor, canvas: Tensor | None) -> Tensor:
        """(B, 3, H, W): the canvas at the frame's size."""
        if canvas is None:
            canvas = self.canvas(*x.shape[2:]).expand(len(x), -1, -1, -1)
        return F.interpolate(canvas, scale_factor=float(CANVAS_STEP), mode="nearest")

    def layers(self, x: Tensor) -> Tensor:
        """(B, GIVEN, H, W): what the layers make of frame and canvas, (B, 6, H, W)."""
        y = F.relu(self.in1(self.conv1(x)))  # (B, a, H, W)
        y = F.relu(self.in2(self.conv2(y)))  # (B, b, H/2, W/2)
        y = F.relu(self.in3(self.conv3(y)))  # (B, c, H/4, W/4)
        y = self.blocks(y)
        y = F.relu(self.in4(self.deconv1(y)))  # (B, b, H/2, W/2)
        y = F.relu(self.in5(self.deconv2(y)))  # (B, a, H, W)
        return self.deconv3(y)


def gains(network: StyleNetwork) -> Tensor:
    """(GIVEN,): what the last layer's channels are multiplied by, in units of 0..255."""
    values = [255 * gain for gain in (*[OUTPUT_GAIN] * 3, LAID_GAIN, SMOOTH_GAIN)]
    return network.deconv3.conv2d.weight.new_tensor(values)


def parameter_count(network: nn.Module) -> int:
    """Number of trainable values (1,692,197 for the original)."""
    return sum(p.numel() for p in network.parameters())


def fold_byte_range(network: StyleNetwork) -> StyleNetwork:
    """A copy whose layers alone take 0..255 and give an edit in such units: factors move into the
    end convolutions."""
    folded = StyleNetwork(network.arch)
    folded.load_state_dict(network.state_dict())
    folded.copy_style(network)
    with torch.no_grad():
        folded.conv1.conv2d.weight /= 255.0
        folded.deconv3.conv2d.weight *= gains(folded).view(-1, 1, 1, 1)
        folded.deconv3.bias().mul_(gains(folded))
    return folded.eval()


def watch_layers(
    network: StyleNetwork, pictures: list[Tensor], note: Callable[[str, Tensor, Tensor], None]
) -> None:
    """Run the pictures, each (1, 3, H, W) in 0..1; `note` is told the name, input and output of
    each ConvLayer, for each picture."""

    def hook(name: str) -> Callable[..., None]:
        return lambda _module, given, made: note(name, given[0].detach(), made.detach())

    layers = [(n, m) for n, m in network.named_modules() if isinstance(m, ConvLayer)]
    hooks = [module.register_forward_hook(hook(name)) for name, module in layers]
    try:
        with torch.no_grad():
            for picture in pictures:
                network(picture)
    finally:
        for handle in hooks:
            handle.remove()
