"""The lab's own 3x3 convolution against PyTorch's, values and gradients."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch.nn import functional as F  # noqa: E402

from stylizer.lab.training import perceptual  # noqa: E402
from stylizer.lab.training.winograd import WIDE, FrozenConv, convolved, transformed  # noqa: E402


@pytest.mark.parametrize("size", [(8, 12), (5, 7), (1, 1), (9, 4)])
def test_it_convolves(size: tuple[int, int]) -> None:
    torch.manual_seed(1)
    x, weight = torch.randn(2, 5, *size), torch.randn(7, 5, 3, 3) / 7
    made = convolved(x.permute(0, 2, 3, 1), transformed(weight)).permute(0, 3, 1, 2)
    assert torch.allclose(made, F.conv2d(x, weight, padding=1), atol=1e-4)


@pytest.mark.parametrize("channels", [WIDE, WIDE // 4])
def test_a_frozen_layer_and_its_gradient(channels: int) -> None:
    torch.manual_seed(2)
    weight, bias = torch.randn(channels, 6, 3, 3) / 7, torch.randn(channels)
    x = torch.randn(2, 6, 11, 8, requires_grad=True)
    other = x.detach().clone().requires_grad_(True)
    wanted = F.relu(F.conv2d(other, weight, bias, padding=1))
    pull = torch.randn_like(wanted)
    (wanted * pull).sum().backward()
    layer = FrozenConv(weight, bias)
    made = layer(x)
    (made * pull).sum().backward()
    assert torch.allclose(made, wanted, atol=1e-4)
    assert x.grad is not None
    assert other.grad is not None
    assert torch.allclose(x.grad, other.grad, atol=2e-3)
    assert not any(p.requires_grad for p in layer.parameters())


def test_gram_matrices_of_a_whole_and_of_its_quarters() -> None:
    torch.manual_seed(3)
    y = torch.randn(2, 5, 6, 10, dtype=torch.float64, requires_grad=True)
    flat = y.flatten(2)
    whole = perceptual.gram(y)
    assert torch.allclose(whole, flat @ flat.transpose(1, 2) / 60)
    quarters = perceptual.quarter_grams(y)
    assert torch.allclose(quarters.mean(dim=0), whole)
    assert torch.allclose(quarters[1], perceptual.gram(y[:, :, :3, 5:]))
    assert torch.autograd.gradcheck(perceptual.gram, (y,))
