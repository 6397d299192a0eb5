"""The style stage on tiny networks: every contract, both CPU backends."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_models as tiny

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, StyledImage
from stylizer.settings import Settings
from stylizer.style import contract, inspection
from stylizer.style.opening import open_style
from stylizer.style.probe import load_model

SIZE = (50, 37)  # (width, height), no multiple of anything


def a_frame(order: str = "RGBA", size: tuple[int, int] = SIZE, seed: int = 1) -> Frame:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
    alpha = rng.integers(0, 256, (size[1], size[0], 1), np.uint8)
    pixels = {
        "RGB": rgb,
        "RGBA": np.concatenate([rgb, alpha], axis=2),
        "BGRA": np.concatenate([rgb[:, :, ::-1], alpha], axis=2),
    }[order]
    return Frame(np.ascontiguousarray(pixels), order, 0.0, 0)  # type: ignore[arg-type]


def styled(path: Path, frame: Frame, name: str = "", **settings) -> np.ndarray:
    """RGB of the frame styled by a model file, provider cpu unless settings say otherwise."""
    chosen = replace(Settings(provider="cpu"), **settings)
    style = open_style(chosen, name or str(path), frame.size)
    try:
        image = style.style(frame).image
        assert image is not None
        assert image.size == frame.size
        return image.rgb().copy()
    finally:
        style.close()


def assert_near(got: np.ndarray, expected: np.ndarray, levels: int = 1) -> None:
    assert np.abs(got.astype(int) - expected.astype(int)).max() <= levels


@pytest.fixture(params=["cpu", "openvino"])
def provider(request):
    if request.param == "openvino":
        pytest.importorskip("openvino")
    return request.param


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("value_range", ["0..255", "0..1", "-1..1"])
def test_layouts_and_ranges(tmp_path, provider, layout, value_range):
    contract_told = {"layout": layout, "range": value_range, "order": "RGB", "size_multiple": 1}
    path = tmp_path / "m.onnx"
    tiny.painter(path, layout, value_range, metadata=contract_told)
    frame = a_frame()
    assert_near(styled(path, frame, provider=provider), tiny.mixed(frame.rgb(), value_range))


@pytest.mark.parametrize("order", ["RGB", "RGBA", "BGRA"])
@pytest.mark.parametrize("multiple", [1, 8])
def test_every_channel_order_of_frames(tmp_path, order, multiple):
    path = tiny.painter(tmp_path / "m.onnx", multiple=multiple)
    frame = a_frame(order)
    assert_near(styled(path, frame), tiny.mixed(frame.rgb()), 0)


def test_bgr_network_by_flag(tmp_path):
    path = tiny.painter(tmp_path / "m.onnx", order="BGR")
    frame = a_frame("BGRA")
    assert_near(styled(path, frame, model_order="BGR"), tiny.mixed(frame.rgb()), 0)


def test_float16(tmp_path, provider):
    path = tiny.painter(tmp_path / "m.onnx", value_range="0..1", dtype="float16")
    frame = a_frame()
    assert_near(styled(path, frame, provider=provider), tiny.mixed(frame.rgb()), 1)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_uint8_network(tmp_path, provider, layout):
    path = tiny.byte_network(tmp_path / "m.onnx", layout)
    frame = a_frame()
    assert_near(styled(path, frame, provider=provider), frame.rgb(), 0)


@pytest.mark.parametrize("layout", ["blocks8", "blocks4"])
@pytest.mark.parametrize("channel_order", ["RGB", "RGBA", "BGRA"])
def test_blocks(tmp_path, provider, layout, channel_order):
    told = {"layout": layout, "range": "0..255", "order": "RGB", "size_multiple": 8}
    path = tiny.byte_network(tmp_path / "m.onnx", layout, told)
    frame = a_frame(channel_order)
    assert_near(styled(path, frame, provider=provider), frame.rgb(), 0)


def test_four_channels_and_old_opset(tmp_path):
    path = tiny.painter(tmp_path / "m.onnx", channels=4, opset=9)
    frame = a_frame()
    assert_near(styled(path, frame), tiny.mixed(frame.rgb()), 0)


def test_style_number(tmp_path, provider):
    path = tiny.many_styles(tmp_path / "m.onnx")
    frame = a_frame()
    for k in range(3):
        expected = np.zeros_like(frame.rgb())
        expected[:, :, k] = frame.rgb()[:, :, k]
        assert_near(styled(path, frame, f"{path}#{k}", provider=provider), expected, 0)
    assert not styled(path, frame)[:, :, 1:].any()  # without #K: style 0, which keeps red
    assert open_style(Settings(provider="cpu"), f"{path}#2", SIZE).model == "m#2"


@pytest.mark.parametrize("k", [3, 99])
def test_style_number_out_of_range(tmp_path, k):
    path = tiny.many_styles(tmp_path / "m.onnx")
    with pytest.raises(BadInput, match=r"holds 3 styles, so there is no #.*#0 to #2"):
        open_style(Settings(provider="cpu"), f"{path}#{k}", SIZE)


def test_style_number_of_a_single_style(tmp_path):
    path = tiny.painter(tmp_path / "m.onnx")
    with pytest.raises(BadInput, match="holds one style"):
        open_style(Settings(provider="cpu"), f"{path}#1", SIZE)


def test_padding_repeats_the_edge(tmp_path):
    model, _ = load_model(tiny.painter(tmp_path / "m.onnx", multiple=8))
    assert model.size_multiple == 8
    packer = contract.Packer(model, (10, 9), None)
    frame = a_frame(size=(10, 9))
    tensor = packer.pack(frame)
    expected = np.pad(frame.rgb(), ((0, 7), (0, 6), (0, 0)), mode="edge")
    assert np.array_equal(tensor[0].transpose(1, 2, 0), expected)
    again = packer.pack(a_frame(size=(10, 9), seed=2))
    assert again is tensor  # one buffer for all frames


def test_inference_size(tmp_path):
    path = tiny.painter(tmp_path / "m.onnx", multiple=4)
    smooth = np.zeros((72, 128, 4), np.uint8)
    smooth[:, :, :3] = np.linspace(20, 200, 128)[None, :, None]
    frame = Frame(smooth, "RGBA", 0.0, 0)
    chosen = Settings(provider="cpu", inference_size=(63, 36))
    style = open_style(chosen, str(path), frame.size)
    assert style.inference_size == (64, 36)
    image = style.style(frame).image
    assert isinstance(image, StyledImage)
    assert image.size == (63, 36)
    assert image.model_input is not None
    assert_near(image.rgb(), tiny.mixed(image.model_input[..., :3]), 1)


def test_the_network_may_see_another_size_from_frame_to_frame(tmp_path, provider):
    path = tiny.painter(tmp_path / "m.onnx", multiple=4)
    style = open_style(Settings(provider=provider), str(path), (64, 48))
    assert style.resizable == 4
    for wanted, size in (((32, 24), (32, 24)), (None, (64, 48)), ((48, 36), (48, 36))):
        style.set_inference_size(wanted)
        image = style.style(a_frame(size=(64, 48))).image
        assert image is not None
        assert image.size == size
        assert (image.model_input is None) == (wanted is None)


def test_fixed_size_says_so(tmp_path, provider):
    path = tiny.painter(tmp_path / "m.onnx", size=(32, 24))
    style = open_style(Settings(provider=provider), str(path), (64, 48))
    assert style.inference_size == (32, 24)
    assert "only takes 32x24" in style.provider_reason
    image = style.style(a_frame(size=(64, 48))).image
    assert image is not None
    assert image.size == (32, 24)
    assert style.resizable is None


def test_frames_may_change_size(tmp_path, provider):
    style = open_style(
        Settings(provider=provider), str(tiny.painter(tmp_path / "m.onnx", multiple=2)), SIZE
    )
    style.warm_up((30, 20))
    for size in ((30, 20), (31, 21), SIZE):
        frame = a_frame(size=size)
        image = style.style(frame).image
        assert image is not None
        assert_near(image.rgb(), tiny.mixed(frame.rgb()))


def test_equal_frames_give_equal_bytes(tmp_path):
    path = tiny.painter(tmp_path / "m.onnx")
    style = open_style(Settings(provider="cpu"), str(path), SIZE)
    first, second = (style.style(a_frame()) for _ in range(2))
    assert isinstance(first.image, StyledImage)
    assert isinstance(second.image, StyledImage)
    assert first.image.pixels.tobytes() == second.image.pixels.tobytes()
    style.style(a_frame(seed=5))  # a later frame must not write into an earlier picture
    assert_near(first.image.rgb(), tiny.mixed(a_frame().rgb()), 0)


def test_times_and_names(tmp_path):
    path = tiny.painter(tmp_path / "m.onnx")
    style = open_style(Settings(provider="cpu"), str(path), SIZE)
    result = style.style(a_frame())
    assert (style.model, style.provider, style.model_bytes) == ("m", "cpu", path.stat().st_size)
    assert style.provider_reason == "cpu: asked for"
    assert result.preprocess_ms > 0
    assert result.infer_ms > 0
    style.close()
    style.close()
    with pytest.raises(StylizerError, match="closed"):
        style.style(a_frame())


def test_model_none_shows_the_source():
    style = open_style(Settings(), "none", SIZE)
    frame = a_frame()
    result = style.style(frame)
    assert (result.frame, result.image, style.model) == (frame, None, "none")
    style.close()


def test_flags_win_and_are_remembered(tmp_path):
    path = tiny.painter(tmp_path / "m.onnx", order="BGR", metadata=tiny.CONTRACT | {"order": "RGB"})
    frame = a_frame()
    expected = tiny.mixed(frame.rgb())
    assert_near(styled(path, frame, model_order="BGR"), expected, 0)
    assert_near(styled(path, frame), expected, 0)
    assert inspection.inspect(str(path))["known"]["order"]["how"] == "remembered"
    assert np.any(styled(path, frame, model_order="auto") != expected)
    assert inspection.inspect(str(path))["known"]["order"]["how"] == "metadata"


def test_a_flag_that_fails_is_not_remembered(tmp_path):
    path = tiny.painter(tmp_path / "m.onnx")
    with pytest.raises(BadInput, match="cannot be NHWC"):
        open_style(Settings(provider="cpu", model_layout="NHWC"), str(path), SIZE)
    assert list(tmp_path.iterdir()) == [path]


def test_external_data_beside_the_model(tmp_path):
    path, _ = tiny.with_external_data(tmp_path / "m.onnx")
    assert_near(styled(path, a_frame()), tiny.mixed(a_frame().rgb()), 0)


def test_openvino_agrees_with_cpu(tmp_path):
    pytest.importorskip("openvino")
    path = tiny.painter(tmp_path / "m.onnx", value_range="0..1")
    found = inspection.check(str(path), Settings(provider="openvino"), (64, 48), runs=1)
    assert found["ok"]
    assert found["psnr_against_cpu_db"] > 45


def test_importing_the_stage_loads_no_runtime():
    code = (
        "import sys, stylizer.style, stylizer.style.catalog;"
        "bad = {'onnx', 'onnxruntime', 'openvino', 'torch'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("size", [(280, 158), (200, 112), (160, 90), (80, 44), (3, 2), (420, 250)])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_resized_frame_is_the_mean_of_what_each_pixel_covers(size, channels):
    from PIL import Image

    from stylizer.style.scaling import resize

    rng = np.random.default_rng(2)
    coarse = rng.integers(40, 215, (12, 20, channels), np.uint8)
    pixels = coarse.repeat(15, axis=0).repeat(16, axis=1)  # 320x180
    scaled = resize(pixels, size)
    grows = size[0] > 320
    kind = Image.Resampling.BILINEAR if grows else Image.Resampling.BOX
    wanted = np.asarray(Image.fromarray(pixels[..., :3]).resize(size, kind), np.float32)
    difference = scaled[..., :3] - wanted
    assert scaled.shape == (size[1], size[0], channels)
    assert scaled.flags.c_contiguous
    assert -4 < difference.mean() < 1, "at most 1 % darker"
    assert np.sqrt((difference**2).mean()) < 14, "edges lie where they lay"
