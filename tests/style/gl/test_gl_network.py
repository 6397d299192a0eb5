"""The shaders draw what integer arithmetic gives, byte for byte, or refuse the graph by name."""

from __future__ import annotations

from pathlib import Path

import integer_networks as networks
import integer_reference as reference
import moderngl
import numpy as np
import onnx
import onnxruntime
import pytest
from moving_frames import moving_frames

from stylizer.settings import Settings
from stylizer.stages import is_software_gl
from stylizer.style import catalog
from stylizer.style.gl.arithmetic import arithmetic, multiplications
from stylizer.style.gl.layout import layouts, plane_layouts
from stylizer.style.gl.network import Kind, Network, Picture
from stylizer.style.gl.reading import DoesNotFit, read_steps
from stylizer.style.gl.steps import Conv, Quantized, sum_rule
from stylizer.style.gl.thread import GlThread
from stylizer.style.opening import open_style
from stylizer.style.probe import load_model

FAST = ("fast", "int8")  # and none of the user's own, whose folder the tests do not see
BUNDLED = [m.name for m in catalog.bundled(own=False) if (m.tier, m.precision) == FAST]
SIZES = [(8, 8), (8, 24), (40, 8), (24, 40), (64, 48), (104, 56)]  # (width, height)
CPU_FLAGS = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""


def blocks(rng: np.random.Generator, size: tuple[int, int], channels: int) -> np.ndarray:
    """Blocks of a picture with flat places, edges and noise, all values among them."""
    rows, columns = size[1] // 4, size[0] // 4
    coarse = rng.integers(0, 256, (rows // 2 + 1, columns // 2 + 1, channels))
    whole = coarse.repeat(2, 0).repeat(2, 1)[:rows, :columns]
    noise = rng.integers(-40, 41, whole.shape) * (rng.random((rows, columns, 1)) < 0.7)
    return np.clip(whole + noise, 0, 255).astype(np.uint8)[None]


def as_picture(tensor: np.ndarray) -> np.ndarray:
    """Blocks of 4-byte pixels as a picture (height, width, 4)."""
    _, rows, columns, channels = tensor.shape
    side = round((channels // 4) ** 0.5)
    pixels = tensor.reshape(rows, columns, side, side, 4).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(pixels).reshape(rows * side, columns * side, 4)


def target(gl: GlThread, size: tuple[int, int]) -> moderngl.Framebuffer:
    return gl.context.framebuffer([gl.context.texture(size, 4)])


def drawn(gl: GlThread, network: Network, feeds: dict[str, np.ndarray]) -> np.ndarray:
    """Blocks as the network draws them: fed as pictures where they are pixels, else block by
    block, and read back both ways."""

    def work() -> np.ndarray:
        given = {}
        for name, tensor in feeds.items():
            _, rows, columns, channels = tensor.shape
            side = round((channels // 4) ** 0.5)
            square = 4 * side**2 == channels
            size = (columns * side, rows * side) if square else (columns * channels // 4, rows)
            data = as_picture(tensor) if square else tensor
            texture = gl.context.texture(size, 4, data.tobytes())
            given[name] = Picture(texture, (side, side) if square else (channels // 4, 1))
        _, rows, columns, _ = feeds["input"].shape
        channels = network.network.result.channels
        whole = target(gl, (columns * channels // 4, rows))
        network.run(given, (columns, rows), (channels // 4, 1), whole)
        result = np.frombuffer(whole.read(components=4), np.uint8)
        result = result.reshape(1, rows, columns, channels)
        if channels == 64:  # as a picture, the last pixels of which are not wanted
            width, height = columns * 4 - 3, rows * 4 - 1
            cut = target(gl, (width, height))
            network.run(given, (columns, rows), (4, 4), cut)
            picture = np.frombuffer(cut.read(components=4), np.uint8).reshape(height, width, 4)
            assert np.array_equal(picture, as_picture(result)[:height, :width])
        assert gl.context.error == "GL_NO_ERROR"
        return result

    return gl.run(work)


def compare(gl: GlThread, path: Path, sizes: list[tuple[int, int]] = SIZES) -> None:
    """Draw at every size and compare with whole numbers."""
    proto = onnx.load(str(path))
    steps = read_steps(proto)
    kinds: tuple[Kind, ...] = ("fragment", "compute", "packed")
    if gl.run(lambda: gl.context.version_code) < 430:
        kinds = kinds[:1]
    networks = [gl.run(lambda k=k: Network(gl.context, steps, k)) for k in kinds]
    channels = {v.name: v.type.tensor_type.shape.dim[3].dim_value for v in proto.graph.input}
    for number, size in enumerate(sizes):
        rng = np.random.default_rng(number)
        feeds = {name: blocks(rng, size, count) for name, count in channels.items()}
        wanted = reference.run(proto, feeds)
        assert wanted.std() > 5 or min(size) < 24, "a flat picture would prove nothing"
        for network in networks:
            told = f"{path.stem} at {size}, {network.kind} shaders"
            assert np.array_equal(drawn(gl, network, feeds), wanted), told
    for network in networks:
        gl.run(network.release)


# --- byte for byte --------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_model_is_drawn_byte_for_byte(gl, name):
    path = catalog.resolve(name, "gl").path
    assert path is not None
    compare(gl, path)


def test_there_are_bundled_models():
    assert len(BUNDLED) >= 8


@pytest.mark.parametrize(
    "shape",
    [
        {"stem": 12, "body": 20, "inner": 28},
        {"frame": 48, "canvas": 12},  # pixels of three bytes
        {"canvas": 16},  # a canvas of half the size
        {"canvas": 0},
    ],
    ids=str,
)
def test_other_widths_and_inputs(gl, tmp_path, shape):
    compare(gl, networks.fast_like(tmp_path / "m.onnx", **shape), [(40, 24), (16, 8)])


def test_sums_too_large_for_one_float_are_split(gl, tmp_path):
    g = networks.IntegerGraph(3)
    x = g.conv(g.given("input", 64), 96)
    path = g.save(tmp_path / "m.onnx", g.conv(x, 64, 3))
    proto = onnx.load(str(path))
    held = {w.name: w for w in proto.graph.initializer}
    for name, values in g.weights.items():
        if values.ndim == 4 and values.shape[2] == 3:  # the largest sums that there can be
            held[name].CopyFrom(onnx.numpy_helper.from_array(np.full_like(values, 127), name))
    last = [n for n in proto.graph.node if n.op_type == "QuantizeLinear"][-1]
    wide = np.asarray(g.weights[last.input[1]] * 30, np.float32)
    held[last.input[1]].CopyFrom(onnx.numpy_helper.from_array(wide, last.input[1]))
    onnx.save(proto, str(path))
    convs = [step for step in read_steps(proto).steps if isinstance(step, Conv)]
    assert max(step.bound for step in convs) > 2**24
    compare(gl, path, [(40, 24)])


def test_a_driver_with_small_uniform_blocks(gl, tmp_path, monkeypatch):
    """OpenGL promises 16 KiB; most drivers have 64."""
    steps = read_steps(onnx.load(str(networks.fast_like(tmp_path / "m.onnx", 24, 48, 24))))
    planes = {layouts(steps, 2**16)[s.out].planes for s in steps.steps}
    assert planes != {layouts(steps, 2**14)[s.out].planes for s in steps.steps}
    monkeypatch.setattr(
        "stylizer.style.gl.network.layouts", lambda steps, limit: layouts(steps, 2**14)
    )
    compare(gl, tmp_path / "m.onnx", [(40, 24)])
    with pytest.raises(DoesNotFit, match="bytes of weights"):
        layouts(steps, 100)


def run_on_cpu(path: Path, feeds: dict[str, np.ndarray]) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, feeds)[0])


@pytest.mark.skipif(" fma " not in CPU_FLAGS, reason="no fused multiply-adds in this CPU")
def test_the_reference_rounds_as_onnx_runtime(tmp_path):
    """With weights so small that CPUs without VNNI do not saturate either."""
    g = networks.IntegerGraph(5)
    x = g.given("input", 64)
    y = g.conv(x, 64, 3, zero=100, most=60)
    path = g.save(tmp_path / "m.onnx", g.add(y, g.conv(x, 64, most=60), zero=7))
    feeds = {"input": blocks(np.random.default_rng(1), (104, 56), 64)}
    assert np.array_equal(reference.run(path, feeds), run_on_cpu(path, feeds))


@pytest.mark.skipif("vnni" not in CPU_FLAGS, reason="without VNNI ONNX Runtime saturates")
@pytest.mark.parametrize("name", BUNDLED)
def test_the_reference_is_onnx_runtime_with_vnni(name):
    path = catalog.resolve(name, "cpu").path
    assert path is not None
    proto = onnx.load(str(path))
    channels = {v.name: v.type.tensor_type.shape.dim[3].dim_value for v in proto.graph.input}
    rng = np.random.default_rng(2)
    feeds = {name: blocks(rng, (104, 56), count) for name, count in channels.items()}
    assert np.array_equal(reference.run(proto, feeds), run_on_cpu(path, feeds))


@pytest.mark.skipif(" fma " not in CPU_FLAGS, reason="no fused multiply-adds in this CPU")
def test_sums_of_all_pairs_are_onnx_runtimes(tmp_path):
    rng, every = np.random.default_rng(0), np.arange(256, dtype=np.uint8)
    pairs = np.zeros((2, 1, 32, 32, 64), np.uint8)
    pairs[0].reshape(256, 256)[:], pairs[1].reshape(256, 256)[:] = every[:, None], every
    for trial in range(12):
        g = networks.IntegerGraph()
        a, b = (g.given(name, 64) for name in ("input", "other"))
        scales = rng.uniform(0.004, 0.04, 2).astype(np.float32).tolist()
        kinds = [(scale, int(rng.integers(0, 256))) for scale in scales]
        a, b = (networks.Value(v.name, 64, *kind) for v, kind in zip((a, b), kinds, strict=True))
        out = g.add(a, b, zero=trial * 20)
        path = g.save(tmp_path / "m.onnx", out)
        read = [Quantized(np.float32(v.scale), v.zero) for v in (a, b, out)]
        got = run_on_cpu(path, {"input": pairs[0], "other": pairs[1]}).reshape(256, 256)
        assert np.array_equal(sum_rule(*read).table, got)


# --- the backend ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(160, 96), (179, 101)])
def test_frames_of_any_size_with_a_moving_canvas(size):
    """Odd sizes are padded by their edge; the canvas that moved is the one that is drawn."""
    style = open_style(Settings(provider="gl"), BUNDLED[0], size)
    try:
        stamps = set()
        for frame in moving_frames(size, (3, 2), "BGRA"):
            image = style.style(frame).image
            assert image is not None
            canvas = style._canvas.tensor.copy()  # type: ignore[attr-defined]
            stamps.add(canvas.tobytes())
            tensor = style._packer.pack(frame)  # type: ignore[attr-defined]
            wanted = reference.run(
                catalog.resolve(BUNDLED[0], "gl").path,  # type: ignore[arg-type]
                {"input": tensor, "canvas": canvas},
            )
            whole = as_picture(wanted)[: size[1], : size[0], :3]
            assert np.array_equal(image.rgb(), whole)
        assert len(stamps) > 1, "the canvas did not move"
    finally:
        style.close()


def test_the_size_seen_may_change_at_any_time():
    style = open_style(Settings(provider="gl"), "mosaic-fast", (96, 64))
    frame = moving_frames((96, 64), (3, 2), "BGRA")[0]
    try:
        for seen in ((48, 32), None, (64, 40)):
            style.set_inference_size(seen)
            image = style.style(frame).image
            assert image is not None
            assert image.size == style.inference_size == (seen or frame.size)
        software = "others are not tried in software"
        assert "drawn by" in style.provider_reason
        assert (software in style.provider_reason) == is_software_gl(style.provider_reason)
    finally:
        style.close()
        style.close()


# --- what it costs ---------------------------------------------------------------------------


@pytest.mark.parametrize("block_bytes", [16384, 65536])  # OpenGL's least, what drivers have
@pytest.mark.parametrize("name", BUNDLED)
def test_passes_multiply_little_more_than_the_graph(name, block_bytes):
    path = catalog.resolve(name, "gl").path
    assert path is not None
    mine, graphs = arithmetic(*load_model(path, 0), (1280, 720), block_bytes)
    assert graphs is not None
    assert graphs < mine <= 1.2 * graphs


def test_multiplications_are_counted_by_hand(tmp_path):
    """From 64 to 6 channels, which fill two groups of four, over a neighborhood of 3 x 3."""
    g = networks.IntegerGraph()
    x = g.conv(g.conv(g.given("input", 64), 6, 3), 64)
    steps = read_steps(onnx.load(str(g.save(tmp_path / "m.onnx", x))))
    by_hand = 5 * 3 * (64 * 8 * 9 + 8 * 64)
    assert multiplications(steps, layouts(steps, 65536), (5, 3)) == by_hand


def test_textures_are_chosen_that_leave_nothing_to_fill_up(tmp_path):
    """32 channels are eight groups: two textures of four tiles, not three of three."""
    g = networks.IntegerGraph()
    x = g.conv(g.conv(g.given("input", 64), 32), 64)
    steps = read_steps(onnx.load(str(g.save(tmp_path / "m.onnx", x))))
    found = plane_layouts(steps, 3)[steps.steps[0].out]
    assert (found.planes, found.slots.size) == (2, 32)
