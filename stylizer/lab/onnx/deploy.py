"""The same network as a graph that fewer multiplications, and integers, suit.

Exact but for rounding in float; only what `static_quant` does afterwards loses anything. Against
`export`'s graph (one thread without VNNI, original at 320x192: 273 -> 207 ms in float):

- Nearest upsampling and a 3x3 convolution see only 2x2 different pixels: one 2x2 convolution to
  four times the channels and a pixel shuffle take 4/9 of the multiplications.
- The 9x9 convolution to 3 channels fills 3 of the 8 lanes (float) or 16 (integers) of a kernel:
  2x4 pixels at once, 10x12 with stride 2x4 to 24 channels, fill them (66 -> 16 ms, 11 in integers).
- Instance norm undoes any factor and shift of a channel before it: each channel is centered and
  scaled in its convolution, so that one step size suits the whole tensor.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import onnx
import torch
from torch import Tensor

from stylizer.lab.nets.johnson import GIVEN, ConvLayer, StyleNetwork, fold_byte_range, watch_layers
from stylizer.lab.onnx import painter_graph
from stylizer.lab.onnx.onnx_graph import OnnxGraph
from stylizer.lab.onnx.painter_graph import keep_tile

MIN_SPREAD = 1e-2  # of a channel: quieter ones (dead, or drowned by the norm's epsilon) stay so
HEAD_ROWS, HEAD_COLUMNS = 2, 4  # pixels that the last convolution computes at once
_NORM_OF = {"conv1": "in1", "conv2": "in2", "conv3": "in3", "deconv1": "in4", "deconv2": "in5"}


@dataclass
class Channels:
    """Mean and spread of each convolution's output before its norm, (C,), by the layer's name."""

    mean: dict[str, np.ndarray] = field(default_factory=dict)
    spread: dict[str, np.ndarray] = field(default_factory=dict)


def observe_channels(network: StyleNetwork, pictures: list[Tensor]) -> Channels:
    """Run the pictures, each (1, 3, H, W) in 0..1, and note how each channel behaves."""
    moments: dict[str, list[np.ndarray]] = {}

    def note(name: str, _given: Tensor, y: Tensor) -> None:
        y = y.double()
        pair = torch.stack([y.mean(dim=(0, 2, 3)), y.square().mean(dim=(0, 2, 3))])
        moments.setdefault(name, []).append(pair.numpy())

    watch_layers(network, pictures, note)
    channels = Channels()
    for name, pairs in moments.items():
        mean, square = np.mean(pairs, axis=0)
        channels.mean[name] = mean
        channels.spread[name] = np.sqrt(np.maximum(square - mean**2, MIN_SPREAD**2))
    return channels


def norm_of(conv: str) -> str:
    """The name of the norm behind a convolution."""
    return conv.replace(".conv", ".in") if conv.startswith("blocks.") else _NORM_OF[conv]


def deployed(network: StyleNetwork, channels: Channels) -> onnx.ModelProto:
    """The graph, NCHW RGB 0..255 float32 in and out; nodes of convolutions bear their names."""
    graph = _DeployGraph(fold_byte_range(network), channels)
    graph.build()
    model = graph.model(np.float32, ["batch", 3, "height", "width"])
    keep_tile(model, network)
    return model


class _DeployGraph(OnnxGraph):
    """Nodes and weights of one network."""

    def __init__(self, network: StyleNetwork, channels: Channels) -> None:
        super().__init__("style_deployed")
        self.network = network
        self.modules = dict(network.named_modules())
        self.channels = channels

    def build(self) -> None:
        canvas = painter_graph.full_canvas(self, self.network)
        y = painter_graph.beside_frame(self, canvas)
        for name in ("conv1", "conv2", "conv3"):
            y = self.relu(self.normed(y, name))
        for i in range(self.network.arch.blocks):
            inner = self.relu(self.normed(y, f"blocks.{i}.conv1"))
            y = self.node("Add", [y, self.normed(inner, f"blocks.{i}.conv2")])
        for name in ("deconv1", "deconv2"):
            y = self.relu(self.normed(y, name))
        painter_graph.laid(self, self.network, self.head(y), canvas)

    def normed(self, x: str, name: str) -> str:
        """Convolution and instance norm."""
        layer = self.layer(name)
        spread = self.channels.spread[name]
        weight = weight_of(layer) / spread[:, None, None, None]
        bias = (layer.bias().detach().double().numpy() - self.channels.mean[name]) / spread
        if layer.upsample > 1:
            y = self.upsampling(x, name, weight, bias)
        else:
            stride = layer.conv2d.stride[0]
            x = self.padded(x, layer.pad, "reflect")
            y = self.conv(x, name, weight, bias, [stride, stride])
        norm = self.modules[norm_of(name)]
        assert isinstance(norm, torch.nn.InstanceNorm2d)
        inputs = [y]
        for suffix, tensor in (("weight", norm.weight), ("bias", norm.bias)):
            inputs.append(self.constant(f"{norm_of(name)}.{suffix}", tensor.detach().numpy()))
        # One epsilon a node, where each channel's own factor would ask for one of its own.
        eps = float(norm.eps / np.median(spread**2))
        return self.node("InstanceNormalization", inputs, epsilon=eps)

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])

    def layer(self, name: str) -> ConvLayer:
        layer = self.modules[name]
        assert isinstance(layer, ConvLayer)
        return layer

    def conv(
        self, x: str, name: str, weight: np.ndarray, bias: np.ndarray, strides: list[int]
    ) -> str:
        inputs = [x, self.constant(f"{name}.weight", weight.astype(np.float32))]
        inputs.append(self.constant(f"{name}.bias", bias.astype(np.float32)))
        return self.node("Conv", inputs, name, kernel_shape=weight.shape[2:], strides=strides)

    def padded(self, x: str, p: int, mode: str) -> str:
        pads = self.constant(f"pad{p}", np.array([0, 0, p, p, 0, 0, p, p], np.int64))
        return self.node("Pad", [x, pads], mode=mode)

    def upsampling(self, x: str, name: str, weight: np.ndarray, bias: np.ndarray) -> str:
        """Nearest upsampling and a 3x3 convolution. The rim that is cut off holds the pixels whose
        pair lies outside."""
        weight = phases(torch.from_numpy(weight)).numpy()
        y = self.conv(self.padded(x, 1, "edge"), name, weight, np.tile(bias, 4), [1, 1])
        return self.shuffled(y, len(weight) // 4, 2 if name == "deconv1" else 1)

    def shuffled(self, y: str, channels: int, shrunk: int) -> str:
        """DepthToSpace and the cut of its rim, moving pairs of whole pixels channels last, where
        integer convolutions have them anyway: ONNX Runtime's own kernel moves single values."""
        last = self.node("Transpose", [y], perm=[0, 2, 3, 1])
        split = self.constant(f"split{channels}", np.array([0, 0, 0, 2, 2 * channels], np.int64))
        pairs = self.node("Reshape", [last, split])
        rows = self.node("Transpose", [pairs], perm=[0, 1, 3, 2, 4])
        size = self.node("Shape", ["input"], start=2, end=4)
        size = self.node("Div", [size, self.constant(f"shrunk{shrunk}", np.array([shrunk]))])
        size = self.node("Add", [size, self.constant("rim", np.array([2]))])
        first = self.constant("batch", np.array([0]))
        depth = self.constant(f"depth{channels}", np.array([channels]))
        fine = self.node("Reshape", [rows, self.node("Concat", [first, size, depth], axis=0)])
        ends = {"rim_first": [1, 1], "rim_last": [-1, -1], "rim_axes": [1, 2]}
        names = [self.constant(key, np.array(v, np.int64)) for key, v in ends.items()]
        cut = self.node("Slice", [fine, *names])
        return self.node("Transpose", [cut], perm=[0, 3, 1, 2])

    def head(self, x: str) -> str:
        """The last convolution, 2x4 pixels at once, and their way to their places: rows and every
        second column by DepthToSpace, neighbors by a Reshape channels last."""
        layer = self.layer("deconv3")
        bias = np.tile(layer.bias().detach().numpy(), HEAD_ROWS * HEAD_COLUMNS)
        weight = wide_head(torch.from_numpy(weight_of(layer))).numpy()
        x = self.padded(x, layer.pad, "reflect")
        y = self.conv(x, "deconv3", weight, bias, [HEAD_ROWS, HEAD_COLUMNS])
        y = self.node("DepthToSpace", [y], blocksize=2)
        y = self.node("Transpose", [y], perm=[0, 2, 3, 1])
        y = self.node(
            "Reshape", [y, self.constant("given_last", np.array([0, 0, -1, GIVEN], np.int64))]
        )
        return self.node("Transpose", [y], perm=[0, 3, 1, 2])


def weight_of(layer: ConvLayer) -> np.ndarray:
    """(out, in, k, k) in double precision."""
    return layer.conv2d.weight.detach().double().numpy()


def phases(weight: Tensor) -> Tensor:
    """(O, I, 3, 3) behind a nearest upsampling -> (4 O, I, 2, 2) before a pixel shuffle (place
    first, then channel); place (row, column) of position i is pixel 2 i - 1 + place.

    Pixel 2 i - 1 sees 2 i - 2, 2 i - 1 | 2 i and pixel 2 i sees 2 i - 1 | 2 i, 2 i + 1, where | is
    the border of the two pixels of the smaller picture.
    """
    taps = weight.new_tensor([[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]])
    quad = torch.einsum("oiyx,ray,cbx->rcoiab", weight, taps, taps)
    return quad.flatten(0, 2)


def wide_head(weight: Tensor) -> Tensor:
    """(O, I, k, k) -> (8 O, I, k + 1, k + 3): the kernel at the places of 2x4 pixels."""
    k = weight.shape[2]
    wide = weight.new_zeros(
        HEAD_ROWS, HEAD_COLUMNS, *weight.shape[:2], k + HEAD_ROWS - 1, k + HEAD_COLUMNS - 1
    )
    for row in range(HEAD_ROWS):
        for column in range(HEAD_COLUMNS):
            wide[row, column, :, :, row : row + k, column : column + k] = weight
    return wide.flatten(0, 2)
