"""Quantized and pruned models of a tiny network made here: near the parent, smaller, refused where
they must be, and never half written."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

torch = pytest.importorskip("torch")

from tiny_models import CONTRACT, painter  # noqa: E402

from stylizer.app.cli import main  # noqa: E402
from stylizer.compose.hud_layout import HudData, _names, _precision  # noqa: E402
from stylizer.lab.compress.prune import (  # noqa: E402
    importance,
    narrower,
    prune_channels,
    zeros_share,
)
from stylizer.lab.compress.qat import IntegerStyle  # noqa: E402
from stylizer.lab.compress.static_quant import (  # noqa: E402
    METHODS,
    Plan,
    convolutions,
    find_ranges,
    quantized,
    session_of,
)
from stylizer.lab.nets.fake_quant import WEIGHT_LEVELS, Activation  # noqa: E402
from stylizer.lab.nets.johnson import JOHNSON_ARCHS as ARCHS  # noqa: E402
from stylizer.lab.nets.johnson import StyleNetwork, parameter_count  # noqa: E402
from stylizer.lab.onnx import export  # noqa: E402
from stylizer.lab.onnx.deploy import deployed, observe_channels, phases, wide_head  # noqa: E402
from stylizer.lab.training.sampling import tensor_of  # noqa: E402
from stylizer.system.pictures import psnr_db  # noqa: E402

ROOT = Path(__file__).parents[3]
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
        network.deconv3.conv2d.weight *= 5
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
    from PIL import Image

    place = tmp_path_factory.mktemp("frames")
    for number in range(5):
        Image.fromarray(textured(64, 96, number)).save(place / f"{number}.png")
    return place


@pytest.mark.parametrize(("height", "width"), [(64, 96), (100, 36), (32, 32)])
def test_the_rewritten_graph_computes_the_same(parent, graph, height, width):
    frame = textured(height, width, 7)
    wanted = run(parent, frame)
    assert run(graph, frame).shape == wanted.shape
    assert np.abs(run(graph, frame) - wanted).max() < 0.05


def test_the_rewriting_shares_out_every_weight():
    weight = torch.rand(2, 3, 3, 3)
    assert phases(weight).shape == (8, 3, 2, 2)
    assert float(phases(weight).sum()) == pytest.approx(4 * float(weight.sum()), rel=1e-5)
    wide = wide_head(torch.rand(3, 4, 9, 9))
    assert wide.shape == (24, 4, 10, 12)
    assert int((wide != 0).sum()) == 8 * 3 * 4 * 81


@pytest.fixture(scope="module")
def ranges(graph):
    return find_ranges(graph, FRAMES[:3], ("MinMax",))["MinMax"]


def test_a_quantized_model_keeps_near_its_parent(parent, graph, ranges):
    wanted = run(parent, FRAMES[3])
    everything = run(quantized(graph, Plan(ranges)), FRAMES[3])
    kept = frozenset(convolutions(graph)[:3])
    less = run(quantized(graph, Plan(ranges, kept)), FRAMES[3])
    assert psnr_db(everything, wanted) > 28
    assert psnr_db(less, wanted) > psnr_db(everything, wanted)


def test_how_strongly_the_canvas_is_laid_survives_integers(parent, graph, ranges):
    wanted = strength(onnx.load(parent), FRAMES[3])
    made = strength(quantized(graph, Plan(ranges)), FRAMES[3])
    assert np.corrcoef(wanted.ravel(), made.ravel())[0, 1] > 0.98


def strength(model: onnx.ModelProto, frame: np.ndarray) -> np.ndarray:
    """(1, 1, H, W): what the canvas is multiplied with."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    producer = {name: node for node in shown.graph.node for name in node.output}
    whole = producer[producer["output"].input[1]]  # Add(graded and edit, strength * canvas)
    assert whole.op_type == "Mul"
    name = whole.input[0]
    shown.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return np.asarray(session_of(shown).run([name], {"input": tensor_of(frame)})[0])


def test_weights_are_bytes_of_seven_bits(graph, ranges):
    kept = frozenset({"conv1"})
    model = quantized(graph, Plan(ranges, kept))
    weights = {
        w.name: numpy_helper.to_array(w) for w in model.graph.initializer if len(w.dims) == 4
    }
    assert weights.pop("grade.weight").dtype == np.float32, "the ground of the picture is exact"
    del weights["canvas_tile"]
    assert len(weights) == len(convolutions(graph))
    assert {w.dtype for w in weights.values()} == {np.dtype(np.int8)}
    tops = {name: int(np.abs(w.astype(int)).max()) for name, w in weights.items()}
    assert tops.pop("conv1.weight_bytes") == 127, "what computes in float may use all eight"
    # ONNX Runtime's reduced range is -64..64: 255 * 64 * 2 still fits 16 bits
    assert max(tops.values()) <= WEIGHT_LEVELS + 1
    head = weights["head_kernel"]
    assert head.shape == (4, 4, 9, 9), "one kernel is stored, not the eight copies that run"


def test_the_gpu_target_is_symmetric(graph):
    ranges = find_ranges(graph, FRAMES[:2])
    assert set(ranges) == set(METHODS)
    model = quantized(graph, Plan(ranges["Percentile 99.9"], target="gpu"))
    zeros = [
        numpy_helper.to_array(w)
        for w in model.graph.initializer
        if w.name.endswith("zero_point") and w.data_type in (2, 3)
    ]
    assert zeros
    assert all(z.dtype == np.int8 and not z.any() for z in zeros)


@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="needs Debian's qemu-user")
def test_a_cpu_without_vnni_gives_the_same_picture(parent, graph, ranges, tmp_path):
    model = quantized(graph, Plan(ranges))
    path, given, native, old = (
        tmp_path / n for n in ("m.onnx", "given.npy", "native.npy", "old.npy")
    )
    path.write_bytes(model.SerializeToString())
    np.save(given, tensor_of(FRAMES[3]))
    here = [sys.executable, str(ROOT / "tests/one_frame.py"), str(path)]
    subprocess.run([*here, str(native), str(given)], check=True)
    haswell = ["qemu-x86_64", "-cpu", "Haswell", *here, str(old), str(given)]
    subprocess.run(haswell, check=True, stderr=subprocess.DEVNULL, timeout=280)
    assert psnr_db(np.load(native), np.load(old)) > 40
    assert psnr_db(np.load(old), run(parent, FRAMES[3])) > 28


def test_training_simulates_the_integer_graph(network, graph, ranges):
    pictures = [torch.from_numpy(tensor_of(f) / 255) for f in FRAMES]
    twin = IntegerStyle(network, observe_channels(network, pictures), frozenset()).eval()
    with torch.no_grad():
        for picture in pictures[:3]:
            twin(picture)
        for module in twin.modules():
            if isinstance(module, Activation):
                module.observing = False
        simulated = twin(pictures[3]).numpy() * 255
        exact = network(pictures[3]).numpy() * 255
    assert 28 < psnr_db(simulated, exact) < 80, "rounded, and not by much"
    for old, new in zip(network.parameters(), twin.plain().parameters(), strict=True):
        torch.testing.assert_close(old, new)
    loss = (twin(pictures[0]) - 0.5).square().mean()
    loss.backward()
    assert all(p.grad is not None for n, p in twin.named_parameters() if "conv2d.weight" in n)


def test_pruned_channels_and_shapes(network):
    arch = replace(ARCHS["tiny"], widths=(16, 32, 24), blocks=2)
    torch.manual_seed(1)
    wide = StyleNetwork(arch).eval()
    pictures = [torch.from_numpy(tensor_of(FRAMES[0]) / 255)]
    small = prune_channels(wide, 0.5, pictures)
    assert small.arch.widths == (8, 16, 16)  # 12 lies between two multiples: ties go to even
    assert small.conv2.conv2d.weight.shape == (16, 8, 3, 3)
    assert small.deconv1.conv2d.weight.shape == (16, 16, 3, 3)
    assert parameter_count(small) < 0.5 * parameter_count(wide)
    assert small(torch.rand(1, 3, 32, 48)).shape == (1, 3, 32, 48)
    assert [narrower(w, 0.5) for w in (128, 32, 8, 1)] == [64, 16, 4, 1]


def test_channels_that_nothing_reads_go_first_and_without_loss():
    """Half of every group is dead; pruning half must take those and keep the picture."""
    torch.manual_seed(2)
    wide = StyleNetwork(replace(ARCHS["tiny"], widths=(4, 8, 8), blocks=2)).eval()
    with torch.no_grad():
        for module in wide.modules():
            if isinstance(module, torch.nn.InstanceNorm2d):
                for values in module.parameters():
                    values[1::2] = 0
    x = torch.from_numpy(tensor_of(FRAMES[0]) / 255)
    small = prune_channels(wide, 0.5, [x])
    assert small.arch.widths == (2, 4, 4)
    with torch.no_grad():
        torch.testing.assert_close(small(x), wide(x), atol=1e-4, rtol=1e-4)
    assert set(importance(wide, [x])) >= {"stream", "conv1", "blocks.1"}


def test_a_pruned_file_is_read_again(network, tmp_path):
    small = prune_channels(network, 0.5, [torch.from_numpy(tensor_of(FRAMES[0]) / 255)])
    path = tmp_path / "dots-tiny-pruned.onnx"
    export.export_onnx(small, path, TINY, {})
    again = export.load_network(path)
    assert again.arch == small.arch
    for a, b in zip(small.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def command(*argv: object) -> int:
    return main([str(a) for a in argv])


def metadata(path: Path, key: str = "stylizer.contract") -> dict:
    return json.loads({p.key: p.value for p in onnx.load(str(path)).metadata_props}[key])


def test_the_quantize_command(parent, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = parent.read_bytes()
    out = tmp_path / "dots-tiny-int8.onnx"
    words = ["--frames", folder, "--frame-size", "96x64", "--out", out, "--psnr", "30"]
    assert command("quantize", parent, *words, "--finetune", 2, "--crop", "64x64") == 0
    printed = capsys.readouterr().out
    for word in ("MinMax", "Entropy", "Percentile", "it alone quantized", "deconv3", "x parent"):
        assert word in printed
    assert parent.read_bytes() == before
    contract = metadata(out)
    assert (contract["precision"], contract["parent"]) == ("int8", parent.stem)
    card = out.with_suffix(".md").read_text()
    for word in (parent.stem, "calibration", "PSNR to the parent", "Entropy", "static QDQ"):
        assert word in card
    assert psnr_db(run(out, FRAMES[1]), run(parent, FRAMES[1])) > 26
    assert command("quantize", out, "--frames", folder) == 2, "quantized already"
    assert "int8 already" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["structured", "unstructured"])
def test_the_prune_command(parent, folder, tmp_path, monkeypatch, capsys, method):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / f"dots-tiny-{method}.onnx"
    words = ["--ratio", "0.5", "--method", method, "--content", folder, "--out", out]
    words += ["--finetune", 3, "--crop", "64x64", "--batch", 1]
    assert command("prune", parent, *words) == 0
    assert "written" in capsys.readouterr().out
    made = export.load_network(out)
    assert isinstance(made, StyleNetwork)
    if method == "structured":
        assert made.arch.widths == (2, 4, 4)
    else:
        assert made.arch == ARCHS["tiny"]
        assert zeros_share(made) == pytest.approx(0.5, abs=0.01), "fine-tuning kept the zeros"
    assert metadata(out)["method"].startswith(method)
    assert "PSNR to the parent" in out.with_suffix(".md").read_text()


def foreign(path: Path) -> Path:
    return painter(path)


def external(path: Path, parent: Path) -> Path:
    model = onnx.load(str(parent))
    onnx.save(model, str(path), save_as_external_data=True, location="w.bin", size_threshold=16)
    return path


def other_opset(path: Path, parent: Path) -> Path:
    model = onnx.load(str(parent))
    model.opset_import.append(helper.make_opsetid("com.example", 3))
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path, _: foreign(path), "not a model that `train` wrote"),
        (external, "external data"),
        (other_opset, "com.example 3"),
        (lambda path, _: path.write_bytes(b"no onnx") and path, "not an ONNX file"),
        (lambda path, _: path, "does not exist"),
    ],
)
@pytest.mark.parametrize("name", ["quantize", "prune"])
def test_what_is_refused_and_why(parent, folder, tmp_path, capsys, make, words, name):
    path = make(tmp_path / "given.onnx", parent)
    there = sorted(p.name for p in tmp_path.iterdir())
    options = ["--frames", folder] if name == "quantize" else ["--ratio", 0.5, "--content", folder]
    assert command(name, path, *options) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.strip().count("\n") == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == there


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["prune", "PARENT", "--ratio", "0"], "between 0 and 1"),
        (["quantize", "PARENT", "--frames", "missing"], "missing"),
        (["quantize", "none", "--frames", "FOLDER"], "nothing to compress"),
        (["quantize", "PARENT", "--frames", "FOLDER", "--out", "PARENT"], "never touched"),
        (["quantize", "PARENT", "--frames", "FOLDER", "--out", "x.pt"], "ends in .onnx"),
        (["bench", "--md", "x.md"], "--compression"),
        (["bench", "--compression", "--style", "x.jpg"], "--content"),
    ],
)
def test_bad_use_is_one_sentence(parent, folder, tmp_path, monkeypatch, capsys, argv, words):
    monkeypatch.chdir(tmp_path)
    named = {"PARENT": parent, "FOLDER": folder}
    assert command(*(named.get(a, a) for a in argv)) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("argv", "when"),
    [
        (["quantize", "--frames", "FOLDER", "--frame-size", "96x64"], "quantizing blocks.0.conv1"),
        (
            [
                "prune",
                "--ratio",
                "0.5",
                "--content",
                "FOLDER",
                "--crop",
                "64x64",
                "--finetune",
                "100000",
                "--batch",
                "1",
            ],
            "step 20/",
        ),
    ],
)
def test_an_interrupted_command_leaves_no_half_model(parent, folder, tmp_path, argv, when):
    model = tmp_path / parent.name
    shutil.copy(parent, model)
    words = [str(folder) if a == "FOLDER" else a for a in argv]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), words[0], str(model), *words[1:]],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        # A shell starts its background jobs with the signal ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if when in line:
                process.send_signal(signal.SIGINT)
                break
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    left = {p.name for p in tmp_path.iterdir() if p.name != "runs"}
    assert left == {model.name}
    assert model.read_bytes() == parent.read_bytes()


def test_the_comparison(parent, graph, ranges, folder, tmp_path, monkeypatch, capsys):
    from stylizer.lab.compress.parent import write_child

    shutil.copy(parent, tmp_path / parent.name)
    child = tmp_path / "dots-tiny-int8.onnx"
    told = TINY | {"precision": "int8", "parent": parent.stem, "method": "static QDQ"}
    write_child(child, quantized(graph, Plan(ranges)), told, {}, {})
    monkeypatch.chdir(tmp_path)
    words = ["--models", f"{parent.name},{child.name}".replace("dots", "./dots")]
    words += ["--sizes", "96x64", "--frames", 2, "--rounds", 2, "--warmup", 1, "--provider", "cpu"]
    words += ["--content", folder, "--html", "r.html", "--md", "r.md", "--json", "r.json"]
    assert command("bench", "--compression", *words) == 0
    assert child.stem in capsys.readouterr().out
    found = json.loads((tmp_path / "r.json").read_text())
    row = found["rows"][1]
    assert row["ratio_spread"][0] <= row["ratio"] * 1.001
    assert found["variants"][1]["psnr"] > 28
    assert found["variants"][0]["psnr"] is None
    page = (tmp_path / "r.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2 * 3
    assert "http" not in page, "self-contained"
    text = (tmp_path / "r.md").read_text()
    assert "| dots-tiny-int8 | 96x64 |" in text
    assert "losses" in text.lower() or "left out" in text
    assert (tmp_path / "r-frames.jpg").is_file()
    assert (tmp_path / "r-crops.jpg").is_file()


def test_the_hud_tells_quantized_from_float():
    names = [
        _names(HudData(model=m, precision=p))[0]
        for m, p in (("a-small", "fp32"), ("a-small-int8", "int8"), ("mine", "int8"), ("x", ""))
    ]
    assert names == ["a-small", "a-small-int8", "mine (int8)", "x"]
    assert [_precision(HudData(precision=p)) for p in ("fp32", "int8", "")] == [
        "float (fp32)", "quantized (int8)", "",
    ]  # fmt: skip
