"""Mosaics: as many panes as asked for, dark joints, the picture's colors, no seams in the tile."""

import numpy as np
import pytest

ndimage = pytest.importorskip("scipy.ndimage")

from stylizer.frame import LUMA  # noqa: E402
from stylizer.lab.training import mosaic  # noqa: E402
from stylizer.lab.training.mosaic import enlarged, mosaic_picture, mosaic_tile  # noqa: E402

SIZE, TILE = (181, 240), 24.0


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Light blue, light orange on the right."""
    made = np.full((*SIZE, 3), (120, 170, 220), np.uint8)
    made[:, 120:] = (230, 170, 110)
    return made


@pytest.fixture(scope="module")
def laid(picture) -> np.ndarray:
    return mosaic_picture(picture, TILE)


def panes(rgb: np.ndarray) -> int:
    """Light areas of more than a few pixels."""
    labels, count = ndimage.label(rgb @ LUMA > 75)
    return int((np.bincount(labels.ravel(), minlength=count + 1)[1:] > 12).sum())


def test_it_has_the_panes_that_were_asked_for(laid):
    assert laid.shape == (*SIZE, 3)
    assert laid.dtype == np.uint8
    assert panes(laid) == pytest.approx(SIZE[0] * SIZE[1] / TILE**2, rel=0.2)


def test_joints_are_dark_and_thin(laid):
    dark = (laid @ LUMA < 60).mean()
    assert 0.03 < dark < 0.3
    assert np.abs(laid[laid @ LUMA < 30] - np.array(mosaic.JOINT)).max() < 25


def test_panes_have_the_pictures_colors(laid):
    left, right = laid[:, :100].mean(axis=(0, 1)), laid[:, 140:].mean(axis=(0, 1))
    assert left[2] > left[0] + 40
    assert right[0] > right[2] + 40


def test_the_seed_decides(picture, laid):
    assert np.array_equal(mosaic_picture(picture, TILE), laid)
    assert not np.array_equal(mosaic_picture(picture, TILE, seed=2), laid)
    tile = mosaic_tile(128, 32.0)
    assert np.array_equal(mosaic_tile(128, 32.0), tile)
    assert not np.array_equal(mosaic_tile(128, 32.0, seed=4), tile)


def test_large_pictures_are_laid_in_parts(picture, laid, monkeypatch):
    monkeypatch.setattr(mosaic, "PART", 7001)
    assert np.array_equal(mosaic_picture(picture, TILE), laid)


def test_the_tile_goes_on_over_its_edges():
    tile = mosaic_tile(256, 32.0)
    assert tile.shape == (256, 256, 3)
    assert 110 < tile.mean() < 160
    assert 0.03 < (tile @ LUMA < 60).mean() < 0.3, "joints"
    values = tile.astype(float)
    for axis in (0, 1):
        steps = np.abs(values - np.roll(values, 1, axis)).mean(axis=(1 - axis, 2))
        assert steps[0] < steps[1:].mean() + 3 * steps[1:].std()


@pytest.mark.parametrize("wrap", [False, True])
def test_it_is_enlarged_as_by_interpolation(wrap):
    picture = np.random.default_rng(0).random((5, 7, 2))
    at = np.meshgrid(*((np.arange(2 * n) + 0.5) / 2 - 0.5 for n in (5, 7)), indexing="ij")
    mode = "grid-wrap" if wrap else "nearest"
    for k in range(2):
        wanted = ndimage.map_coordinates(picture[..., k], at, order=1, mode=mode)
        np.testing.assert_allclose(enlarged(picture, wrap)[..., k], wanted, atol=1e-12)
