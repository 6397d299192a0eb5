"""Dead channels begin anew: on a small network whose channels are put to sleep."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from stylizer.errors import StylizerError  # noqa: E402
from stylizer.lab.archs import ARCHS, new_network  # noqa: E402
from stylizer.lab.channels import (  # noqa: E402
    RARE,
    attach_norms,
    leave_out_dead,
    output_of,
    rectified,
    revive,
    waves,
)
from stylizer.lab.export import load_network, load_weights  # noqa: E402
from stylizer.lab.fast import FastArch, FastNetwork  # noqa: E402
from stylizer.lab.fast_export import write_fast  # noqa: E402
from stylizer.lab.quant import QuantConv, normalise, observe  # noqa: E402

ARCH = FastArch("fast-tiny", stem=8, body=8, blocks=2)


@pytest.fixture
def network():
    torch.manual_seed(3)
    return FastNetwork(ARCH)


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


def shares_on(network, pictures):
    with torch.no_grad():
        return {
            name: (output_of(network, conv, pictures) > 0).float().mean(dim=(0, 2, 3))
            for name, conv in rectified(network)
        }


def test_every_layer_before_a_relu_is_looked_at(network):
    names = [name for name, _ in rectified(network)]
    assert names == ["stem", "down", "blocks.0.conv1", "blocks.1.conv1"]


@pytest.mark.parametrize("name", ["stem", "down", "blocks.1.conv1"])
def test_a_dead_channel_is_on_again(network, pictures, name):
    revive(network, pictures)  # what random weights left dead
    put_to_sleep(network, name, [1, 4])
    assert shares_on(network, pictures)[name][[1, 4]].max() == 0
    assert revive(network, pictures) >= 2
    shares = shares_on(network, pictures)
    assert shares[name][[1, 4]].min() > 10 * RARE
    assert all(share.min() >= RARE for share in shares.values())


def test_living_channels_keep_their_weights(network, pictures):
    revive(network, pictures)
    put_to_sleep(network, "blocks.0.conv1", [0])
    before = network.get_submodule("blocks.0.conv1").weight.detach().clone()
    revive(network, pictures)
    after = network.get_submodule("blocks.0.conv1").weight.detach()
    assert torch.equal(before[1:], after[1:])
    assert not torch.equal(before[0], after[0])


def test_a_network_that_is_all_alive_stays_as_it_is(network, pictures):
    revive(network, pictures)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    assert revive(network, pictures) == 0
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


def test_the_same_pictures_and_seed_give_the_same_weights(pictures):
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        network = FastNetwork(ARCH)
        put_to_sleep(network, "down", [2, 3])
        revive(network, pictures, seed=7)
        made.append(network.down.weight.detach().clone())
    assert torch.equal(*made)


def test_new_first_weights_are_waves_of_the_block_that_see_no_flat_light(network):
    fresh = waves(5, network.stem, ARCH.block)
    flat = fresh.sum(dim=1).flatten()
    assert flat.abs().max() < 1e-5
    columns = fresh[0, : ARCH.block**2, 0, 0].view(ARCH.block, ARCH.block)
    assert torch.allclose(columns, columns[:1].expand_as(columns))  # (0, 1): changes along x only
    assert columns[0].diff().lt(0).all()


def test_channels_that_are_never_on_are_left_out_and_the_picture_stays(pictures):
    torch.manual_seed(3)
    network = FastNetwork(replace(ARCH, body=24))
    put_to_sleep(network, "blocks.0.conv1", list(range(5, 24)))
    slim = leave_out_dead(network.eval(), pictures)
    assert slim.arch.inner[0] == 8
    assert slim.blocks[0].conv1.weight.shape[0] == 8
    with torch.no_grad():
        assert (slim(pictures) - network(pictures)).abs().max() < 1e-5


def test_a_narrow_file_loads_as_it_is_and_into_the_whole_layout(tmp_path, pictures):
    torch.manual_seed(3)
    network = FastNetwork(replace(ARCHS["fast-tiny"], inner=(4,)))
    with torch.no_grad():
        observe(network, True)
        wanted = network(pictures)
        observe(network, False)
    path = tmp_path / "narrow-fast.onnx"
    contract = {"layout": "NCHW", "range": "0..255", "order": "RGB", "size_multiple": 8,
                "style": "narrow", "tier": "fast-tiny", "precision": "fp32"}  # fmt: skip
    write_fast(network.eval(), path, "fp32", contract, {})
    assert load_network(path).arch.inner == (4,)
    whole = new_network("fast-tiny", normed=True)
    load_weights(whole, path)
    assert whole.arch.inner == ()
    with torch.no_grad():
        assert (load_network(path)(pictures) - wanted).abs().max() < 1e-4
        assert (whole.eval()(pictures) - wanted).abs().max() < 1e-4


def test_a_wide_file_does_not_fit_a_narrow_network(tmp_path, pictures):
    path = tmp_path / "wide-fast.onnx"
    write_fast(FastNetwork(ARCHS["fast-tiny"]).eval(), path, "fp32", {"tier": "fast-tiny"}, {})
    with pytest.raises(StylizerError, match=r"blocks.0.conv1.* is \(8, 8, 3, 3\)"):
        load_weights(FastNetwork(replace(ARCHS["fast-tiny"], inner=(4,))), path)


def test_norms_attached_to_trained_weights_change_nothing(pictures):
    torch.manual_seed(3)
    network = FastNetwork(ARCH, normed=True).eval()
    for module in network.modules():
        if isinstance(module, QuantConv):
            module.neutralise()
    with torch.no_grad():
        plain = network(pictures)
        attach_norms(network, pictures)
        assert (network(pictures) - plain).abs().max() < 1e-5  # folded
        normalise(network.train(), True)
        assert (network(pictures) - plain).abs().max() < 1e-2  # by this batch's statistics
