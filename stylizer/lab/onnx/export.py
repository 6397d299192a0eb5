"""PyTorch -> ONNX: one file, one input, one output, dynamic size, checked against PyTorch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch

from stylizer.errors import BadInput, StylizerError
from stylizer.lab.nets.fake_quant import bound, normalize, observe, quantize
from stylizer.lab.nets.fast import FAST_ARCHS, FastArch, FastNetwork, activations
from stylizer.lab.nets.johnson import (
    GIVEN,
    JOHNSON_ARCHS,
    Arch,
    ConvLayer,
    StyleNetwork,
    fold_byte_range,
    gains,
)
from stylizer.lab.nets.registry import Network
from stylizer.lab.onnx.fast_export import Precision, beside, write_fast
from stylizer.lab.onnx.fast_import import inner_widths, load_fast_weights
from stylizer.lab.onnx.onnx_graph import OnnxGraph, weights_of, write_model
from stylizer.lab.onnx.painter_graph import (
    SMOOTH_NAME,
    beside_frame,
    full_canvas,
    keep_tile,
    laid,
    take_style,
    with_canvas,
)
from stylizer.style.metadata import CONTRACT_KEY, texts_of
from stylizer.system.files import into_place

CHECK_SIZES = ((256, 256), (320, 180), (724, 540))  # (width, height)
MAX_DIFFERENCE = 0.5  # of 255


def export_onnx(network: Network, path: Path, contract: dict, recipe: dict) -> float:
    """Write the network as ONNX (NCHW RGB 0..255 in and out); the fast tier's integer graph on
    pixel blocks goes beside it as NAME-int8.onnx, half precision as NAME-fp16.onnx.

    Returns the largest difference from PyTorch over three sizes, in 255ths, of the float file.
    Raises StylizerError when it is over 0.5: then nothing is written.
    """
    network = network.cpu().eval()
    with into_place(path) as part:
        if isinstance(network, FastNetwork):
            normalize(network, False)
            quantize(network, False)
            observe(network, False)
            bound(network, True)
            write_fast(network, part, "fp32", contract, recipe)
        else:
            _write(fold_byte_range(network), part, with_canvas(contract), recipe)
        difference = max(_difference(network, part, size) for size in CHECK_SIZES)
        if not difference <= MAX_DIFFERENCE:
            raise StylizerError(
                f"{path}: the exported model differs from PyTorch by {difference:.3f} of 255 "
                f"(at most {MAX_DIFFERENCE} allowed); nothing was written"
            )
        if isinstance(network, FastNetwork):
            _export_beside(network, path, contract, recipe)
    return difference


def _export_beside(network: FastNetwork, path: Path, contract: dict, recipe: dict) -> None:
    """NAME-int8.onnx and NAME-fp16.onnx. Raises StylizerError when a range was never observed."""
    unknown = [name for name, act in activations(network) if float(act.reach) == 0]
    if unknown:
        raise StylizerError(
            f"{path}: the range of {unknown[0]!r} is not known, or the layer is dead (all zero); "
            "train the network on, or with another --seed"
        )
    precisions: tuple[Precision, ...] = ("int8", "fp16")
    for precision in precisions:
        target = beside(path, precision)
        with into_place(target) as part:
            write_fast(network, part, precision, contract, recipe)


def _write(network: StyleNetwork, path: Path, contract: dict, recipe: dict) -> None:
    """The graph, layer by layer: PyTorch's tracer leaves 200 nodes of padding arithmetic."""
    graph = _Graph(network)
    canvas = full_canvas(graph, network)
    y = graph.relu(graph.norm(graph.conv(beside_frame(graph, canvas), "conv1"), "in1"))
    y = graph.relu(graph.norm(graph.conv(y, "conv2"), "in2"))
    y = graph.relu(graph.norm(graph.conv(y, "conv3"), "in3"))
    for i in range(network.arch.blocks):
        block = f"blocks.{i}."
        inner = graph.relu(graph.norm(graph.conv(y, block + "conv1"), block + "in1"))
        inner = graph.norm(graph.conv(inner, block + "conv2"), block + "in2")
        y = graph.node("Add", [y, inner])
    y = graph.relu(graph.norm(graph.conv(y, "deconv1"), "in4"))
    y = graph.relu(graph.norm(graph.conv(y, "deconv2"), "in5"))
    laid(graph, network, graph.conv(y, "deconv3"), canvas)
    if network.arch.half:
        graph.halve()
    model = graph.model(np.float32, ["batch", 3, "height", "width"])
    keep_tile(model, network)
    write_model(model, path, contract=contract, recipe=recipe)


class _Graph(OnnxGraph):
    """The graph of one StyleNetwork; weights keep their PyTorch names."""

    def __init__(self, network: StyleNetwork) -> None:
        super().__init__("style")
        self.modules = dict(network.named_modules())

    def conv(self, x: str, name: str) -> str:
        layer = self.modules[name]
        assert isinstance(layer, ConvLayer)
        p = layer.pad
        if layer.upsample > 1:
            # Reflecting by one pixel after a nearest upsampling repeats the edge before it; the
            # rim too many is cut off behind the convolution, where there are fewest channels.
            # Padding the upsampled picture itself took a copy of 118 MB in small at 1280x720.
            assert p == 1
            x = self.enlarged(self._padded(x, 1, "edge"), "upsample2", 2)
        else:
            x = self._padded(x, p, "reflect")
        inputs = [x]
        for suffix, tensor in (("weight", layer.conv2d.weight), ("bias", layer.bias())):
            values = tensor.detach().numpy()
            inputs.append(self.constant(f"{name}.conv2d.{suffix}", values))
        k, s = layer.conv2d.kernel_size[0], layer.conv2d.stride[0]
        y = self.node("Conv", inputs, kernel_shape=[k, k], strides=[s, s])
        return self._without_rim(y) if layer.upsample > 1 else y

    def _padded(self, x: str, p: int, mode: str) -> str:
        pads = self.constant(f"pad{p}", np.array([0, 0, p, p, 0, 0, p, p], np.int64))
        return self.node("Pad", [x, pads], mode=mode)

    def _without_rim(self, x: str) -> str:
        ends = {"rim_first": [1, 1], "rim_last": [-1, -1], "rim_axes": [2, 3]}
        names = [self.constant(name, np.array(v, np.int64)) for name, v in ends.items()]
        return self.node("Slice", [x, *names])

    def norm(self, x: str, name: str) -> str:
        layer = self.modules[name]
        assert isinstance(layer, torch.nn.InstanceNorm2d)
        inputs = [x]
        for suffix, tensor in (("weight", layer.weight), ("bias", layer.bias)):
            inputs.append(self.constant(f"{name}.{suffix}", tensor.detach().numpy()))
        return self.node("InstanceNormalization", inputs, epsilon=layer.eps)

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])


def _difference(network: Network, path: Path, size: tuple[int, int]) -> float:
    import onnxruntime

    rng = np.random.default_rng(0)
    width, height = (
        side // network.arch.size_multiple * network.arch.size_multiple for side in size
    )
    coarse = rng.uniform(0, 255, (1, 3, height // 4, width // 4)).astype(np.float32)
    pixels = coarse.repeat(4, axis=2).repeat(4, axis=3)[:, :, :height, :width]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = np.asarray(session.run(None, {"input": pixels})[0])
    with torch.no_grad():
        expected = network(torch.from_numpy(pixels / 255.0)).numpy() * 255.0
    return float(np.abs(np.clip(got, 0, 255) - np.clip(expected, 0, 255)).max())


def load_network(path: Path) -> Network:
    """The network of an ONNX file that `export_onnx` wrote. Raises BadInput for any other file."""
    try:
        model = onnx.load(str(path))
        contract = texts_of(model)[CONTRACT_KEY]
        tier = json.loads(contract)["tier"]
        if tier in JOHNSON_ARCHS:
            network = StyleNetwork(_arch_of(model, JOHNSON_ARCHS[tier]))
        else:
            network = FastNetwork(_fast_arch_of(path, FAST_ARCHS[tier]))
    except Exception as error:
        raise BadInput(f"{path}: not a model that `train` wrote ({error})") from error
    load_weights(network, path)
    return network.eval()


def _arch_of(model: onnx.ModelProto, tier: Arch) -> Arch:
    """The tier's architecture with the widths that the file's weights have (pruning leaves others).

    Raises KeyError when a layer is missing.
    """
    out = {name: len(w) for name, w in weights_of(model).items() if w.ndim == 4}
    a, b, c = (out[f"conv{n}.conv2d.weight"] for n in (1, 2, 3))
    inner = tuple(out[f"blocks.{i}.conv1.conv2d.weight"] for i in range(tier.blocks))
    return replace(tier, widths=(a, b, c), inner=() if set(inner) == {c} else inner)


def _fast_arch_of(path: Path, tier: FastArch) -> FastArch:
    """The tier's architecture with the blocks and their inner widths that the file has."""
    inner = inner_widths(path)
    return replace(tier, inner=() if inner == (tier.body,) * tier.blocks else inner)


def load_weights(network: Network, path: Path) -> None:
    """Fill the network from an ONNX file that `export_onnx` wrote (to train on from a model).

    Raises StylizerError when the file holds other weights, BadInput for an old fast model.
    """
    if isinstance(network, FastNetwork):
        load_fast_weights(network, path)
        return
    model = onnx.load(str(path))
    values = weights_of(model)
    take_style(network, path, model)
    if SMOOTH_NAME in values:
        network.smooth = _variance_of(path, values[SMOOTH_NAME])
    else:
        _half_smoothed(values)
    state = network.state_dict()
    missing = [n for n, t in state.items() if n not in values or values[n].shape != tuple(t.shape)]
    if missing:
        raise StylizerError(f"{path}: not a model of this architecture (no weights {missing[0]!r})")
    for name, tensor in state.items():
        tensor.copy_(torch.from_numpy(values[name].copy()))
    with torch.no_grad():
        network.conv1.conv2d.weight *= 255.0
        network.deconv3.conv2d.weight /= gains(network).view(-1, 1, 1, 1)
        network.deconv3.bias().div_(gains(network))


def _half_smoothed(values: dict[str, np.ndarray]) -> None:
    """The last layer of a file from before texture was smoothed away: half of it is. Of before the
    canvas was laid by itself: it is not."""
    for name, start in (("deconv3.conv2d.weight", 0.0), ("deconv3.conv2d.bias", 255 * 0.5)):
        given = values[name]
        added = np.zeros((max(0, GIVEN - len(given)), *given.shape[1:]), given.dtype)
        added[-1:] = start
        values[name] = np.concatenate([given, added])


def _variance_of(path: Path, value: np.ndarray) -> float:
    """How much is smoothed away. Raises StylizerError where that is no number above 0."""
    if value.size != 1 or not 0 < float(value.item()) < np.inf:
        raise StylizerError(
            f"{path}: {SMOOTH_NAME!r} is not a number above 0; train the model anew"
        )
    return float(value.item()) / 255**2
