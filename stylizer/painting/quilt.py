"""A canvas made of a painting: its strokes without its colors' places, as a tile without seams.

Image quilting (Efros and Freeman 2001): patches of the painting, chosen to fit what lies there
already and joined along the path where they differ least.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from stylizer.errors import BadInput
from stylizer.frame import CANVAS_MIDDLE, CANVAS_MIDDLE_BYTE, LUMA

SIDE = 1280  # pixels of the tile; narrower frames show nothing of it twice
HALF_SIDE = SIDE // 2  # of one that is made at half of a frame's size, while a user waits
SPREAD = 0.2  # standard deviation of the tile, 0..1
TRIES = 400  # places of the painting compared for each patch
COMPARED = 48  # pixels of a patch, along a side, at most two apart where it is small
NEAR_BEST = 1.08  # of the least difference: one of these is drawn
STEP_SHARE = 2 / 3  # of a patch; the rest overlaps
LEAST_STEP = 16  # pixels: smaller patches hold no stroke, and there are thousands of them
STEPS = [step for step in range(LEAST_STEP, SIDE // 2 + 1) if SIDE % step == 0]
PATCHES = [patch for patch in range(SIDE) if round(patch * STEP_SHARE) in STEPS]  # go round whole
PATCH, COARSE, FINE = 384, 60.0, 1.2  # pixels, of a painting at its whole scale
EDGES = {"reflect": cv2.BORDER_REFLECT, "wrap": cv2.BORDER_WRAP}


def canvas_tile(
    style: np.ndarray, patch: int = PATCH, coarse: float = COARSE, fine: float = FINE, seed: int = 1
) -> np.ndarray:
    """uint8 (SIDE, SIDE, 3), toroidal, 128 is nothing: strokes of `style`, (H, W, 3) in 0..1, at
    its scale.

    patch: pixels, one of PATCHES. coarse, fine: pixels (Gaussian sigmas) between
    which a stroke's width lies: colors of whole areas go, and so does the grain of the scan.
    Raises BadInput for a patch that does not fit.
    """
    check_patch(patch, min(style.shape[:2]))
    return _tile(style, patch, round(patch * STEP_SHARE), SIDE, coarse, fine, seed)


def half_tile(style: np.ndarray, seed: int = 1) -> np.ndarray:
    """uint8 (HALF_SIDE, HALF_SIDE, 3): a tile of a style at half its size, as networks take it, a
    quarter of the work of `canvas_tile`. `style`: (H, W, 3) in 0..1, at half of its scale."""
    halves = (PATCH // 2, round(PATCH * STEP_SHARE) // 2, HALF_SIDE)
    return _tile(style, *halves, COARSE / 2, FINE / 2, seed)


def _tile(
    style: np.ndarray, patch: int, step: int, side: int, coarse: float, fine: float, seed: int
) -> np.ndarray:
    strokes = band(style.astype(np.float32), coarse, fine)
    energy = np.sqrt(blurred((strokes**2).mean(axis=2), coarse))
    strokes = strokes / (energy[..., None] + 0.25 * energy.mean() + 1e-6)
    tile = quilted(strokes, likely(energy, patch), patch, step, side, seed)
    tile = tile - blurred(tile, coarse, mode="wrap")
    tile = tile / max(float(tile.std()), 1e-6) * SPREAD + CANVAS_MIDDLE
    return np.rint(tile.clip(0, 1) * 255).astype(np.uint8)


def colored(tile: np.ndarray, amount: float) -> np.ndarray:
    """uint8 (side, side, 3): a canvas with `amount` times its color, its light kept. Strokes of
    several hues say "painting" at a glance and, unlike stronger ones, hide nothing."""
    strokes = tile.astype(np.float32) - CANVAS_MIDDLE_BYTE
    light = (strokes @ LUMA.astype(np.float32))[..., None]
    mixed = light + amount * (strokes - light) + CANVAS_MIDDLE_BYTE
    return np.rint(mixed.clip(0, 255)).astype(np.uint8)


def check_patch(patch: int, short_side: int) -> None:
    """Raise BadInput unless the tile can be quilted of such patches; both in pixels."""
    if patch not in PATCHES:
        sides = ", ".join(map(str, PATCHES))
        raise BadInput(
            f"--patch {patch}: two thirds of a patch go whole times into {SIDE}; choose one of "
            f"{sides}"
        )
    if patch > short_side:
        raise BadInput(
            f"--patch {patch} is larger than the style picture, or the part that is quilted, whose "
            f"short side is {short_side}: choose a smaller one, or raise --style-size"
        )


def blurred(picture: np.ndarray, sigma: float, mode: str = "reflect") -> np.ndarray:
    """float32 (H, W[, 3]), each channel by itself, to four sigmas."""
    reach = min(round(4 * sigma), min(picture.shape[:2]) - 1)
    padded = cv2.copyMakeBorder(picture, reach, reach, reach, reach, EDGES[mode])
    kept = cv2.GaussianBlur(padded, (2 * reach + 1, 2 * reach + 1), sigma)
    return kept[reach : reach + picture.shape[0], reach : reach + picture.shape[1]]


def band(style: np.ndarray, coarse: float, fine: float) -> np.ndarray:
    """What of the picture is finer than one sigma and coarser than the other."""
    kept = blurred(style, fine) if fine else style
    return kept - blurred(kept, coarse)


def likely(energy: np.ndarray, patch: int) -> np.ndarray:
    """(H - patch + 1, W - patch + 1): how likely a patch begins there; more, where strokes are."""
    mean = cv2.boxFilter(energy, -1, (patch, patch), anchor=(0, 0))
    mean = mean[: energy.shape[0] - patch + 1, : energy.shape[1] - patch + 1].astype(np.float64)
    weight = np.clip(mean / max(float(np.median(mean)), 1e-9), 0.02, 1.5) ** 2
    return weight / weight.sum()


def quilted(
    texture: np.ndarray, odds: np.ndarray, patch: int, step: int, side: int, seed: int
) -> np.ndarray:
    """float32 (side, side, 3), continued at its borders."""
    rng = np.random.default_rng(seed)
    count, reach = side // step, np.arange(patch)
    out = np.zeros((side, side, 3), np.float32)
    known = np.zeros((side, side), bool)
    for row in range(count):
        for column in range(count):
            place = np.ix_((row * step + reach) % side, (column * step + reach) % side)
            there, have = out[place], known[place]
            found = fitting(texture, odds, there, have, rng)
            ends = (row > 0, row == count - 1, column > 0, column == count - 1)
            new = joined(((found - there) ** 2).sum(axis=2), patch - step, ends)
            new = np.where(have, cv2.GaussianBlur(new, (7, 7), 0.7), 1.0)[..., None]
            out[place] = there * (1 - new) + found * new
            known[place] = True
    return out


def fitting(
    texture: np.ndarray,
    odds: np.ndarray,
    there: np.ndarray,
    have: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """A patch of the texture that differs little from what is there already."""
    patch = len(there)
    apart = max(2, patch // COMPARED)
    wanted, counts = there[::apart, ::apart], have[::apart, ::apart]
    places = rng.choice(odds.size, TRIES, p=odds.ravel())
    tops, lefts = np.divmod(places, odds.shape[1])
    costs, weight = np.zeros(TRIES), counts.astype(np.float32)[..., None]
    for k, (y, x) in enumerate(zip(tops, lefts, strict=True)):
        if not counts.any():
            break  # the first patch fits anywhere
        off = (texture[y : y + patch : apart, x : x + patch : apart] - wanted) * weight
        costs[k] = np.vdot(off, off)
    near = np.flatnonzero(costs <= costs.min() * NEAR_BEST)[:4]
    pick = near[rng.integers(len(near))]
    return texture[tops[pick] : tops[pick] + patch, lefts[pick] : lefts[pick] + patch]


def joined(cost: np.ndarray, overlap: int, ends: tuple[bool, bool, bool, bool]) -> np.ndarray:
    """(patch, patch): 1 where the new patch lies. ends: which of top, bottom, left and right
    overlap a patch that is there.

    Rows above and below are there beyond the patch's sides too: where no path goes down a side,
    theirs end at the patch's middle, or the side would stay to be seen as a straight line.
    """
    top, bottom, left, right = ends
    free = (not left, not right)
    mask = np.ones(cost.shape)
    across = np.arange(overlap)
    if left:
        mask[:, :overlap] *= across >= cheapest_path(cost[:, :overlap])[:, None]
    if right:
        mask[:, -overlap:] *= across <= cheapest_path(cost[:, -overlap:])[:, None]
    if top:
        mask[:overlap] *= (across >= cheapest_path(ending(cost[:overlap].T, -1, free))[:, None]).T
    if bottom:
        mask[-overlap:] *= (across <= cheapest_path(ending(cost[-overlap:].T, 0, free))[:, None]).T
    return mask


def ending(cost: np.ndarray, column: int, free: tuple[bool, bool]) -> np.ndarray:
    """The cost (length, width) that leaves a path one column at its free ends, first and last."""
    cost = cost.copy()
    for row, is_free in zip((0, -1), free, strict=True):
        if is_free:
            kept = cost[row, column]
            cost[row] = np.inf
            cost[row, column] = kept
    return cost


def cheapest_path(cost: np.ndarray) -> np.ndarray:
    """(length,): the column of the path down (length, width) that costs least, by dynamic
    programming."""
    total = np.pad(cost, ((0, 0), (1, 1)), constant_values=np.inf)
    for before, here in itertools.pairwise(total):
        here[1:-1] += np.minimum(np.minimum(before[:-2], before[1:-1]), before[2:])
    total = total[:, 1:-1]
    path = [int(total[-1].argmin())]
    for row in total[-2::-1]:
        first = max(0, path[-1] - 1)
        path.append(first + int(row[first : path[-1] + 2].argmin()))
    return np.array(path[::-1])
