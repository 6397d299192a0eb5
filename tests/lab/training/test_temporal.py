"""Losses of stillness and of the pixel grid: what they see and what they do not."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from stylizer.lab.nets.registry import default_recipe, style_weight  # noqa: E402
from stylizer.lab.training.perceptual import luma_of  # noqa: E402
from stylizer.lab.training.temporal import (  # noqa: E402
    grid_8,
    grid_loss,
    random_move,
    steady_imitation_loss,
    step_unevenness,
    stillness_loss,
)


def textured(height: int, width: int) -> np.ndarray:
    """uint8 RGB with edges and soft places."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (3, height // 8 + 1, width // 8 + 1), dtype=np.uint8)
    return coarse.repeat(8, 1).repeat(8, 2)[:, :height, :width].transpose(1, 2, 0).copy()


def tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1).copy() / np.float32(255))[None]


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
        default_recipe("small", "s", "c"),
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


def test_blocks_of_one_color_are_uneven_steps():
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (40, 40, 3), np.uint8)
    blocky = coarse.repeat(4, 0).repeat(4, 1)
    moved = np.roll(blocky, (1, 2), (0, 1))
    plain = rng.integers(0, 256, (160, 160, 3), np.uint8)
    for picture, low, high in ((blocky, 2.5, 3.5), (moved, 2.5, 3.5), (plain, 0, 0.05)):
        assert low < float(step_unevenness(luma_of(tensor(picture)))) < high
