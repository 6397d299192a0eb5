"""A tiny network to compress: its parent file, the rewritten graph, frames, and how it is run."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from tiny_models import CONTRACT

from stylizer.lab.compress.static_quant import find_ranges, session_of
from stylizer.lab.nets.johnson import JOHNSON_ARCHS as ARCHS
from stylizer.lab.nets.johnson import StyleNetwork
from stylizer.lab.onnx import export
from stylizer.lab.onnx.deploy import deployed, observe_channels
from stylizer.lab.training.sampling import tensor_of

TINY = CONTRACT | {"tier": "tiny", "size_multiple": 4}


def textured(height: int, width: int, seed: int = 0) -> np.ndarray:
    """uint8 RGB with edges and noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    plain = coarse.repeat(8, 0).repeat(8, 1)[:height, :width].astype(int)
    return np.clip(plain + rng.integers(-9, 10, plain.shape), 0, 255).astype(np.uint8)


FRAMES = [textured(64, 96, seed) for seed in range(4)]


def run(model: onnx.ModelProto | Path, frame: np.ndarray) -> np.ndarray:
    session = session_of(model.read_bytes() if isinstance(model, Path) else model)
    return np.asarray(session.run(None, {"input": tensor_of(frame)})[0])


@pytest.fixture(scope="module")
def network() -> StyleNetwork:
    """Random weights whose picture is bright and has contrast."""
    torch.manual_seed(0)
    network = StyleNetwork(ARCHS["tiny"])
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if ".in" in f".{name}":
                parameter += 0.3 * torch.randn_like(parameter)
        network.deconv3.conv2d.weight[:4] *= 5  # but for the share that is smoothed away
    return network.eval()


@pytest.fixture(scope="module")
def parent(network, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("parent") / "dots-tiny.onnx"
    export.export_onnx(network, path, TINY, {"arch": "small", "style": "dots.png"})
    assert run(path, FRAMES[0]).clip(0, 255).std() > 15, "a flat picture would prove nothing"
    return path


@pytest.fixture(scope="module")
def graph(network) -> onnx.ModelProto:
    seen = observe_channels(network, [torch.from_numpy(tensor_of(f) / 255) for f in FRAMES])
    return deployed(network, seen)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Frames on disk."""
    place = tmp_path_factory.mktemp("frames")
    for number in range(5):
        Image.fromarray(textured(64, 96, number)).save(place / f"{number}.png")
    return place


@pytest.fixture(scope="module")
def ranges(graph):
    return find_ranges(graph, FRAMES[:3], ("MinMax",))["MinMax"]
