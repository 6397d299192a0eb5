"""The canvas beside the frame: read from the file, fed to every backend, or refused."""

from __future__ import annotations

import base64
import io
import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import tiny_models as tiny
from PIL import Image

from stylizer.app.cli import main
from stylizer.app.options import build_parser
from stylizer.app.run_settings import run_settings
from stylizer.errors import BadInput
from stylizer.frame import Frame, StyledImage
from stylizer.settings import Settings
from stylizer.style import inspection, providers
from stylizer.style.canvas import Canvas, mixed
from stylizer.style.contract import Packer
from stylizer.style.opening import open_style
from stylizer.style.ort import Binding
from stylizer.style.probe import load_model
from stylizer.style.wrapping import fed, wrap

SIZE = (50, 37)  # (width, height), no multiple of anything
KINDS = {
    "blocks": tiny.canvas_blocks,
    "float32": tiny.canvas_floats,
    "float16": lambda path, drawn: tiny.canvas_floats(path, drawn, "float16"),
}


@pytest.fixture(params=["cpu", "openvino"])
def provider(request: pytest.FixtureRequest) -> str:
    if request.param == "openvino":
        pytest.importorskip("openvino")
    return request.param


@pytest.fixture(params=list(KINDS))
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return KINDS[request.param](tmp_path / "m.onnx", tiny.tile())


def a_frame(size: tuple[int, int] = SIZE, seed: int = 1) -> Frame:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), np.uint8)
    return Frame(pixels, "BGRA", 0.0, 0)


def repeated(size: tuple[int, int], side: int = 16) -> np.ndarray:
    """The resting canvas of `size`, uint8 (height, width, 3)."""
    return np.tile(tiny.tile(side), (30, 30, 1))[: size[1], : size[0]]


def styled(style, frame: Frame) -> np.ndarray:
    image = style.style(frame).image
    assert image is not None
    return image.rgb().astype(int)


# --- the canvas reaches the network ---------------------------------------------------------


def test_the_network_sees_the_tile_repeated(path, provider):
    style = open_style(Settings(provider=provider), str(path), SIZE)
    frame = a_frame()
    assert np.array_equal(styled(style, frame), tiny.over_canvas(frame.rgb(), repeated(SIZE)))


def test_other_sizes_of_frames_and_of_what_is_seen(path, provider):
    style = open_style(Settings(provider=provider), str(path), SIZE)
    for size in ((96, 64), (33, 90), SIZE):
        frame = a_frame(size)
        assert np.array_equal(styled(style, frame), tiny.over_canvas(frame.rgb(), repeated(size)))
    flat = Frame(np.full((64, 96, 4), 100, np.uint8), "BGRA", 0.0, 0)
    for seen in ((48, 32), None, (40, 24)):
        style.see(seen)
        size = seen or flat.size
        picture = np.full((size[1], size[0], 3), 100, np.uint8)
        got = styled(style, flat)
        assert np.abs(got - tiny.over_canvas(picture, repeated(size))).max() <= 1


HALF = {
    "blocks": lambda path, drawn: tiny.canvas_blocks(path, drawn, step=2),
    "float32": lambda path, drawn: tiny.canvas_floats(path, drawn, step=2),
}


@pytest.mark.parametrize("kind", HALF)
def test_a_canvas_of_half_the_size(tmp_path, provider, kind):
    style = open_style(
        Settings(provider=provider), str(HALF[kind](tmp_path / "m.onnx", tiny.tile())), SIZE
    )
    frame = a_frame()
    whole = repeated(SIZE).repeat(2, 0).repeat(2, 1)[: SIZE[1], : SIZE[0]]
    assert np.array_equal(styled(style, frame), tiny.over_canvas(frame.rgb(), whole))


def test_a_foreign_program_sees_the_same(tmp_path):
    """A float file alone, without our runtime: one input, the same picture."""
    path = tiny.canvas_floats(tmp_path / "m.onnx", tiny.tile())
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    frame = a_frame((56, 40))
    planes = frame.rgb().transpose(2, 0, 1)[None].astype(np.float32)
    given = np.asarray(session.run(None, {"input": planes})[0])[0].transpose(1, 2, 0)
    style = open_style(Settings(provider="cpu"), str(path), frame.size)
    assert np.array_equal(styled(style, frame), given)


def test_the_wrapped_float_graph_holds_no_tile(tmp_path):
    path = tiny.canvas_floats(tmp_path / "m.onnx", tiny.tile())
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
            wanted = tiny.over_canvas(frame.rgb(), canvas.picture[..., :3])
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
    two = tiny.canvas_blocks(tmp_path / "m.onnx", None, role=False)
    with pytest.raises(BadInput, match="beside the picture"):
        load_model(two)


# --- refused ----------------------------------------------------------------------------------


def as_text(picture: np.ndarray, kind: str = "WEBP") -> str:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, kind)
    return base64.b64encode(stream.getvalue()).decode()


BAD_TILES = {
    "missing": (None, "lacks the canvas"),
    "empty": ("", "is damaged"),
    "no base64": ("%% no base64 %%", "is damaged"),
    "no picture": (base64.b64encode(b"a cat").decode(), "is damaged"),
    "cut": (as_text(tiny.tile(64))[:400], "is damaged"),
    "png": (as_text(tiny.tile(), "PNG"), "is damaged"),
    "no square": (as_text(np.zeros((16, 24, 3), np.uint8)), "is 24x16 and must be"),
    "side": (as_text(np.zeros((20, 20, 3), np.uint8)), "is 20x20 and must be"),
}


@pytest.mark.parametrize("name", BAD_TILES)
@pytest.mark.parametrize("kind", ["blocks", "float32"])
def test_a_bad_tile_is_one_sentence(tmp_path, capsys, name, kind):
    drawn, says = BAD_TILES[name]
    path = KINDS[kind](tmp_path / "m.onnx", drawn)
    assert main(["models", "check", str(path)]) == 2
    text = capsys.readouterr().err.strip()
    assert says in text
    assert str(path) in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        ({"canvas": "nowhere"}, "names the canvas 'nowhere'"),
        ({"canvas": 3}, "names the canvas 3"),
        ({"last": "picture"}, "only canvas is known"),
        (["canvas"], "only canvas is known"),
        ({"canvas": "wide"}, "wants canvas"),
    ],
)
def test_a_bad_role_is_one_sentence(tmp_path, roles, says):
    path = tiny.canvas_blocks(tmp_path / "m.onnx", tiny.tile())
    model = onnx.load(str(path))
    told = tiny.CONTRACT | {"layout": "blocks4", "roles": roles}
    model.metadata_props[0].value = json.dumps(told)
    onnx.save(model, str(path))
    with pytest.raises(BadInput, match=says):
        load_model(path)


@pytest.mark.parametrize(
    ("step", "says"), [(3, "canvas_step 3"), (2, "dimensions for input: canvas")]
)
def test_a_step_that_does_not_fit_is_one_sentence(tmp_path, step, says):
    path = tiny.canvas_blocks(tmp_path / "m.onnx", tiny.tile())
    model = onnx.load(str(path))
    told = json.loads(model.metadata_props[0].value) | {"canvas_step": step}
    model.metadata_props[0].value = json.dumps(told)
    onnx.save(model, str(path))
    with pytest.raises(BadInput, match=says):
        load_model(path)


def test_a_canvas_inside_a_graph_of_blocks_is_refused(tmp_path):
    told = tiny.CONTRACT | {"layout": "blocks4", "roles": {"canvas": "inner"}}
    ends = ("uint8", [1, "rows", "columns", 64])
    names = ("input", "inner", "styled")
    nodes = [onnx.helper.make_node("Identity", [a], [b]) for a, b in pairwise(names)]
    path = tmp_path / "m.onnx"
    tiny.save(path, nodes, {"input": ends}, {"styled": ends}, {}, metadata=told)
    with pytest.raises(BadInput, match="a canvas of uint8 beside blocks4"):
        load_model(tiny.canvas_metadata(path, tiny.tile()))


# --- the canvas goes with the picture -------------------------------------------------------------

WIDE = (320, 240)
RIM = 32  # pixels: what comes in at the edge has no motion to measure


def soft_tile(side: int = 64) -> np.ndarray:
    """A seamless tile of soft blobs, uint8 (side, side, 3)."""
    noise = np.random.default_rng(4).normal(0, 1, (side, side, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(np.tile(noise, (3, 3, 1)), (0, 0), 4)[side : 2 * side, side : 2 * side]
    return np.clip(soft / soft.std() * 20 + 128, 60, 200).astype(np.uint8)


def scene(seed: int = 0) -> np.ndarray:
    """uint8 BGRA, 64 pixels larger on each side than WIDE."""
    noise = np.random.default_rng(seed).normal(0, 1, (368, 448, 4)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 6)
    return np.clip(soft / soft.std() * 12 + 128, 80, 180).astype(np.uint8)


def view(picture: np.ndarray, x: int = 0, y: int = 0) -> Frame:
    part = picture[64 + y : 64 + y + WIDE[1], 64 + x : 64 + x + WIDE[0]]
    return Frame(np.ascontiguousarray(part), "BGRA", 0.0, 0)


@pytest.fixture(params=["blocks", "float32"])
def soft_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return KINDS[request.param](tmp_path / "m.onnx", soft_tile())


def canvas_seen(style, frame: Frame) -> np.ndarray:
    """The canvas in what a network of these tests gives, integers (height, width, 3)."""
    return styled(style, frame) - frame.rgb() + 128


def resting(x: int = 0, y: int = 0) -> np.ndarray:
    """The canvas when the camera has gone by (x, y)."""
    return np.roll(np.tile(soft_tile(), (4, 5, 1)), (-y, -x), (0, 1))[: WIDE[1], : WIDE[0]]


def inner_error(got: np.ndarray, wanted: np.ndarray) -> float:
    part = np.s_[RIM:-RIM, RIM:-RIM]
    return float(np.abs(got[part] - wanted[part].astype(int)).mean())


def test_the_canvas_moves_by_the_shift_of_the_picture(soft_path):
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture = scene()
    assert np.array_equal(canvas_seen(style, view(picture)), resting())
    got = resting()
    for number in range(1, 6):
        got = canvas_seen(style, view(picture, 4 * number, -2 * number))
    wanted = resting(20, -10)
    assert inner_error(got, wanted) < 3.5, "less than a pixel"
    assert inner_error(got, resting()) > 10, "it is not where it was"


@pytest.mark.parametrize("kind", HALF)
def test_a_canvas_of_half_the_size_moves_by_half_as_many_pixels(tmp_path, kind):
    path = HALF[kind](tmp_path / "m.onnx", soft_tile())
    style = open_style(Settings(provider="cpu"), str(path), WIDE)
    picture = scene()
    for number in range(6):
        got = canvas_seen(style, view(picture, 4 * number, -2 * number))
    assert inner_error(got[::2, ::2], resting(10, -5)[: WIDE[1] // 2, : WIDE[0] // 2]) < 3.5


def test_still_frames_give_identical_bytes(soft_path):
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture = scene()
    for number in range(3):
        style.style(view(picture, 5 * number, 3))
    moved = styled(style, view(picture, 10, 3))
    assert not np.array_equal(canvas_seen(style, view(picture, 10, 3)), resting())
    for _ in range(3):
        assert np.array_equal(styled(style, view(picture, 10, 3)), moved)


def test_a_cut_starts_anew(soft_path):
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture = scene()
    for number in range(3):
        style.style(view(picture, 5 * number))
    other = Frame(255 - scene(9)[:240, :320] // 2, "BGRA", 0.0, 0)
    assert np.array_equal(canvas_seen(style, other)[100], resting()[100])


@pytest.mark.parametrize("settings", [{"source": "images"}, {"move_canvas": False}])
def test_the_canvas_of_images_and_one_told_so_never_moves(soft_path, settings):
    style = open_style(Settings(provider="cpu", **settings), str(soft_path), WIDE)
    picture = scene()
    for number in range(4):
        got = canvas_seen(style, view(picture, 6 * number, 2))
        assert np.array_equal(got, resting())


@pytest.mark.parametrize(
    ("words", "moves"),
    [
        ([], True),
        (["--stabilise", "0.8"], True),
        (["--stabilise", "0"], False),
        (["--stabilise", "0", "--move-canvas"], True),
        (["--no-move-canvas"], False),
        (["--source", "images", "--input", "."], False),
    ],
)
def test_when_the_canvas_moves(words, moves):
    assert run_settings(build_parser().parse_args(["run", *words])).canvas_moves == moves


def test_what_the_network_sees_may_be_smaller_than_the_frame(soft_path):
    style = open_style(Settings(provider="cpu", inference_size=(160, 120)), str(soft_path), WIDE)
    picture, image = scene(), None
    for number in range(5):
        image = style.style(view(picture, 8 * number)).image
    assert isinstance(image, StyledImage)
    assert image.seen is not None
    got = image.rgb().astype(int) - image.seen[..., 2::-1] + 128
    assert inner_error(got, resting(16)[:120, :160]) < 2.0


def test_a_fade_keeps_the_contrast_and_ends_in_the_fresh_texture():
    old, fresh = (
        np.dstack([tile, tile[..., :1]]) for tile in (soft_tile(), soft_tile()[::-1, ::-1])
    )
    for share in (0.25, 0.5, 0.75):
        faded = old.copy()
        mixed(faded, np.ascontiguousarray(fresh), share)
        plain = (1 - share) * old[..., 1] + share * fresh[..., 1]
        assert faded[..., 1].std() > 1.05 * plain.std()
        assert faded[..., 1].std() < 1.02 * old[..., 1].std()
    alike = old.copy()
    mixed(alike, old, 0.5)
    assert np.abs(alike.astype(int) - old).max() <= 1, "what is the same stays as it is"


def test_walking_forward_goes_on_without_a_jump(soft_path):
    """A zoom without end: from frame to frame the canvas changes less than if it began anew."""
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture, changes, last = scene(), [], None
    for number in range(40):
        side = int(300 / 1.015 ** (number % 20))
        grown = cv2.resize(picture[: side * 3 // 4 + 64, : side + 64], WIDE)
        canvas = canvas_seen(style, Frame(grown, "BGRA", 0.0, 0))
        if last is not None:
            changes.append(np.abs(canvas - last)[RIM:-RIM, RIM:-RIM].mean())
        last = canvas
    assert np.median(changes) < 12


def test_warming_up_moves_nothing(soft_path):
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture = scene()
    style.style(view(picture))
    style.style(view(picture, 5))
    style.warm_up(WIDE)
    assert np.array_equal(canvas_seen(style, view(picture)), resting())


def test_a_frame_told_to_be_a_first_one_starts_anew(soft_path):
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture = scene()
    for number in range(3):
        style.style(view(picture, 5 * number))
    style.forget()
    assert np.array_equal(canvas_seen(style, view(picture, 15)), resting())
