"""Channels that are never on are left out: on small networks whose channels are put to sleep."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")

from stylizer.errors import BadInput, StylizerError  # noqa: E402
from stylizer.lab.nets.channels import full_lanes, leave_out_dead  # noqa: E402
from stylizer.lab.nets.fake_quant import bound, observe  # noqa: E402
from stylizer.lab.nets.fast import FAST_ARCHS, FastArch, FastNetwork  # noqa: E402
from stylizer.lab.nets.painter import CanvasFile  # noqa: E402
from stylizer.lab.nets.registry import default_recipe  # noqa: E402
from stylizer.lab.onnx.export import load_network, load_weights  # noqa: E402
from stylizer.lab.onnx.fast_export import write_fast  # noqa: E402
from stylizer.lab.training.checkpoint import (  # noqa: E402
    load_checkpoint,
    new_state,
    save_checkpoint,
)

ARCH = FastArch("fast-tiny", stem=8, body=8, blocks=2)


@pytest.fixture
def pictures():
    """Soft random pictures, (4, 3, 64, 64)."""
    rng = np.random.default_rng(5)
    coarse = torch.from_numpy(rng.random((4, 3, 9, 9), dtype=np.float32))
    return torch.nn.functional.interpolate(coarse, (64, 64), mode="bilinear").clamp(0, 1)


def put_to_sleep(network, name, channels):
    conv = network.get_submodule(name)
    with torch.no_grad():
        conv.bias[channels] = -1e3


def test_channels_that_are_never_on_are_left_out_and_the_picture_stays(pictures):
    torch.manual_seed(3)
    network = FastNetwork(replace(ARCH, body=24))
    put_to_sleep(network, "blocks.0.conv1", list(range(5, 24)))
    canvas = CanvasFile.of(np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8))
    network.take_style(0.8 * torch.eye(3), torch.full((3,), 0.1), canvas)
    slim = leave_out_dead(network.eval(), pictures)
    assert slim.arch.inner[0] == 8
    assert slim.get_parameter("blocks.0.conv1.weight").shape[0] == 8
    assert torch.equal(slim.tile, network.tile)
    with torch.no_grad():
        assert (slim(pictures) - network(pictures)).abs().max() < 1e-5


def test_a_narrow_file_loads_as_it_is(tmp_path, pictures):
    torch.manual_seed(3)
    network = FastNetwork(replace(FAST_ARCHS["fast-tiny"], inner=(4,)))
    with torch.no_grad():
        observe(network, True)
        network(pictures)
        observe(network, False)
        bound(network, True)
        wanted = network(pictures)
    path = tmp_path / "narrow-fast.onnx"
    contract = {"layout": "NCHW", "range": "0..255", "order": "RGB", "size_multiple": 8,
                "style": "narrow", "tier": "fast-tiny", "precision": "fp32"}  # fmt: skip
    write_fast(network.eval(), path, "fp32", contract, {})
    loaded = load_network(path)
    assert loaded.arch.inner == (4,)
    with torch.no_grad():
        assert (loaded(pictures) - wanted).abs().max() < 1e-4


def test_training_goes_on_at_the_width_of_its_start(tmp_path):
    path = tmp_path / "narrow-fast.onnx"
    narrow = FastNetwork(replace(FAST_ARCHS["fast-tiny"], inner=(4,)))
    write_fast(narrow.eval(), path, "fp32", {"tier": "fast-tiny"}, {})
    recipe = default_recipe("fast-tiny", "a.jpg", "b", trained=True)
    state = new_state(recipe, path)
    assert state.network.arch.inner == (4,)
    save_checkpoint(tmp_path / "checkpoint.pt", state, recipe)
    again = load_checkpoint(tmp_path / "checkpoint.pt", recipe, path)
    assert torch.allclose(again.network.get_parameter("stem.weight"), narrow.stem.weight)
    with pytest.raises(BadInput, match=r"--arch fast-tiny; it cannot start small"):
        new_state(replace(recipe, arch="small"), path)


def test_a_wide_file_does_not_fit_a_narrow_network(tmp_path, pictures):
    path = tmp_path / "wide-fast.onnx"
    write_fast(FastNetwork(FAST_ARCHS["fast-tiny"]).eval(), path, "fp32", {"tier": "fast-tiny"}, {})
    with pytest.raises(StylizerError, match=r"blocks.0.conv1.* is \(8, 8, 3, 3\)"):
        load_weights(FastNetwork(replace(FAST_ARCHS["fast-tiny"], inner=(4,))), path)


def test_a_file_with_other_blocks_than_its_tier_loads_as_it_is(tmp_path):
    path = tmp_path / "long-fast.onnx"
    long = FastNetwork(replace(FAST_ARCHS["fast-tiny"], blocks=3))
    write_fast(long.eval(), path, "fp32", {"tier": "fast-tiny"}, {})
    assert len(load_network(path).blocks) == 3


def test_a_fast_model_of_the_time_before_the_canvas_is_refused(tmp_path):
    path = tmp_path / "old-fast.onnx"
    write_fast(FastNetwork(FAST_ARCHS["fast-tiny"]).eval(), path, "fp32", {"tier": "fast-tiny"}, {})
    model = onnx.load(str(path))
    kept = [w for w in model.graph.initializer if not w.name.startswith("grade.")]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    onnx.save(model, str(path))
    with pytest.raises(BadInput, match=r"old-fast.onnx: a model of an older kind.*--init none"):
        load_network(path)


def test_widths_are_whole_lanes():
    assert [full_lanes(n) for n in (0, 1, 8, 9, 31)] == [8, 8, 8, 16, 32]
