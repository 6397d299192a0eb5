"""Networks whose sizes, outputs or channels are not as most have them: run right, or refused by
their true reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tiny_models as tiny
from onnx import TensorProto, helper, numpy_helper

from stylizer.errors import BadInput
from stylizer.frame import Frame
from stylizer.settings import Settings
from stylizer.style import catalog, inspection
from stylizer.style.fitting import Fit, fit_of
from stylizer.style.opening import open_style

F = np.float32
HALF: dict[str, Any] = {"half": np.array(0.5, F)}


def save(path: Path, nodes: list, outputs: dict[str, list], opset: int = 13, **weights) -> Path:
    """A network from "x" (1, 3, h, w) to outputs of these shapes."""

    def value(name: str, shape: list) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    ends = [value(name, shape) for name, shape in outputs.items()]
    stored = [numpy_helper.from_array(v, k) for k, v in weights.items()]
    made = helper.make_graph(nodes, "g", [value("x", [1, 3, "h", "w"])], ends, stored)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


def multiple_of(path: Path, k: int) -> Path:
    """Half the picture and half its means over k x k blocks: other sizes cannot be added up."""
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[k, k], strides=[k, k]),
        helper.make_node("Resize", ["p", "", "scales"], ["u"], mode="nearest"),
        helper.make_node("Add", ["u", "x"], ["a"]),
        helper.make_node("Mul", ["a", "half"], ["y"]),
    ]
    scales = np.array([1, 1, k, k], F)
    return save(path, nodes, {"y": [1, 3, "h", "w"]}, scales=scales, **HALF)


def smooth(size: tuple[int, int] = (50, 37)) -> Frame:
    x, y = np.meshgrid(np.linspace(20, 200, size[0]), np.linspace(30, 220, size[1]))
    rgb = np.dstack([x, y, 255 - x]).astype(np.uint8)
    pixels = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    return Frame(np.ascontiguousarray(pixels), "RGBA", 0.0, 0)


def styled(path: Path, frame: Frame) -> np.ndarray:
    style = open_style(Settings(provider="cpu", model_range="0..255"), str(path), frame.size)
    try:
        image = style.style(frame).image
        assert image is not None
        assert image.size == frame.size
        return image.rgb().astype(int)
    finally:
        style.close()


@pytest.mark.parametrize("k", [3, 6, 7, 12, 14, 24, 48, 64, 128])
def test_size_multiples_that_are_no_power_of_two(tmp_path, k: int):
    path = multiple_of(tmp_path / "m.onnx", k)
    assert inspection.inspect(str(path))["contract"]["size_multiple"] == k
    frame = smooth((2 * k + 5, k + 3))
    assert np.abs(styled(path, frame) - frame.rgb()).mean() < 45


@pytest.mark.parametrize("beside", ["mask", "small picture"])
def test_the_picture_may_be_the_second_output(tmp_path, beside: str):
    if beside == "mask":
        first = helper.make_node("ReduceMean", ["x"], ["other"], axes=[1], keepdims=1)
        shape = [1, 1, "h", "w"]
    else:
        sides = [4, 4]
        first = helper.make_node("AveragePool", ["x"], ["other"], kernel_shape=sides, strides=sides)
        shape = [1, 3, "h4", "w4"]
    nodes = [first, helper.make_node("Mul", ["x", "half"], ["y"])]
    outputs = {"other": shape, "y": [1, 3, "h", "w"]}
    path = save(tmp_path / "m.onnx", nodes, outputs, **HALF)
    frame = smooth()
    assert np.abs(styled(path, frame) - frame.rgb() / 2).max() <= 1
    assert "y is the picture" in inspection.inspect(str(path))["known"]["output"]["why"]


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("opset", [9, 13])
def test_a_larger_picture_is_scaled_back(tmp_path, scale: int, opset: int):
    scales = np.array([1, 1, scale, scale], F)
    if opset < 10:
        up = helper.make_node("Upsample", ["x", "scales"], ["u"], mode="nearest")
    else:
        up = helper.make_node("Resize", ["x", "", "scales"], ["u"], mode="nearest")
    nodes = [up, helper.make_node("Mul", ["u", "half"], ["y"])]
    path = save(tmp_path / "m.onnx", nodes, {"y": [1, 3, "hh", "ww"]}, opset, scales=scales, **HALF)
    frame = smooth()
    assert np.abs(styled(path, frame) - frame.rgb() / 2).max() <= 1
    told = inspection.inspect(str(path))["known"]["output_size"]["why"]
    assert f"{scale} times as large" in told


def test_one_channel_is_shown_in_gray(tmp_path):
    node = helper.make_node("ReduceMean", ["x"], ["y"], axes=[1], keepdims=1)
    path = save(tmp_path / "m.onnx", [node], {"y": [1, 1, "h", "w"]})
    frame = smooth()
    gray = frame.rgb().mean(axis=2, keepdims=True).repeat(3, axis=2)
    assert np.abs(styled(path, frame) - gray).max() <= 1


@pytest.mark.parametrize("side", [4, 9])
def test_a_lost_border_is_made_up_for(tmp_path, side: int):
    kernel = np.eye(3, dtype=F)[:, :, None, None] * np.ones((1, 1, side, side), F) / side**2
    node = helper.make_node("Conv", ["x", "k"], ["y"], kernel_shape=[side, side])
    path = save(tmp_path / "m.onnx", [node], {"y": [1, 3, "oh", "ow"]}, k=kernel)
    frame = smooth()
    got = styled(path, frame)
    inner = slice(side, -side)
    assert np.abs(got - frame.rgb())[inner, inner].max() <= 4, "in its place, not shifted"
    left = (side - 1) // 2
    assert (got[:, 0] == got[:, left]).all(), "the edge is repeated"
    assert "smaller: its edge" in inspection.inspect(str(path))["known"]["output_size"]["why"]


def test_what_fits_in_no_way_is_told_as_it_is(tmp_path):
    node = helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    path = save(tmp_path / "m.onnx", [node], {"y": [1, 3, "a", "b"]})
    with pytest.raises(BadInput, match=r"gives no picture of the size .*every size tried.*gives"):
        inspection.inspect(str(path))


def test_fits():
    assert fit_of((1, 3, 20, 30), "NCHW", (30, 20)) == Fit("NCHW", 3)
    assert fit_of((1, 20, 30, 3), "NCHW", (30, 20)) == Fit("NHWC", 3)
    assert fit_of((1, 3, 40, 60), "NCHW", (30, 20)) == Fit("NCHW", 3, 2)
    assert fit_of((1, 3, 16, 26), "NCHW", (30, 20)) == Fit("NCHW", 3, lost=(4, 4))
    assert fit_of((1, 5, 20, 30), "NCHW", (30, 20)) is None
    assert fit_of((1, 3, 22, 33), "NCHW", (30, 20)) is None
    assert fit_of((1, 3), "NCHW", (30, 20)) is None


def test_junk_among_the_bundled_models_is_not_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "models_folder", lambda: tmp_path)
    multiple_of(tmp_path / "real-small.onnx", 1)
    (tmp_path / "page-small.onnx").write_text("<!doctype html>")
    (tmp_path / "lfs-small.onnx").write_text("version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "empty-small.onnx").touch()
    (tmp_path / "folder-small.onnx").mkdir()
    assert [m["name"] for m in catalog.list_models()] == ["real-small"]


def test_a_size_that_only_the_inside_knows_is_named_as_a_reason(tmp_path):
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    weights = {"shape": np.array([1, 3, 257, 263], np.int64)}
    ends = ("float32", [1, 3, "h", "w"])
    path = tiny.save(tmp_path / "m.onnx", nodes, {"x": ends}, {"y": ends}, weights)
    with pytest.raises(BadInput, match=r"257,263.*made for one size that its input does not name"):
        inspection.inspect(str(path))
