"""The fast tier: its network, its integer graph, its files; on tiny networks."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from stylizer.frame import Frame  # noqa: E402
from stylizer.lab.nets import fake_quant  # noqa: E402
from stylizer.lab.nets.fast import FAST_ARCHS, FastArch, FastNetwork  # noqa: E402
from stylizer.lab.nets.painter import CanvasFile  # noqa: E402
from stylizer.lab.nets.registry import new_network  # noqa: E402
from stylizer.lab.onnx import export  # noqa: E402
from stylizer.lab.onnx.fast_export import beside, interleaved  # noqa: E402
from stylizer.lab.onnx.fast_import import planewise  # noqa: E402
from stylizer.settings import Settings  # noqa: E402
from stylizer.style.contract import LAYOUTS  # noqa: E402
from stylizer.style.opening import open_style  # noqa: E402

CONTRACT = {
    "layout": "NCHW", "range": "0..255", "order": "RGB", "size_multiple": 8,
    "style": "dots", "tier": "fast-tiny", "precision": "fp32",
}  # fmt: skip


def textured(height: int, width: int, seed: int = 0) -> np.ndarray:
    """uint8 RGB with edges and soft places."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (3, height // 8 + 1, width // 8 + 1), dtype=np.uint8)
    return coarse.repeat(8, 1).repeat(8, 2)[:, :height, :width].transpose(1, 2, 0).copy()


def tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1).copy() / np.float32(255))[None]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2)))


def observed(network: FastNetwork) -> FastNetwork:
    """Random weights, grade and canvas, ranges as observed on one picture."""
    torch.manual_seed(0)
    matrix = torch.tensor([[0.9, 0.1, 0.0], [0.1, 0.7, -0.1], [0.0, 0.2, 0.6]])
    canvas = CanvasFile.of(textured(64, 64, 9))
    network.take_style(matrix, torch.tensor([0.02, 0.06, 0.1]), canvas)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.03 * torch.randn_like(parameter)
        fake_quant.observe(network, True)
        network(tensor(textured(96, 128)))
        fake_quant.observe(network, False)
    return network


@pytest.fixture(scope="module")
def network() -> FastNetwork:
    torch.manual_seed(0)
    network = new_network("fast-tiny")
    assert isinstance(network, FastNetwork)
    return observed(network)


@pytest.fixture(scope="module")
def files(network, tmp_path_factory):
    """(float file, integer file)."""
    path = tmp_path_factory.mktemp("fast") / "dots-fast.onnx"
    assert export.export_onnx(network, path, CONTRACT, {"seed": 1}) < 0.01
    return path, beside(path, "int8")


def painted(path, picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    style = open_style(Settings(provider="cpu"), str(path), (width, height))
    try:
        image = style.style(Frame(picture, "RGB", 0.0, 0)).image
        assert image is not None
        return image.rgb().copy()
    finally:
        style.close()


NETWORKS = [
    FastArch("a", 8, 8, 1),
    FastArch("b", 8, 16, 2, inner=(8, 4)),
    FastArch("c", 16, 8, 3),
]


@pytest.mark.parametrize("arch", NETWORKS)
def test_the_network_keeps_the_size(arch):
    x = torch.rand(2, 3, 40, 56)
    assert FastNetwork(arch)(x).shape == x.shape


@pytest.mark.parametrize("arch", NETWORKS)
def test_every_layout_exports(arch, tmp_path):
    torch.manual_seed(1)
    path = tmp_path / "dots-fast.onnx"
    assert export.export_onnx(observed(FastNetwork(arch)), path, CONTRACT, {}) < 0.01
    picture = textured(64, 96, 3)
    exact = painted(path, picture)
    assert exact.std() > 5, "a flat picture would prove nothing"
    assert psnr(painted(beside(path, "int8"), picture), exact) > 28


def test_the_bundled_layout_is_small_enough():
    network = new_network("fast")
    assert sum(p.numel() for p in network.parameters()) < 400_000


def test_the_canvas_is_seen_and_at_rest_it_is_the_tile(network):
    x = tensor(textured(72, 136))
    rows, columns = (torch.arange(n) % 32 for n in (36, 68))
    canvas = network.tile[:, rows][:, :, columns][None].float() / 255
    with torch.no_grad():
        seen, nothing = network(x), network(x, torch.full_like(canvas, 128 / 255))
        assert torch.equal(network(x, canvas), seen)
    assert float((nothing - seen).abs().mean()) > 0.01


def test_without_an_edit_the_picture_is_the_graded_frame(network):
    plain = FastNetwork(network.arch)
    plain.take_style(network.matrix, network.offset, network.canvas_file)
    torch.nn.init.zeros_(plain.head.weight)
    plain.smooth(0.0, torch.ones(3))
    x = tensor(textured(64, 64))
    with torch.no_grad():
        assert torch.equal(plain(x), plain.graded(x))
    wanted = torch.einsum("ij,bjhw->bihw", network.matrix, x) + network.offset.view(1, 3, 1, 1)
    assert torch.allclose(plain.graded(x), wanted.clamp(0, 1), atol=1e-6)


def test_the_order_inside_a_block_goes_there_and_back():
    values = np.random.default_rng(0).normal(size=(48, 5))
    assert np.array_equal(planewise(interleaved(values, 16, 3, 0.0), 16), values)
    wide = interleaved(values, 16, 4, 7.0).reshape(16, 4, 5)
    assert (wide[:, 3] == 7).all()
    assert np.array_equal(wide[2, 1], values[16 + 2])


def test_the_integer_graph_does_what_training_simulated(network, files):
    picture = textured(96, 128)
    with torch.no_grad():
        fake_quant.quantize(network, True)
        simulated = network(tensor(picture))[0].numpy().transpose(1, 2, 0) * 255
        fake_quant.quantize(network, False)
        exact = network(tensor(picture)).clamp(0, 1)[0].numpy().transpose(1, 2, 0) * 255
    got = painted(files[1], picture)
    assert exact.std() > 20, "a flat picture would prove nothing"
    assert psnr(got, simulated) > 38
    assert psnr(got, exact) > 28


def test_the_float_file_does_what_pytorch_does(network, files):
    picture = textured(70, 100, 1)  # no multiple of 8: edge-padded, then cropped
    padded = np.pad(picture, ((0, 2), (0, 4), (0, 0)), mode="edge")
    with torch.no_grad():
        wanted = network(tensor(padded)).clamp(0, 1)[0].numpy().transpose(1, 2, 0) * 255
    assert np.abs(painted(files[0], picture) - wanted[:70, :100]).max() <= 1


def test_half_precision_is_near_float(files):
    half = beside(files[0], "fp16")
    assert half.stat().st_size < 0.75 * files[0].stat().st_size  # the canvas is bytes in both
    picture = textured(64, 96, 2)
    assert psnr(painted(half, picture), painted(files[0], picture)) > 40


def test_the_integer_file_holds_no_float_work(files):
    """uint8 at both ends, seven-bit weights, and no operator between that would need floats."""
    model = onnx.load(str(files[1]))
    kinds = {n.op_type for n in model.graph.node}
    assert kinds <= {
        "Transpose", "Reshape", "Shape", "Concat", "Conv", "Add", "Pad",
        "QuantizeLinear", "DequantizeLinear",
    }  # fmt: skip
    ends = [v.type.tensor_type.elem_type for v in (*model.graph.input, *model.graph.output)]
    assert ends == [onnx.TensorProto.UINT8] * 3
    assert [port.name for port in model.graph.input] == ["input", "canvas"]
    weights = [
        onnx.numpy_helper.to_array(w)
        for w in model.graph.initializer
        if w.data_type == onnx.TensorProto.INT8 and len(w.dims) == 4
    ]
    assert weights
    assert max(int(np.abs(w).max()) for w in weights) <= fake_quant.WEIGHT_LEVELS
    contract = {p.key: p.value for p in model.metadata_props}["stylizer.contract"]
    assert json.loads(contract)["layout"] == "blocks4"


def blocks(picture: np.ndarray, side: int = 4) -> np.ndarray:
    """RGBX blocks (1, H / side, W / side, 4 side^2) of an RGB picture."""
    rgbx = np.concatenate([picture, picture[..., :1]], axis=2)
    height, width = picture.shape[0] // side, picture.shape[1] // side
    split = rgbx.reshape(height, side, width, side, 4).transpose(0, 2, 1, 3, 4)
    return split.reshape(1, height, width, -1).copy()


@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="needs Debian's qemu-user")
def test_a_cpu_without_vnni_gives_the_same_picture(network, files, tmp_path):
    """Haswell multiplies u8 by s8 in pairs and saturates at 16 bits: 7-bit weights never do."""
    picture = textured(96, 128)
    names = ("given", "canvas", "native", "old")
    given, canvas, native, old = (tmp_path / f"{n}.npy" for n in names)
    np.save(given, blocks(picture))
    np.save(canvas, blocks(np.tile(network.tile.numpy().transpose(1, 2, 0), (2, 2, 1))[:48], 2))
    here = [sys.executable, str(Path(__file__).parents[1] / "one_frame.py"), str(files[1])]
    subprocess.run([*here, str(native), str(given), str(canvas)], check=True)
    haswell = ["qemu-x86_64", "-cpu", "Haswell", *here, str(old), str(given), str(canvas)]
    subprocess.run(haswell, check=True, stderr=subprocess.DEVNULL, timeout=300)
    a, b = (LAYOUTS["blocks4"].unpack(np.load(path))[..., :3] for path in (native, old))
    assert a.std() > 20
    assert psnr(a, b + 1e-6) > 40
    with torch.no_grad():  # and it is the right picture, not the same wrong one
        fake_quant.quantize(network, True)
        simulated = network(tensor(picture))[0].numpy().transpose(1, 2, 0) * 255
        fake_quant.quantize(network, False)
    assert psnr(b, simulated) > 38


def test_still_pictures_stay_still(files):
    picture = textured(64, 64)
    assert np.array_equal(painted(files[1], picture), painted(files[1], picture))


def test_training_goes_on_from_the_float_file(network, files):
    again = export.load_network(files[0])
    x = tensor(textured(64, 64))
    with torch.no_grad():
        assert (again(x) - network(x)).abs().max() < 1e-4
    assert torch.equal(again.tile, network.tile)
    ranges, others = ranges_of(network), ranges_of(again)
    assert any(depth > 0 for depth, _ in ranges.values())
    for name, ends in ranges.items():
        assert ends == pytest.approx(others[name])


def test_training_goes_on_from_a_file_of_before_networks_could_smooth(network, files, tmp_path):
    """It paints what it painted, less the texture with which smoothing begins."""
    old = onnx.load(str(files[0]))
    for value in list(old.graph.initializer):
        if value.name.split(".")[0] in ("luma", "detail", "limit", "taken"):
            old.graph.initializer.remove(value)
    path = tmp_path / "old-fast.onnx"
    onnx.save(old, str(path))
    again, plain = export.load_network(path), export.load_network(files[0])
    assert isinstance(again, FastNetwork)
    assert isinstance(plain, FastNetwork)
    plain.smooth(0.0, torch.ones(3))
    flat = torch.full((1, 3, 64, 64), 0.4)
    with torch.no_grad():
        assert torch.allclose(again(flat), plain(flat), atol=1e-3)
        assert float((again(flat) - again.graded(flat)).abs().max()) > 0.01
    assert float(again.edit.reach) > float(again.head_act.reach)


def ranges_of(net: nn.Module) -> dict[str, tuple[float, float]]:
    """How far every activation reaches below zero and above."""
    return {
        name: (float(module.depth), float(module.reach))
        for name, module in net.named_modules()
        if isinstance(module, fake_quant.Activation)
    }


def test_the_float_file_keeps_to_the_ranges_that_the_integers_have(tmp_path):
    """Else a bright surface beyond every range seen in training is one picture in float and another
    in integers."""
    network = observed(FastNetwork(FAST_ARCHS["fast-tiny"]))
    for module in network.modules():
        if isinstance(module, fake_quant.Activation) and not module.fixed:
            module.reach *= 0.4
    path = tmp_path / "dots-fast-tiny.onnx"
    with torch.no_grad():
        free = network(tensor(textured(96, 128))).clamp(0, 1)[0].numpy().transpose(1, 2, 0) * 255
    export.export_onnx(network, path, CONTRACT, {})
    picture = textured(96, 128)
    whole, half, integers = (
        painted(p, picture) for p in (path, beside(path, "fp16"), beside(path, "int8"))
    )
    assert psnr(free, whole) < 25, "nothing reached the ends of a range"
    assert psnr(whole, integers) > 30
    assert psnr(whole, half) > 40


def test_a_batch_norm_folds_into_the_weights(tmp_path):
    torch.manual_seed(0)
    normed = new_network("fast-tiny", normed=True)
    assert isinstance(normed, FastNetwork)
    x = tensor(textured(64, 64)).repeat(2, 1, 1, 1)
    fake_quant.normalize(normed, True)
    for module in normed.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.5  # sooner than in training
    for _ in range(20):  # until the running statistics are the batch's
        normed(x)
    batch_wise = normed(x)
    fake_quant.normalize(normed, False)
    fake_quant.observe(normed, True)
    with torch.no_grad():
        folded, batch_wise = normed(x), batch_wise.detach()
    assert float(batch_wise.std()) > 0.05
    assert float((batch_wise - folded).abs().max()) < 0.1 * float(batch_wise.std())
    moved = normed.stem.folded()[0] - normed.stem.weight
    assert float(moved.detach().abs().max()) > 0.01  # there was something to fold
    export.export_onnx(normed, tmp_path / "dots-fast-tiny.onnx", CONTRACT, {})
    again = export.load_network(tmp_path / "dots-fast-tiny.onnx")
    with torch.no_grad():  # kept to its ranges, as the file is
        assert float((again(x) - normed(x)).abs().max()) < 1e-4
