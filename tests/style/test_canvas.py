"""The canvas beside the frame: read from the file, fed to every backend."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import tiny_models as tiny
from canvas_files import HALF, styled
from canvas_networks import canvas_blocks, canvas_floats, over_canvas, tile

from stylizer.errors import BadInput
from stylizer.frame import Frame, StyledImage
from stylizer.settings import Settings
from stylizer.style import inspection, providers
from stylizer.style.canvas import Canvas
from stylizer.style.contract import Packer
from stylizer.style.opening import open_style
from stylizer.style.ort import Binding
from stylizer.style.probe import load_model
from stylizer.style.wrapping import fed, wrap

SIZE = (50, 37)  # (width, height), no multiple of anything


@pytest.fixture(params=["cpu", "openvino"])
def provider(request: pytest.FixtureRequest) -> str:
    if request.param == "openvino":
        pytest.importorskip("openvino")
    return request.param


def a_frame(size: tuple[int, int] = SIZE, seed: int = 1) -> Frame:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), np.uint8)
    return Frame(pixels, "BGRA", 0.0, 0)


def repeated(size: tuple[int, int], side: int = 16) -> np.ndarray:
    """The resting canvas of `size`, uint8 (height, width, 3)."""
    return np.tile(tile(side), (30, 30, 1))[: size[1], : size[0]]


# --- the canvas reaches the network ---------------------------------------------------------


def test_the_network_sees_the_tile_repeated(path, provider):
    style = open_style(Settings(provider=provider), str(path), SIZE)
    frame = a_frame()
    assert np.array_equal(styled(style, frame), over_canvas(frame.rgb(), repeated(SIZE)))


def test_other_sizes_of_frames_and_of_what_is_seen(path, provider):
    style = open_style(Settings(provider=provider), str(path), SIZE)
    for size in ((96, 64), (33, 90), SIZE):
        frame = a_frame(size)
        assert np.array_equal(styled(style, frame), over_canvas(frame.rgb(), repeated(size)))
    flat = Frame(np.full((64, 96, 4), 100, np.uint8), "BGRA", 0.0, 0)
    for seen in ((48, 32), None, (40, 24)):
        style.set_inference_size(seen)
        size = seen or flat.size
        picture = np.full((size[1], size[0], 3), 100, np.uint8)
        got = styled(style, flat)
        assert np.abs(got - over_canvas(picture, repeated(size))).max() <= 1


@pytest.mark.parametrize("kind", HALF)
def test_a_canvas_of_half_the_size(tmp_path, provider, kind):
    style = open_style(
        Settings(provider=provider),
        str(HALF[kind](tmp_path / "m.onnx", tile())),
        SIZE,
    )
    frame = a_frame()
    whole = repeated(SIZE).repeat(2, 0).repeat(2, 1)[: SIZE[1], : SIZE[0]]
    assert np.array_equal(styled(style, frame), over_canvas(frame.rgb(), whole))


def test_a_foreign_program_sees_the_same(tmp_path):
    """A float file alone, without our runtime: one input, the same picture."""
    path = canvas_floats(tmp_path / "m.onnx", tile())
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    frame = a_frame((56, 40))
    planes = frame.rgb().transpose(2, 0, 1)[None].astype(np.float32)
    given = np.asarray(session.run(None, {"input": planes})[0])[0].transpose(1, 2, 0)
    style = open_style(Settings(provider="cpu"), str(path), frame.size)
    assert np.array_equal(styled(style, frame), given)


def test_the_wrapped_float_graph_holds_no_tile(tmp_path):
    path = canvas_floats(tmp_path / "m.onnx", tile())
    model, proto = load_model(path)
    wrapped = onnx.ModelProto.FromString(wrap(proto, model))
    assert [i.name for i in wrapped.graph.input] == fed(model)
    assert fed(model) == ["stylizer_in", "stylizer_canvas"]
    assert not {"Tile", "Slice", "Shape"} & {n.op_type for n in wrapped.graph.node}
    assert not {"tile", "times", "corner"} & {w.name for w in wrapped.graph.initializer}


@pytest.mark.parametrize("device", [None, "cpu"])
def test_io_binding_renews_the_canvas_only_when_it_has_changed(path, device):
    model, proto = load_model(path)
    session = providers.build_session(providers.PROVIDERS["cpu"], wrap(proto, model))
    bound = Binding(session, device, fed(model), lambda b: b.copy_outputs_to_cpu()[0])
    for size in ((64, 48), (32, 24)):
        canvas, packer = Canvas(model, size), Packer(model, size, None)
        for seed in (1, 2):
            frame = a_frame(size, seed)
            image = packer.unpack(bound(packer.pack(frame), canvas))
            wanted = over_canvas(frame.rgb(), canvas.picture[..., :3])
            assert np.array_equal(image.rgb(), wanted)


def test_a_resting_canvas_is_packed_once(path):
    model, _ = load_model(path)
    canvas = Canvas(model, (64, 48))
    style = open_style(Settings(provider="cpu"), str(path), (64, 48))
    first, second = (style.style(a_frame((64, 48))).image for _ in range(2))
    assert isinstance(first, StyledImage)
    assert isinstance(second, StyledImage)
    assert first.pixels.tobytes() == second.pixels.tobytes()
    assert canvas.tensor.dtype == np.uint8


# --- what is told of it ---------------------------------------------------------------------


def test_inspect_and_check_know_the_canvas(path):
    found = inspection.inspect(str(path))
    assert found["contract"]["roles"] == {"canvas": "canvas"}
    assert found["contract"]["canvas_tile_px"] == [16, 16]
    assert found["known"]["roles"]["how"] == "metadata"
    assert found["macs"] == 0
    assert found["parameters"] < 5, "the tile is no weight"
    assert inspection.check(str(path), Settings(provider="cpu"), (64, 48), runs=1)["ok"]


def test_a_foreign_file_has_no_roles(tmp_path):
    painter = tiny.painter(tmp_path / "p.onnx")
    assert inspection.inspect(str(painter))["contract"]["roles"] == {}
    two = canvas_blocks(tmp_path / "m.onnx", None, role=False)
    with pytest.raises(BadInput, match="beside the picture"):
        load_model(two)
