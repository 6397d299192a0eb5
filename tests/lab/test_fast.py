"""The fast tier: its network, its integer graph, training for stillness; on tiny networks."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from stylizer.frame import Frame  # noqa: E402
from stylizer.lab.nets import fake_quant  # noqa: E402
from stylizer.lab.nets.fast import FastArch, FastNetwork  # noqa: E402
from stylizer.lab.nets.registry import (  # noqa: E402
    ARCHS,
    default_recipe,
    new_network,
    style_weight,
)
from stylizer.lab.onnx import export  # noqa: E402
from stylizer.lab.onnx.fast_export import beside, interleaved, planewise  # noqa: E402
from stylizer.lab.training import loop  # noqa: E402
from stylizer.lab.training.checkpoint import new_state  # noqa: E402
from stylizer.lab.training.perceptual import luma_of  # noqa: E402
from stylizer.lab.training.temporal import (  # noqa: E402
    grid_8,
    grid_loss,
    random_move,
    steady_imitation_loss,
    step_unevenness,
    stillness_loss,
)
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
    """Random weights, ranges as observed on one picture."""
    torch.manual_seed(0)
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
    FastArch("a", 4, 8, 3, 8, refine=1, separable=True, skip=False),
    FastArch("b", 8, 8, body=8, separable=False),
    FastArch("c", 4, 8, 3, 8, up_kernel=3),
    FastArch("d", 4, 8, body=8, spread=(1, 4)),
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


def test_the_order_inside_a_block_goes_there_and_back():
    values = np.random.default_rng(0).normal(size=(48, 5))
    assert np.array_equal(planewise(interleaved(values, 16, 3, 0.0), 16), values)
    wide = interleaved(values, 16, 4, 7.0).reshape(16, 4, 5)
    assert (wide[:, 3] == 7).all()
    assert np.array_equal(wide[2, 1], values[16 + 2])


def test_the_integer_graph_does_what_training_simulated(network, files):
    picture = textured(96, 128)
    with torch.no_grad():
        fake_quant.quantise(network, True)
        simulated = network(tensor(picture))[0].numpy().transpose(1, 2, 0) * 255
        fake_quant.quantise(network, False)
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
    assert half.stat().st_size < 0.7 * files[0].stat().st_size
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
    assert ends == [onnx.TensorProto.UINT8] * 2
    weights = [
        onnx.numpy_helper.to_array(w)
        for w in model.graph.initializer
        if w.data_type == onnx.TensorProto.INT8 and len(w.dims) == 4
    ]
    assert weights
    assert max(int(np.abs(w).max()) for w in weights) <= fake_quant.WEIGHT_LEVELS
    contract = {p.key: p.value for p in model.metadata_props}["stylizer.contract"]
    assert json.loads(contract)["layout"] == "blocks4"


def blocks(picture: np.ndarray) -> np.ndarray:
    """RGBX blocks (1, H/4, W/4, 64) of an RGB picture."""
    rgbx = np.concatenate([picture, picture[..., :1]], axis=2)
    return LAYOUTS["blocks4"].pack(rgbx)


@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="needs Debian's qemu-user")
def test_a_cpu_without_vnni_gives_the_same_picture(network, files, tmp_path):
    """Haswell multiplies u8 by s8 in pairs and saturates at 16 bits: 7-bit weights never do."""
    picture = textured(96, 128)
    given, native, old = (tmp_path / f"{n}.npy" for n in ("given", "native", "old"))
    np.save(given, blocks(picture))
    script = Path(__file__).parents[1] / "one_frame.py"
    here = [sys.executable, str(script), str(files[1]), str(given)]
    subprocess.run([*here, str(native)], check=True)
    haswell = ["qemu-x86_64", "-cpu", "Haswell", *here, str(old)]
    subprocess.run(haswell, check=True, stderr=subprocess.DEVNULL, timeout=300)
    a, b = (LAYOUTS["blocks4"].unpack(np.load(path))[..., :3] for path in (native, old))
    assert a.std() > 20
    assert psnr(a, b + 1e-6) > 40
    with torch.no_grad():  # and it is the right picture, not the same wrong one
        fake_quant.quantise(network, True)
        simulated = network(tensor(picture))[0].numpy().transpose(1, 2, 0) * 255
        fake_quant.quantise(network, False)
    assert psnr(b, simulated) > 38


def test_still_pictures_stay_still(files):
    picture = textured(64, 64)
    assert np.array_equal(painted(files[1], picture), painted(files[1], picture))


def test_training_goes_on_from_the_float_file(network, files):
    again = export.load_network(files[0])
    x = tensor(textured(64, 64))
    with torch.no_grad():
        assert (again(x) - network(x)).abs().max() < 1e-4
    ranges, others = (
        {n: (float(m.depth), float(m.reach)) for n, m in net.named_modules() if is_held(m)}
        for net in (network, again)
    )
    assert any(depth > 0 for depth, _ in ranges.values())
    for name, ends in ranges.items():
        assert ends == pytest.approx(others[name])


def is_held(module: nn.Module) -> bool:
    return isinstance(module, fake_quant.Activation)


def test_the_float_file_keeps_to_the_ranges_that_the_integers_have(tmp_path):
    """Else a bright surface beyond every range seen in training is one picture in float and another
    in integers."""
    network = observed(FastNetwork(ARCHS["fast-tiny"]))
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


def test_ranges_follow_what_is_seen():
    act = fake_quant.Activation()
    act.observing = True
    act(torch.linspace(0, 2, 1000))
    assert 1.9 < float(act.reach) < 2.2
    act.observing, act.quantising = False, True
    x = torch.tensor([0.5, 5.0, -1.0])
    y = act(x)
    assert abs(float(y[0]) - 0.5) < 0.005
    assert float(y[1]) == pytest.approx(float(act.reach))
    assert float(y[2]) == 0


def test_a_summand_goes_no_further_below_zero_than_the_other_goes_above():
    """relu(x + other) makes nothing of what is lower, so that no steps are spent on it."""
    act = fake_quant.Activation(signed=True)
    act.observing = True
    x, other = torch.linspace(-20, 3, 1000), torch.linspace(0, 2, 1000)
    act(x, other)
    assert 1.9 < float(act.depth) < 2.2
    assert 2.9 < float(act.reach) < 3.3
    act.observing, act.quantising = False, True
    expected = torch.relu(x + other).clamp_max(5)
    assert (torch.relu(act(x, other) + other) - expected).abs().max() < 0.03
    alone = fake_quant.Activation(signed=True)
    alone.observing = True
    alone(x)
    assert float(alone.depth) == float(alone.reach) > 19


def test_rounding_lets_the_gradient_through():
    x = torch.tensor([0.2, 0.7], requires_grad=True)
    fake_quant.rounded(x * 3).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_batch_norm_folds_into_the_weights(tmp_path):
    torch.manual_seed(0)
    normed = new_network("fast-tiny", normed=True)
    assert isinstance(normed, FastNetwork)
    x = tensor(textured(64, 64)).repeat(2, 1, 1, 1)
    fake_quant.normalise(normed, True)
    for module in normed.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.5  # sooner than in training
    for _ in range(20):  # until the running statistics are the batch's
        batch_wise = normed(x)
    fake_quant.normalise(normed, False)
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


def test_batch_norm_counts_in_the_first_part_of_the_steps():
    recipe = replace(default_recipe("fast-tiny", "s", "c"), steps=10, norm_share=0.5)
    state = new_state(recipe)
    assert isinstance(state.network, FastNetwork)
    seen = []
    for step in (0, 4, 5, 9):
        state.step = step
        loop.set_precision(state, recipe)
        seen.append(state.network.head.normalising and state.network.stem.normalising)
    assert seen == [True, True, False, False]


class Identity(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


class Locked(nn.Module):
    """Adds a pattern that is tied to the 8-pixel grid and does not move with the picture."""

    def forward(self, x: Tensor) -> Tensor:
        pattern = torch.zeros_like(x)
        pattern[:, :, ::8] = 0.3
        return x + pattern


@pytest.mark.parametrize("seed", range(6))
def test_stillness_asks_the_picture_to_move_with_its_source(seed):
    source = tensor(textured(96, 96))
    same = stillness_loss(Identity(), source, source, np.random.default_rng(seed))
    assert 0 < float(same) < 10 * (3 / 255) ** 2  # even the identity changes by the noise
    move = random_move(np.random.default_rng(seed), (96, 96), torch.device("cpu"))
    locked = Locked()
    moved = stillness_loss(locked, source, locked(source), np.random.default_rng(seed))
    shifted_rows = (move.grid[0, :, 0, 1] - torch.linspace(-1, 1, 96)).abs().max() * 95 / 2
    if float(shifted_rows) > 0.5:
        assert float(moved) > 1e-3 + float(same)


@pytest.mark.parametrize("seed", range(3))
def test_imitation_of_a_moving_teacher_has_nothing_to_say_of_a_teacher_that_moves_along(seed):
    source = tensor(textured(96, 96))
    along = steady_imitation_loss(Identity(), source, source, np.random.default_rng(seed))
    assert float(along) < 3 / 255  # only the noise that the teacher was shown
    locked = steady_imitation_loss(Locked(), source, source, np.random.default_rng(seed))
    assert float(locked) > 2 * float(along)


def test_the_style_weight_rises_over_its_ramp():
    recipe = replace(
        default_recipe("fast", "s", "c"),
        steps=1100, imitate_steps=100, style_weight=6.0, style_ramp=0.5,
    )  # fmt: skip
    assert [style_weight(recipe, step) for step in (100, 350, 600, 1099)] == [2, 4, 6, 6]


def test_grid_8_sees_a_pattern_and_not_a_picture():
    rng = np.random.default_rng(0)
    plain = rng.integers(60, 200, (160, 160, 3), np.uint8)
    tied = plain.copy()
    tied[::8] += 50
    assert grid_8(plain) < 0.06 < 0.2 < grid_8(tied)
    assert float(grid_loss(tensor(tied))) > 10 * float(grid_loss(tensor(plain)))


def test_blocks_of_one_colour_are_uneven_steps():
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (40, 40, 3), np.uint8)
    blocky = coarse.repeat(4, 0).repeat(4, 1)
    moved = np.roll(blocky, (1, 2), (0, 1))
    plain = rng.integers(0, 256, (160, 160, 3), np.uint8)
    for picture, low, high in ((blocky, 2.5, 3.5), (moved, 2.5, 3.5), (plain, 0, 0.05)):
        assert low < float(step_unevenness(luma_of(tensor(picture)))) < high


def test_the_fast_recipe_trains_for_stillness_and_integers():
    recipe = default_recipe("fast", "a.jpg", "b")
    assert recipe.still_weight > 0
    assert recipe.grid_weight > 0
    assert recipe.quantise_share > 0
    assert default_recipe("original", "a.jpg", "b").quantise_share == 0
    assert "fast" in ARCHS


def trained(
    folder: Path, pictures: Path, vgg_file: Path, *launcher: str, batch: int = 2
) -> dict[str, np.ndarray]:
    """Weights after a few steps of a tiny training in `folder`."""
    main = Path(__file__).parents[2] / "main.py"
    argv = [
        "train", "--arch", "fast-tiny", "--style", str(pictures / "0.png"),
        "--content", str(pictures), "--vgg", str(vgg_file), "--steps", "3", "--batch", str(batch),
        "--crop", "64x64", "--style-size", "64", "--imitate-steps", "1", "--grid-weight", "0",
        "--still-weight", "20", "--norm-share", "0", "--style-share", "0.2",
        "--out", str(folder / "t-fast.onnx"),
    ]  # fmt: skip
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, *launcher, str(main), *argv], cwd=folder, check=False,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    model = onnx.load(str(folder / "t-fast.onnx"))
    return {w.name: onnx.numpy_helper.to_array(w) for w in model.graph.initializer}


def test_two_processes_train_the_model_of_one(tmp_path, pictures, vgg_file):
    """Three steps change weights by some 1e-4: biases, which begin at 0, show it. Rounding, and
    noise drawn picture by picture, leave a little; half of the batch left out leaves far more."""
    alone = trained(tmp_path / "one", pictures, vgg_file)
    half = trained(tmp_path / "half", pictures, vgg_file, batch=1)
    torchrun = ("-m", "torch.distributed.run", "--nproc-per-node", "2")
    together = trained(tmp_path / "two", pictures, vgg_file, *torchrun)
    biases = [name for name in alone if name.endswith(".bias") and not name.startswith("head")]
    assert len(biases) == 5

    def distance(other: dict[str, np.ndarray]) -> float:
        return sum(float(np.abs(other[name] - alone[name]).mean()) for name in biases)

    size = sum(float(np.abs(alone[name]).mean()) for name in biases)
    assert distance(together) < 0.1 * size
    assert distance(together) < 0.3 * distance(half)
