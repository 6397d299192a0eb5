"""The style weight that follows what is painted, under losses that answer it."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from stylizer.lab.nets.registry import default_recipe  # noqa: E402
from stylizer.lab.training.balance import Balance  # noqa: E402


def balanced(style_of, content_of, steps=1000):
    """The gain after a training in which the losses answer it as given, step by step."""
    recipe = replace(
        default_recipe("small", "s", "c"),
        steps=steps, imitate_steps=0, style_share=0.35, content_limit=2.2,
    )  # fmt: skip
    balance, gains = Balance(), []
    for step in range(steps):
        balance.follow(recipe, step, content_of(balance.gain), style_of(balance.gain), 10.0)
        gains.append(balance.gain)
    return recipe, gains


def test_the_style_weight_follows_what_is_painted():
    recipe, gains = balanced(lambda gain: 6.0 / gain, lambda gain: 1.0)
    assert 6.0 / gains[-1] == pytest.approx(recipe.style_share * 10.0, rel=0.05)
    late = round(0.8 * recipe.steps)
    assert gains[late:] == [gains[late]] * (recipe.steps - late), "it stays while the rate falls"


def test_the_style_weight_stops_at_the_content_limit_and_falls_where_less_is_enough():
    recipe, gains = balanced(lambda gain: 6.0, lambda gain: gain**0.5)
    assert gains[-1] ** 0.5 == pytest.approx(recipe.content_limit, rel=0.05)
    _, gains = balanced(lambda gain: 1.0, lambda gain: 1.0)
    assert gains[-1] < 0.5
