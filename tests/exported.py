"""What tests of exported shaders share: pictures, a narrow network, and what it gives for one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import integer_networks as networks
import integer_reference as reference
import numpy as np
import onnx

from stylizer.frame import Frame
from stylizer.settings import Settings
from stylizer.style.canvas import Canvas
from stylizer.style.contract import CanvasInput, Packer, StyleModel
from stylizer.style.gl.reading import read_steps
from stylizer.style.gl.steps import Steps
from stylizer.style.opening import open_style
from stylizer.style.probe import load_model

SIZE = (43, 29)  # no multiple of anything


def picture_of(size: tuple[int, int]) -> np.ndarray:
    """uint8 (height, width, 3): flat places, edges and noise."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (size[1] // 6 + 1, size[0] // 6 + 1, 3))
    whole = coarse.repeat(6, 0).repeat(6, 1)[: size[1], : size[0]]
    return np.clip(whole + rng.integers(-30, 31, whole.shape), 0, 255).astype(np.uint8)


def frame_of(rgb: np.ndarray) -> Frame:
    opaque = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    return Frame(np.ascontiguousarray(np.dstack([rgb, opaque])), "RGBA", 0.0, 0)


def network(folder: Path, canvas: int) -> tuple[StyleModel, Steps, onnx.ModelProto]:
    """A narrow one; canvas: channels of its blocks, 0 or 16."""
    model, _ = load_model(networks.fast_like(folder / "m.onnx", canvas=0))
    proto = onnx.load(str(networks.fast_like(folder / "m.onnx", canvas=canvas)))
    if canvas:
        tile = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
        model = replace(model, canvas=CanvasInput("canvas", "uint8", tile, 2))
    return model, read_steps(proto), proto


def wanted(model: StyleModel, proto: onnx.ModelProto, rgb: np.ndarray) -> np.ndarray:
    """The picture by integer arithmetic: uint8 (height, width, 3)."""
    height, width = rgb.shape[:2]
    packer = Packer(model, (width, height), None)
    feeds = {"input": packer.pack(frame_of(rgb))}
    if model.canvas is not None:
        feeds["canvas"] = Canvas(model, packer.padded).tensor
    return packer.unpack(reference.run(proto, feeds)).rgb()[:height, :width]


def ours(name: str, rgb: np.ndarray) -> np.ndarray:
    """The picture that a model gives here, its canvas at rest."""
    height, width = rgb.shape[:2]
    style = open_style(Settings(provider="gl", move_canvas=False), name, (width, height))
    try:
        image = style.style(frame_of(rgb)).image
        assert image is not None
        return image.rgb()
    finally:
        style.close()
