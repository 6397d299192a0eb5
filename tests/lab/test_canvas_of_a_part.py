"""The canvas that `train` quilts, of a part of the painting and as fine as is asked for."""

import numpy as np
import pytest

pytest.importorskip("torch")

from stylizer.lab.commands.train import quilt_of
from stylizer.lab.nets.registry import Recipe
from stylizer.painting.quilt import blurred

PATCH = 192


@pytest.fixture(scope="module")
def painting() -> np.ndarray:
    """Fine red grain on the left, fine blue grain on the right."""
    grain = np.random.default_rng(0).random((240, 480)).astype(np.float32)
    picture = np.full((240, 480, 3), 0.5, np.float32)
    picture[:, :240, 0] = grain[:, :240]
    picture[:, 240:, 2] = grain[:, 240:]
    return picture


def quilt(painting: np.ndarray, **changes: object) -> np.ndarray:
    recipe = Recipe("fast-tiny", "grain.png", "frames", patch=PATCH, **changes)  # type: ignore[arg-type]
    return quilt_of(painting, recipe).astype(np.float32)


def test_only_the_part_is_quilted(painting):
    for part, (painted, bare) in {(0, 0, 0.5, 1): (0, 2), (0.5, 0, 1, 1): (2, 0)}.items():
        tile = quilt(painting, canvas_part=part)
        assert tile[..., painted].std() > 10 * tile[..., bare].std()


def test_a_smaller_blur_keeps_finer_strokes(painting):
    steps = [
        np.abs(
            np.diff(quilt(painting, canvas_part=(0, 0, 0.5, 1), canvas_fine=fine)[..., 0])
        ).mean()
        for fine in (0.5, 1.2)
    ]
    assert steps[0] > 1.5 * steps[1]


def test_a_larger_area_keeps_whole_shapes():
    shapes = np.full((240, 480, 3), 0.3, np.float32)
    shapes[:, 100:200] = shapes[:, 340:440] = 0.7
    shapes += 0.2 * np.random.default_rng(0).random(shapes.shape, np.float32)
    kept = [
        blurred(quilt(shapes, canvas_coarse=coarse)[..., 0], 12, mode="wrap").std()
        for coarse in (20.0, 80.0)
    ]
    assert kept[1] > 1.3 * kept[0]


def test_the_seed_decides(painting):
    assert np.array_equal(quilt(painting, seed=1), quilt(painting))
    assert not np.array_equal(quilt(painting, seed=2), quilt(painting))
