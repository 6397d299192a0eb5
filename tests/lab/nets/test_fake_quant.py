"""Ranges that are followed, and rounding that lets the gradient through."""

import pytest

torch = pytest.importorskip("torch")

from stylizer.lab.nets import fake_quant  # noqa: E402


def test_ranges_follow_what_is_seen():
    act = fake_quant.Activation()
    act.observing = True
    act(torch.linspace(0, 2, 1000))
    assert 1.9 < float(act.reach) < 2.2
    act.observing, act.quantizing = False, True
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
    act.observing, act.quantizing = False, True
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
