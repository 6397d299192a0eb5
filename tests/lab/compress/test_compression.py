"""Quantized and pruned models of a tiny network made here: near the parent, and smaller."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

torch = pytest.importorskip("torch")

from dots_network import FRAMES, TINY, run, textured  # noqa: E402

from stylizer.lab.compress.prune import (  # noqa: E402
    importance,
    narrower,
    prune_channels,
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
from stylizer.lab.onnx.deploy import observe_channels, phases, wide_head  # noqa: E402
from stylizer.lab.training.sampling import tensor_of  # noqa: E402
from stylizer.system.pictures import psnr_db  # noqa: E402

ROOT = Path(__file__).parents[3]


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


def test_a_quantized_model_keeps_near_its_parent(parent, graph, ranges):
    wanted = run(parent, FRAMES[3])
    everything = run(quantized(graph, Plan(ranges)), FRAMES[3])
    kept = frozenset(convolutions(graph)[:3])
    less = run(quantized(graph, Plan(ranges, kept)), FRAMES[3])
    assert psnr_db(everything, wanted) > 28
    assert psnr_db(less, wanted) > psnr_db(everything, wanted)


@pytest.mark.parametrize("what", ["canvas", "smoothing"])
def test_how_strongly_the_canvas_is_laid_survives_integers(parent, graph, ranges, what):
    wanted = strength(onnx.load(parent), FRAMES[3], what)
    made = strength(quantized(graph, Plan(ranges)), FRAMES[3], what)
    assert np.corrcoef(wanted.ravel(), made.ravel())[0, 1] > 0.98


def strength(model: onnx.ModelProto, frame: np.ndarray, what: str) -> np.ndarray:
    """(1, 1, H, W): what the canvas, or the texture that is taken away, is multiplied with."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    producer = {name: node for node in shown.graph.node for name in node.output}
    # Add(graded, Add(Add(edit, strength * canvas), share * texture))
    parts = producer[producer["output"].input[1]]
    strokes = producer[parts.input[0]].input[1]
    whole = producer[strokes if what == "canvas" else parts.input[1]]
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
    assert head.shape == (5, 4, 9, 9), "one kernel is stored, not the eight copies that run"


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
