"""Builders of tiny ONNX networks for tests: each computes something a test can work out itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
ELEMENT = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "uint8": TensorProto.UINT8,
}
LIMITS = {"0..255": (0.0, 255.0), "0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0)}
# RGB out = MIX @ RGB in: red takes green in, blue is darkened; so swapped channels show
MIX = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.5]], np.float32)
CONTRACT = {
    "layout": "NCHW",
    "range": "0..255",
    "order": "RGB",
    "size_multiple": 4,
    "style": "mosaic",
    "tier": "small",
    "precision": "fp32",
}


def mixed(rgb: np.ndarray, value_range: str = "0..255") -> np.ndarray:
    """What `painter` makes of uint8 (H, W, 3): MIX in the network's range, rounded half up."""
    low, high = LIMITS[value_range]
    x = rgb / 255 * (high - low) + low
    y = np.clip(x @ MIX.T.astype(np.float64), low, high)
    return np.floor((y - low) / (high - low) * 255 + 0.5).astype(np.uint8)


def painter(
    path: Path,
    layout: str = "NCHW",
    value_range: str = "0..255",
    order: str = "RGB",
    size: tuple[int, int] | None = None,
    multiple: int = 1,
    dtype: str = "float32",
    channels: int = 3,
    shape_known: bool = True,
    clip: bool = True,
    opset: int = OPSET,
    metadata: dict | None = None,
) -> Path:
    """A network that mixes colors by MIX in its own range, order and layout.

    multiple > 1 passes the picture through SpaceToDepth, which refuses other sizes. clip=False
    bounds the values by Min and Max, so that nothing but a run shows the range.
    """
    weights = {"mix": mixing(order, channels).astype(dtype)}
    nodes, x = [], "picture"
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [x], ["planes"], perm=[0, 3, 1, 2]))
        x = "planes"
    if multiple > 1:
        nodes.append(helper.make_node("SpaceToDepth", [x], ["deep"], blocksize=multiple))
        nodes.append(helper.make_node("DepthToSpace", ["deep"], ["wide"], blocksize=multiple))
        x = "wide"
    nodes.append(helper.make_node("Conv", [x, "mix"], ["mixed"], kernel_shape=[1, 1]))
    bounded = "bounded" if layout == "NHWC" else "styled"
    low, high = LIMITS[value_range]
    older = clip and opset < 11
    nodes += bounding(bounded, clip, (low, high) if older else None)
    weights |= {} if older else {"low": np.array(low, dtype), "high": np.array(high, dtype)}
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [bounded], ["styled"], perm=[0, 2, 3, 1]))
    width, height = size or ("w", "h")
    shape = [1, channels, height, width] if layout == "NCHW" else [1, height, width, channels]
    ends = {"picture": (dtype, shape if shape_known else [*"abcd"])}, {"styled": (dtype, None)}
    return save(path, nodes, *ends, weights, opset=opset, metadata=metadata)


def mixing(order: str, channels: int) -> np.ndarray:
    """MIX as the weight of a 1x1 convolution, float32 (3, channels, 1, 1)."""
    weight = MIX if order == "RGB" else MIX[::-1, ::-1]
    weight = np.concatenate([weight, np.zeros((3, channels - 3), np.float32)], axis=1)
    return np.ascontiguousarray(weight[:, :, None, None])


def bounding(
    output: str, clip: bool, attributes: tuple[float, float] | None
) -> list[onnx.NodeProto]:
    """ "mixed" between "low" and "high": by Clip, whose limits were attributes once, or by Max and
    Min."""
    if attributes is not None:
        low, high = attributes
        return [helper.make_node("Clip", ["mixed"], [output], min=float(low), max=float(high))]
    if clip:
        return [helper.make_node("Clip", ["mixed", "low", "high"], [output])]
    above = helper.make_node("Max", ["mixed", "low"], ["above"])
    return [above, helper.make_node("Min", ["above", "high"], [output])]


def many_styles(path: Path, count: int = 3) -> Path:
    """Style k keeps channel k of the picture and blackens the others; second input one-hot (N,)."""
    nodes = [
        helper.make_node("Unsqueeze", ["style", "front"], ["row"]),
        helper.make_node("MatMul", ["row", "gains"], ["gain"]),
        helper.make_node("Reshape", ["gain", "shape"], ["factor"]),
        helper.make_node("Mul", ["picture", "factor"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "low", "high"], ["styled"]),
    ]
    weights = {
        "front": np.array([0], np.int64),
        "gains": np.eye(count, 3, dtype=np.float32),
        "shape": np.array([1, 3, 1, 1], np.int64),
        "low": np.array(0, np.float32),
        "high": np.array(255, np.float32),
    }
    inputs = {"picture": ("float32", [1, 3, "h", "w"]), "style": ("float32", [count])}
    return save(path, nodes, inputs, {"styled": ("float32", [1, 3, "h", "w"])}, weights)


def byte_network(path: Path, layout: str = "NHWC", metadata: dict | None = None) -> Path:
    """uint8 in and out, gives the picture back; blocks8 of RGB, blocks4 of RGBX pixels."""
    shapes = {
        "NHWC": [1, "h", "w", 3],
        "NCHW": [1, 3, "h", "w"],
        "blocks8": [1, "rows", "columns", 192],
        "blocks4": [1, "rows", "columns", 64],
    }
    ends = ("uint8", shapes[layout])
    node = helper.make_node("Identity", ["picture"], ["styled"])
    return save(path, [node], {"picture": ends}, {"styled": ends}, {}, metadata=metadata)


def tanh_network(path: Path) -> Path:
    """-1..1 in, Tanh out: styled = tanh(2 x)."""
    nodes = [
        helper.make_node("Mul", ["picture", "two"], ["doubled"]),
        helper.make_node("Tanh", ["doubled"], ["styled"]),
    ]
    ends = ("float32", [1, 3, "h", "w"])
    weights = {"two": np.array(2, np.float32)}
    return save(path, nodes, {"picture": ends}, {"styled": ends}, weights)


def classifier(path: Path) -> Path:
    """Picture in, ten numbers out."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["picture"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w"], ["scores"]),
    ]
    ends = {"picture": ("float32", [1, 3, "h", "w"])}, {"scores": ("float32", [1, 10])}
    return save(path, nodes, *ends, {"w": np.ones((3, 10), np.float32)})


def halver(path: Path) -> Path:
    """Gives a picture of half the size, whatever it gets."""
    node = helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    ends = {"x": ("float32", [1, 3, "h", "w"])}, {"y": ("float32", [1, 3, "a", "b"])}
    return save(path, [node], *ends, {})


def one_operator(path: Path, op: str, channels: int = 3, batch: int = 1) -> Path:
    """x - 1000 and then `op`; Sqrt gives NaN for every picture."""
    nodes = [
        helper.make_node("Sub", ["x", "big"], ["less"]),
        helper.make_node(op, ["less"], ["y"]),
    ]
    ends = ("float32", [batch, channels, "h", "w"])
    return save(path, nodes, {"x": ends}, {"y": ends}, {"big": np.array(1000, np.float32)})


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: Mapping[str, tuple[str, list]],
    outputs: Mapping[str, tuple[str, list | None]],
    weights: dict[str, np.ndarray],
    opset: int = OPSET,
    metadata: dict | None = None,
) -> Path:
    """Write a graph; inputs and outputs are name -> (dtype, shape with names for free sides)."""
    ends = [
        [helper.make_tensor_value_info(n, ELEMENT[d], s or [None] * 4) for n, (d, s) in e.items()]
        for e in (inputs, outputs)
    ]
    held = [numpy_helper.from_array(v, n) for n, v in weights.items()]
    made = helper.make_graph(nodes, "tiny", ends[0], ends[1], held)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    if metadata is not None:
        entry = model.metadata_props.add()
        entry.key, entry.value = "stylizer.contract", json.dumps(metadata)
    onnx.save(model, str(path))
    return path


def with_external_data(path: Path) -> tuple[Path, Path]:
    """A painter whose weights lie in another file: (model, weights)."""
    painter(path)
    model = onnx.load(str(path))
    onnx.save_model(
        model, str(path), save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    return path, path.with_name("weights.bin")
