"""Fine-tuning for integers: the float network computes as the integer graph will (`fake_quant`),
and imitates its former self.

It mirrors `deploy`: channels centered and scaled before each norm, the 2x2 kernels behind an
upsampling rounded as such. Ranges are followed while it trains; `static_quant` finds its own after.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylizer.lab.nets.fake_quant import WEIGHT_LEVELS, Activation, rounded
from stylizer.lab.nets.johnson import ConvLayer, StyleNetwork
from stylizer.lab.onnx.deploy import Channels, norm_of, phases


class IntegerStyle(StyleNetwork):
    """A StyleNetwork with the same weights whose layers, but for `kept`, round like integers."""

    def __init__(self, network: StyleNetwork, statistics: Channels, kept: frozenset[str]) -> None:
        super().__init__(network.arch)
        self.load_state_dict(network.state_dict())
        self.copy_style(network)
        self.kept = kept
        self.before, self.after = nn.ModuleDict(), nn.ModuleDict()
        for name, module in network.named_modules():
            if not isinstance(module, ConvLayer) or name in kept:
                continue
            key = name.replace(".", "_")
            self.before[key] = _watching(_input_of(name))
            if name in statistics.mean and name != "deconv3":
                self.after[key] = _watching(Activation(signed=True))
                for suffix, values in (("mean", statistics.mean), ("spread", statistics.spread)):
                    column = torch.from_numpy(values[name]).float().view(1, -1, 1, 1)
                    self.register_buffer(f"{key}_{suffix}", column)

    def layers(self, x: Tensor) -> Tensor:
        y = F.relu(self._normed(x, "conv1"))
        y = F.relu(self._normed(y, "conv2"))
        y = F.relu(self._normed(y, "conv3"))
        for i in range(self.arch.blocks):
            inner = F.relu(self._normed(y, f"blocks.{i}.conv1"))
            y = y + self._normed(inner, f"blocks.{i}.conv2")
        y = F.relu(self._normed(y, "deconv1"))
        y = F.relu(self._normed(y, "deconv2"))
        return self._convolved(y, "deconv3")

    def _normed(self, x: Tensor, name: str) -> Tensor:
        y = self._convolved(x, name)
        key = name.replace(".", "_")
        if key in self.after:
            mean, spread = self.get_buffer(f"{key}_mean"), self.get_buffer(f"{key}_spread")
            y = self.after[key]((y - mean) / spread) * spread + mean
        return self.get_submodule(norm_of(name))(y)

    def _convolved(self, x: Tensor, name: str) -> Tensor:
        layer = self.get_submodule(name)
        assert isinstance(layer, ConvLayer)
        if name in self.kept:
            return layer(x)
        x = self.before[name.replace(".", "_")](x)
        if layer.upsample == 1:
            x = F.pad(x, (layer.pad,) * 4, mode="reflect")
            weight = in_steps(layer.conv2d.weight)
            return F.conv2d(x, weight, layer.bias(), layer.conv2d.stride)
        weight = in_steps(phases(layer.conv2d.weight))
        places, channels = 4, len(layer.conv2d.weight)
        y = F.conv2d(F.pad(x, (1,) * 4, mode="replicate"), weight)
        y = y.unflatten(1, (places, channels)).transpose(1, 2).flatten(1, 2)
        y = F.pixel_shuffle(y, layer.upsample)[:, :, 1:-1, 1:-1]
        return y + layer.bias().view(1, -1, 1, 1)

    def plain(self) -> StyleNetwork:
        """The float network with the weights as they are now."""
        network = StyleNetwork(self.arch)
        names = network.state_dict().keys()
        network.load_state_dict({k: v for k, v in self.state_dict().items() if k in names})
        network.copy_style(self)
        return network.eval()


def _input_of(name: str) -> Activation:
    """What a convolution takes: pixels, values behind a ReLU, or the residual stream (signed)."""
    if name == "conv1":
        return Activation(fixed=1.0)
    stream = name.startswith("blocks.") and name.endswith(".conv1") and name != "blocks.0.conv1"
    return Activation(signed=stream or name == "deconv1")


def _watching(act: Activation) -> Activation:
    act.observing = act.quantizing = True
    return act


def in_steps(weight: Tensor) -> Tensor:
    """(O, ...) rounded to 7 bits for each output channel, with the gradient of the weight."""
    top = weight.detach().flatten(1).abs().amax(dim=1).clamp_min(1e-8)
    scale = (top / WEIGHT_LEVELS).view(-1, *[1] * (weight.dim() - 1))
    return rounded(weight / scale) * scale
