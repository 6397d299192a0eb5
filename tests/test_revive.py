"""Dead channels begin anew: on a small network whose channels are put to sleep."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from stylizer.lab.fast import FastArch, FastNetwork  # noqa: E402
from stylizer.lab.revive import RARE, output_of, rectified, revive, waves  # noqa: E402

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
