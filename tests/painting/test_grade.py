"""The color grade: a style's colors, but a game's blacks and whites."""

import numpy as np
import pytest

from stylizer.frame import LUMA
from stylizer.painting.grade import DARKEST, LIGHTEST, PIVOT, color_grade, colors_of


@pytest.fixture
def content() -> np.ndarray:
    return np.random.default_rng(0).beta(1.5, 2.0, (4000, 3))


def test_colors_are_spread_over_all_pictures():
    dark, light = (np.full((300, 200, 3), value, np.uint8) for value in (0, 255))
    colors = colors_of([dark, light])
    assert colors.shape == (2 * 4096, 3)
    assert colors.mean() == 0.5


def test_equal_statistics_and_no_contrast_change_nothing(content):
    matrix, offset = color_grade(content, content[::-1], contrast=1.0)
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(offset, 0, atol=1e-6)


def test_mean_and_covariance_become_the_styles(content):
    """Where black and white are kept anyway, so that nothing is put back."""
    turn = np.array([[0.85, 0.06, 0.02], [0.06, 0.85, 0.02], [0.02, 0.02, 0.95]])
    style = content @ turn + 0.02
    assert LIGHTEST < LUMA @ (turn.sum(axis=1) + 0.02) < 1
    matrix, offset = color_grade(content, style, contrast=1.0)
    made = content @ matrix.T + offset
    np.testing.assert_allclose(made.mean(axis=0), style.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(np.cov(made.T), np.cov(style.T), atol=1e-4)
    np.testing.assert_allclose(matrix, turn, atol=1e-3)


@pytest.mark.parametrize("contrast", [1.0, 1.15, 1.3])
@pytest.mark.parametrize(
    "paint", [(0.05, 0.1, 0.2), (0.8, 0.85, 0.9), (0.5, 0.5, 0.5)], ids=["dark", "light", "gray"]
)
def test_black_stays_black_and_white_white(content, paint, contrast):
    style = np.array(paint) + np.random.default_rng(1).normal(0, 0.04, (4000, 3))
    matrix, offset = color_grade(content, style, contrast)
    black, white = LUMA @ offset, LUMA @ (matrix.sum(axis=1) + offset)
    assert black <= (DARKEST - PIVOT) * contrast + PIVOT + 1e-9
    assert white >= (LIGHTEST - PIVOT) * contrast + PIVOT - 1e-9


def test_saturation_pales_colors_and_keeps_their_light(content):
    whole, paler = (color_grade(content, content**2, 1.2, s) for s in (1.0, 0.6))
    strong, weak = (content @ matrix.T + offset for matrix, offset in (whole, paler))
    np.testing.assert_allclose(weak @ LUMA, strong @ LUMA, atol=1e-9)
    colored = [made - (made @ LUMA)[:, None] for made in (strong, weak)]
    np.testing.assert_allclose(colored[1], 0.6 * colored[0], atol=1e-9)


def test_contrast_leaves_dark_games_their_light(content):
    """About the middle it made a corridor of a mean of 0.15 half as bright."""
    plain, strong = (color_grade(content, content, contrast) for contrast in (1.0, 1.3))
    dark = np.full(3, 0.15)
    lumas = [float(LUMA @ (matrix @ dark + offset)) for matrix, offset in (plain, strong)]
    assert lumas[0] == pytest.approx(0.15, abs=1e-6)
    assert lumas[1] > 0.65 * lumas[0]


def test_pictures_of_one_color_have_a_grade():
    one = np.full((100, 3), 0.3)
    matrix, offset = color_grade(one, np.full((100, 3), 0.6))
    assert np.isfinite(matrix).all()
    assert np.isfinite(offset).all()
