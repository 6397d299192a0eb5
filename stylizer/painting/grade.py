"""A style's color grade: one fixed linear map from the colors of games to the painting's."""

from __future__ import annotations

import numpy as np

from stylizer.frame import LUMA

SAMPLE = 4096  # colors taken of each picture
RIDGE = 1e-5  # of variance: a picture of one color has no inverse
DARKEST, LIGHTEST = 0.04, 0.93  # black maps no higher, white no lower: games need their range
PIVOT = 0.3  # what contrast leaves as it is: about the middle, dark games became black

Grade = tuple[np.ndarray, np.ndarray]  # (3, 3) matrix and (3,) offset, on colors in 0..1
Moments = tuple[np.ndarray, np.ndarray]  # (3,) mean and (3, 3) covariance

# Colors that games show: of 647 pictures, frames of six games, a generator's and photos.
GAMES: Moments = (
    np.array([0.3306, 0.3461, 0.3243]),
    np.array(
        [
            [0.06693, 0.05554, 0.04946],
            [0.05554, 0.06771, 0.06574],
            [0.04946, 0.06574, 0.08720],
        ]
    ),
)


def colors_of(pictures: list[np.ndarray]) -> np.ndarray:
    """(N, 3) in 0..1: colors spread over pictures, each uint8 (H, W, 3) RGB."""
    taken = []
    for picture in pictures:
        flat = picture.reshape(-1, 3)
        taken.append(flat[:: max(1, len(flat) // SAMPLE)][:SAMPLE])
    return np.concatenate(taken).astype(np.float64) / 255


def color_grade(
    content: np.ndarray, style: np.ndarray, contrast: float = 1.15, saturation: float = 1.0
) -> Grade:
    """The grade that gives colors of `content` the mean and covariance of `style`, both (N, 3) in
    0..1: the Monge-Kantorovich linear map (Pitié and Kokaram 2007).

    A dark painting would leave nothing of a game's range, so the grays are put back: black stays
    near black, white near white, and `contrast` stretches about a dark gray. `saturation` then
    multiplies what is color: games show larger areas of one pure color than paintings do, and
    the map makes them purer.
    """
    return grade_between(moments(content), moments(style), contrast, saturation)


def grade_between(
    content: Moments, style: Moments, contrast: float = 1.15, saturation: float = 1.0
) -> Grade:
    """`color_grade` of colors of which only mean and covariance are known."""
    (mean, covariance), (aim, wanted) = content, style
    root, inverse = _power(covariance, 0.5), _power(covariance, -0.5)
    matrix = inverse @ _power(root @ wanted @ root, 0.5) @ inverse
    offset = aim - matrix @ mean
    black, slope = float(LUMA @ offset), float(LUMA @ matrix.sum(axis=1))
    low = min(max(black, 0.0), DARKEST)
    high = min(max(black + slope, LIGHTEST), 1.0)
    matrix = matrix + np.outer(np.ones(3), LUMA) * (high - low - slope)
    offset = offset + low - black
    matrix, offset = matrix * contrast, (offset - PIVOT) * contrast + PIVOT
    paler = saturation * np.eye(3) + (1 - saturation) * np.outer(np.ones(3), LUMA)
    return paler @ matrix, paler @ offset


def moments(colors: np.ndarray) -> Moments:
    """Mean and covariance of colors (N, 3)."""
    mean = colors.mean(axis=0)
    spread = colors - mean
    return mean, spread.T @ spread / len(colors) + RIDGE * np.eye(3)


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(np.maximum(values, 1e-8) ** exponent) @ vectors.T
