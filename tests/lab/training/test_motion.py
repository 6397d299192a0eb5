"""What training learns stillness from: the demo's exact motion, crops without noise, a start."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from stylizer.lab.commands.train import start_of  # noqa: E402
from stylizer.lab.nets.registry import default_recipe  # noqa: E402
from stylizer.lab.training.data import ContentSet  # noqa: E402
from stylizer.lab.training.losses import carried_loss  # noqa: E402
from stylizer.lab.training.motion import MovingScenes  # noqa: E402
from stylizer.system.resources import models_folder  # noqa: E402


class Painted(nn.Module):
    """The picture, plus a pattern of stripes that stay on the screen, `height` strong."""

    def __init__(self, height: float) -> None:
        super().__init__()
        self.height = nn.Parameter(torch.tensor(height))

    def forward(self, x: Tensor) -> Tensor:
        stripes = torch.zeros_like(x)
        stripes[:, :, :, ::4] = 1
        return x + self.height * stripes


@pytest.fixture(scope="module")
def scenes() -> MovingScenes:
    return MovingScenes.rendered(seed=1, count=4, size=(320, 180))


def errors(scenes: MovingScenes, network: nn.Module) -> list[float]:
    rngs = [np.random.default_rng(k) for k in range(8)]
    return [float(scenes.loss(network, rng, (160, 128)).detach().sqrt()) for rng in rngs]


def test_a_picture_that_moves_with_the_scene_has_little_error(scenes):
    still = errors(scenes, Painted(0.0))
    stuck = errors(scenes, Painted(0.3))
    assert all(0 < error < 0.08 for error in still)  # what bilinear fetching costs
    assert all(b > a + 0.02 for a, b in zip(still, stuck, strict=True))


def test_without_its_motion_the_scene_does_not_match(scenes):
    moving = [float(m) for m in (scenes.before.float() - scenes.after).abs().mean(dim=(1, 2, 3))]
    assert min(moving) > 0.5  # 255ths: the flight never stands still
    height, width = scenes.before.shape[2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    unmoved = MovingScenes(
        scenes.before, scenes.after,
        x.float().expand_as(scenes.x), y.float().expand_as(scenes.y), scenes.visible,
    )  # fmt: skip
    assert np.mean(errors(scenes, Painted(0.0))) < 0.8 * np.mean(errors(unmoved, Painted(0.0)))


def test_the_loss_has_gradients(scenes):
    network = Painted(0.3)
    scenes.loss(network, np.random.default_rng(0), (160, 128)).backward()
    assert network.height.grad is not None
    assert float(network.height.grad) > 0


class Striped(nn.Module):
    """A gray picture with stripes every 8 pixels that stay on the screen, or move along."""

    def __init__(self, locked: bool) -> None:
        super().__init__()
        self.locked = locked
        self.height = nn.Parameter(torch.tensor(0.2))

    def forward(self, x: Tensor) -> Tensor:
        if not self.locked:
            return x * self.height
        stripes = torch.zeros_like(x)
        stripes[:, :, :, ::8] = 1
        return x.mean() + self.height * stripes


def test_a_pattern_of_the_pixel_blocks_is_an_error_under_shifts(scenes):
    rngs = [np.random.default_rng(k) for k in range(6)]
    along, locked = (
        [float(scenes.shift_loss(network, rng, (160, 128)).detach()) for rng in rngs]
        for network in (Striped(False), Striped(True))
    )
    # What moves along differs by the noise alone: 10 times that of up to 3 of 255, times 0.2.
    assert max(along) < 10 * (3 / 255 * 0.2) ** 2
    assert np.median(locked) > 10 * max(along)


def test_the_shift_loss_has_gradients(scenes):
    network = Striped(True)
    scenes.shift_loss(network, np.random.default_rng(0), (160, 128)).backward()
    assert network.height.grad is not None
    assert float(network.height.grad) > 0


def test_crops_have_noise_only_where_it_is_wanted():
    content = ContentSet.of([np.full((96, 96, 3), 120, np.uint8)])
    rough = [float(np.diff(content.batch(3, k, 1, (64, 64))).std()) for k in range(12)]
    smooth = [
        float(np.diff(content.batch(3, k, 1, (64, 64), noise=False)).std()) for k in range(12)
    ]
    assert max(rough) > 1e-3
    assert max(smooth) < max(rough) / 2


def test_the_scenes_are_content_too(scenes):
    content = ContentSet.of([np.zeros((180, 320, 3), np.uint8)] * 40)
    content.add(scenes.pictures(), share=0.2)
    assert len(content) == 50  # four scenes, two to three times each
    first = scenes.before[0].permute(1, 2, 0).numpy()
    assert np.array_equal(np.asarray(content.pictures[40]), first)
    assert np.array_equal(np.asarray(content.pictures[44]), first)
    few = ContentSet.of([np.zeros((180, 320, 3), np.uint8)] * 8)
    few.add(scenes.pictures(), share=0.2)
    assert len(few) == 10
    assert np.array_equal(np.asarray(few.pictures[8]), first)
    assert not np.array_equal(np.asarray(few.pictures[9]), first)


def test_fast_trains_on_from_a_bundled_model_unless_told_otherwise():
    def start(arch: str, init: str | None = None) -> Path | None:
        return start_of(Namespace(arch=arch, init=Path(init) if init else None))

    given = start("fast")
    assert given is not None
    assert given.parent == models_folder()
    assert start("fast", "none") is None
    assert start("small") is None
    assert start("fast", "mine.onnx") == Path("mine.onnx")


def test_from_trained_weights_the_recipe_is_short():
    fresh, on = (default_recipe("fast", "a.jpg", "b", trained) for trained in (False, True))
    assert on.steps < fresh.steps
    assert on.learning_rate < fresh.learning_rate
    assert fresh.norm_share > on.norm_share == 0


class Carried(nn.Module):
    """The frame with its canvas laid over it, and stripes that stay on the screen."""

    def __init__(self, height: float) -> None:
        super().__init__()
        self.stripes = Painted(height)

    def forward(self, x: Tensor, canvas: Tensor) -> Tensor:
        return self.stripes(x + 0.5 * (nn.functional.interpolate(canvas, scale_factor=2) - 0.5))


def test_what_goes_with_frame_and_canvas_has_less_of_a_carried_loss():
    torch.manual_seed(3)
    small = torch.rand(2, 2, 3, 16, 16)
    frame, canvas = (nn.functional.interpolate(s, (128, 128), mode="bicubic") for s in small)

    def loss(height: float) -> float:
        torch.manual_seed(5)
        network = Carried(height)
        styled = network(frame, nn.functional.avg_pool2d(canvas, 2))
        return float(carried_loss(network, frame, canvas, styled).detach())

    assert loss(0.3) > 3 * loss(0.0) > 0
