"""How a fast network takes a game's fine texture away."""

import pytest

torch = pytest.importorskip("torch")

from stylizer.lab.nets import fake_quant  # noqa: E402
from stylizer.lab.nets.fast import FAST_ARCHS, FastNetwork  # noqa: E402


def smoothing(texture: float) -> FastNetwork:
    """A network that does nothing but take detail of up to so much luma away."""
    network = FastNetwork(FAST_ARCHS["fast-tiny"])
    with torch.no_grad():
        for layer in (network.tail, network.head):
            layer.weight.zero_()
            assert layer.bias is not None
            layer.bias.zero_()
    network.smooth(texture, network.matrix.sum(dim=1))
    for act in (network.head_act, network.edit):
        act.range_of(0.5)
    return network


@pytest.mark.parametrize("quantized", [False, True])
def test_texture_goes_and_edges_stay(quantized):
    """Also in the integers that the graph has, where all flat places must stay as they are."""
    noise = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(1)) - 0.5
    flat, edge = (torch.full((1, 1, 64, 64), 0.3) for _ in range(2))
    edge[..., 30:] = 0.8
    sand, flat, edge = ((x).expand(-1, 3, -1, -1) for x in (0.5 + 0.1 * noise, flat, edge))
    network = smoothing(0.06)
    fake_quant.quantize(network, quantized)
    with torch.no_grad():
        ground = network.graded(sand)
        assert float(network(sand).std()) < 0.45 * float(ground.std())
        assert torch.allclose(network(flat), network.graded(flat), atol=1.5 / 255)
        made = network(edge)[0, 0, 32]
    assert float(made[30] - made[29]) > 0.5 - 2 * 0.06 - 2 / 255
    assert torch.allclose(made[[4, 60]], torch.tensor([0.3, 0.8]), atol=2 / 255)


def test_smoothing_is_learned_for_each_pixel_by_itself():
    network = FastNetwork(FAST_ARCHS["fast-tiny"])
    network(torch.rand(1, 3, 32, 32)).square().mean().backward()
    gradient = network.taken.weight.grad
    assert gradient is not None
    own = network.taken.weight != 0
    assert float(gradient[own].abs().max()) > 0
    assert float(gradient[~own].abs().max()) == 0
    for layer in (network.luma, network.detail):
        assert layer.weight.grad is None
