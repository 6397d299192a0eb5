"""The canvas quilted of a painting: no seams, no color of its own, the same for the same seed."""

import numpy as np
import pytest

ndimage = pytest.importorskip("scipy.ndimage")

from stylizer.errors import BadInput  # noqa: E402
from stylizer.frame import LUMA  # noqa: E402
from stylizer.painting.quilt import (  # noqa: E402
    PATCHES,
    SIDE,
    SPREAD,
    canvas_tile,
    cheapest_path,
    check_patch,
    colored,
)

PATCH = 240


@pytest.fixture(scope="module")
def style() -> np.ndarray:
    """Slanted strokes over a change of color from side to side."""
    rng = np.random.default_rng(0)
    strokes = ndimage.gaussian_filter(rng.normal(size=(300, 280, 3)), (2, 8, 0))
    strokes = np.stack([np.roll(row, y) for y, row in enumerate(strokes)])
    ramp = np.linspace(0.2, 0.7, 280)[None, :, None]
    return (ramp + 0.1 * strokes / strokes.std()).clip(0, 1)


@pytest.fixture(scope="module")
def tile(style) -> np.ndarray:
    return canvas_tile(style, PATCH)


def test_its_size_and_its_middle(tile):
    assert tile.shape == (SIDE, SIDE, 3)
    assert tile.dtype == np.uint8
    assert np.abs(tile.mean(axis=(0, 1)) - 128).max() < 4
    assert tile.std() / 255 == pytest.approx(SPREAD, rel=0.2)
    areas = ndimage.gaussian_filter(tile.astype(float), (40, 40, 0), mode="wrap")
    assert np.abs(areas - 128).max() < 30, "colors of whole areas are gone"


def test_it_goes_on_over_its_edges(tile):
    values = tile.astype(float)
    for axis in (0, 1):
        steps = np.abs(values - np.roll(values, 1, axis)).mean(axis=(1 - axis, 2))
        inner = steps[1:]
        assert steps[0] < inner.mean() + 3 * inner.std()


def test_the_seed_decides(style, tile):
    assert np.array_equal(canvas_tile(style, PATCH), tile)
    assert not np.array_equal(canvas_tile(style, PATCH, seed=2), tile)


def test_patches_that_fit():
    assert 192 in PATCHES
    for patch in PATCHES:
        check_patch(patch, patch)
        assert SIDE % (patch * 2 // 3) == 0
    with pytest.raises(BadInput, match=r"--patch 100: .* 1280; choose one of 24, 30"):
        check_patch(100, 512)
    for large in (SIDE, 1920):  # they would overlap themselves
        with pytest.raises(BadInput, match="choose one of"):
            check_patch(large, 4000)


def test_a_patch_that_does_not_fit_is_refused(style):
    with pytest.raises(
        BadInput,
        match="larger than the style picture, or the part that is quilted, whose short side is 280",
    ):
        canvas_tile(style, 480)


def test_the_cheapest_path_goes_where_nothing_costs():
    cost = np.ones((6, 5))
    way = [1, 2, 3, 3, 2, 1]
    cost[np.arange(6), way] = 0
    assert cheapest_path(cost).tolist() == way


def test_color_grows_and_light_stays(tile):
    softened = (128 + (tile.astype(float) - 128) * 0.3).astype(np.uint8)  # nothing is clipped
    twice = colored(softened, 2.0).astype(float)
    np.testing.assert_allclose(twice @ LUMA, softened @ LUMA, atol=1.0)
    color = [x - (x @ LUMA)[..., None] for x in (twice, softened.astype(float))]
    assert np.std(color[0]) == pytest.approx(2 * np.std(color[1]), rel=0.05)
    np.testing.assert_array_equal(colored(tile, 1.0), tile)
