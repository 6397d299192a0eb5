"""A mosaic made of a painting, which the mosaic style is trained on, and its canvas.

Panes are the cells of a weighted centroidal Voronoi diagram (Hausner 2001, "Simulating decorative
mosaics"; Secord 2002), relaxed little so that no two are alike, in coordinates bent smoothly so
that they are long here and round there; dark joints lie between them.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from stylizer.frame import LUMA

JOINT = (26.0, 22.0, 30.0)  # RGB
JOINT_PX = 1.9
SUPERSAMPLING = 2
PART = 2**20  # places looked at together: pictures of 40 megapixels have to fit the memory
GLOSS = np.array([0.4, 0.6])  # light falls from the upper left: change a pixel across a pane


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> np.ndarray:
    """(H, W), toroidal, standard deviation 1."""
    field = ndimage.gaussian_filter(rng.normal(size=shape), sigma, mode="wrap")
    return field / field.std()


def mosaic_picture(picture: np.ndarray, tile: float = 36.0, seed: int = 1) -> np.ndarray:
    """uint8 (H, W, 3) of the same size: panes about `tile` pixels wide that follow the contours of
    `picture`, uint8 (H, W, 3) RGB, in bolder colors than its own."""
    rng = np.random.default_rng(seed)
    height, width = picture.shape[:2]
    edges = contours(picture)
    crowd = 0.45 + 1.6 * ndimage.gaussian_filter(edges, 14)
    crowd += 0.5 * smooth_noise(rng, (height, width), 60).clip(-0.8, 1)
    # Centers stay off the contours, so that joints lie on them.
    odds = crowd.clip(0.2) * (1 - 0.97 * (1.5 * ndimage.maximum_filter(edges, 3)).clip(0, 1))
    bend = np.stack([20 * smooth_noise(rng, (height, width), 80) for _ in "xy"], axis=-1)
    places = (grid(height, width) + bend).astype(np.float32)
    centers = relaxed(places.reshape(-1, 2), odds.ravel(), int(height * width / tile**2), rng, 3)
    fine = enlarged(places).reshape(-1, 2)
    pane, joint, offset = cells(centers, fine)
    source = enlarged(picture.astype(np.float32)).reshape(-1, 3)
    color = bolder(means(pane, source, len(centers)), rng)
    out = np.empty((height, width, 3), np.uint8)
    row = width * SUPERSAMPLING**2  # places
    for top in range(0, height, max(1, PART // row)):
        rows = out[top : top + max(1, PART // row)]
        part = slice(top * row, (top + len(rows)) * row)
        shine = -(offset[part] * GLOSS).sum(axis=1, keepdims=True) * 0.5
        laid = (color[pane[part]] + shine) * joint[part] + np.array(JOINT) * (1 - joint[part])
        rows[:] = np.rint(reduced(laid.clip(0, 255), len(rows), width))
    return out


def mosaic_tile(side: int, tile: float = 36.0, seed: int = 3, spread: float = 0.22) -> np.ndarray:
    """uint8 (side, side, 3), toroidal, 128 is nothing: panes of many colors, for a canvas."""
    rng = np.random.default_rng(seed)
    bend = np.stack([16 * smooth_noise(rng, (side, side), 64) for _ in "xy"], axis=-1)
    odds = (0.9 + 0.5 * smooth_noise(rng, (side, side), 60)).clip(0.3, 2).ravel()
    places = (grid(side, side) + bend) % side
    count = int(side * side / tile**2)
    centers = relaxed(places.reshape(-1, 2), odds, count, rng, 1, around=side)
    fine = (grid(side, side, SUPERSAMPLING) + enlarged(bend, wrap=True)) % side
    pane, joint, offset = cells(centers, fine.reshape(-1, 2), around=side)
    color = rng.normal(0, 0.7, (count, 1)) + rng.normal(0, 1.05, (count, 3))
    shine = -(offset * GLOSS).sum(axis=1, keepdims=True) * 0.03
    laid = reduced((color[pane] + shine) * joint - 4.2 * (1 - joint), side, side)
    laid -= laid.mean(axis=(0, 1))
    return np.rint((laid / laid.std() * spread + 0.56).clip(0, 1) * 255).astype(np.uint8)


def contours(picture: np.ndarray) -> np.ndarray:
    """(H, W) in 0..1: how much of an edge there is."""
    luma = ndimage.gaussian_filter(picture @ LUMA, 2.5)
    slope = np.hypot(ndimage.sobel(luma, 0), ndimage.sobel(luma, 1))
    return (slope / max(np.percentile(slope, 97), 1e-6)).clip(0, 1)


def grid(height: int, width: int, times: int = 1) -> np.ndarray:
    """(times H, times W, 2): x and y of the centers of pixels."""
    x, y = ((np.arange(times * n) + 0.5) / times - 0.5 for n in (width, height))
    return np.stack(np.meshgrid(x, y), axis=-1)


def relaxed(
    places: np.ndarray,
    odds: np.ndarray,
    count: int,
    rng: np.random.Generator,
    rounds: int,
    around: int | None = None,
) -> np.ndarray:
    """(count, 2): centers drawn from places, (N, 2), by their odds and moved to the middle of
    their cells. around: side of a torus."""
    centers = places[rng.choice(len(places), count, replace=False, p=odds / odds.sum())]
    some = places[::3], odds[::3]
    for _ in range(rounds):
        cell = KDTree(centers, boxsize=around).query(some[0], workers=-1)[1]
        way = wrapped(some[0] - centers[cell], around)
        mass = np.bincount(cell, some[1], count) + 1e-9
        moved = [np.bincount(cell, some[1] * way[:, k], count) / mass for k in (0, 1)]
        centers = centers + np.stack(moved, axis=1)
        centers = centers % around if around else centers
    return centers


def wrapped(way: np.ndarray, around: int | None) -> np.ndarray:
    """The shorter way on a torus."""
    return (way + around / 2) % around - around / 2 if around else way


Cells = tuple[np.ndarray, np.ndarray, np.ndarray]


def cells(centers: np.ndarray, places: np.ndarray, around: int | None = None) -> Cells:
    """For each place (N, 2): its cell (N,), 0 on a joint to 1 (N, 1), and the way from the cell's
    center (N, 2)."""
    tree = KDTree(centers, boxsize=around)
    parts = [cells_of(tree, places[k : k + PART], around) for k in range(0, len(places), PART)]
    pane, joint, offset = (np.concatenate(part) for part in zip(*parts, strict=True))
    return pane, joint, offset


def cells_of(tree: KDTree, places: np.ndarray, around: int | None) -> Cells:
    """`cells`, of some of the places, in short numbers."""
    centers = np.asarray(tree.data)
    distance, near = (np.asarray(part) for part in tree.query(places, k=2, workers=-1))
    pane = near[:, 0]  # distance, near: (N, 2) each
    apart = np.linalg.norm(wrapped(centers[pane] - centers[near[:, 1]], around), axis=1)
    border = (distance[:, 1] ** 2 - distance[:, 0] ** 2) / (2 * apart + 1e-6)
    joint = ((border - JOINT_PX / 2) / 0.9).clip(0, 1)[:, None]
    offset = wrapped(places - centers[pane], around)
    return pane.astype(np.int32), joint.astype(np.float32), offset.astype(np.float32)


def means(pane: np.ndarray, colors: np.ndarray, count: int) -> np.ndarray:
    """(count, 3): mean color of each pane."""
    size = np.bincount(pane, minlength=count) + 1e-9
    return np.stack([np.bincount(pane, colors[:, c], count) / size for c in range(3)], axis=1)


def bolder(color: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """More color and contrast, and no two panes the same."""
    gray = color.mean(axis=1, keepdims=True)
    strong = (gray + (color - gray) * 1.5 - 128) * 1.1 + 132
    return strong + rng.normal(0, 20, (len(color), 1)) + rng.normal(0, 14, (len(color), 3))


def enlarged(picture: np.ndarray, wrap: bool = False) -> np.ndarray:
    """(H, W, C) -> (2 H, 2 W, C), linear."""
    for axis in (0, 1):
        around = [(1, 1) if k == axis else (0, 0) for k in range(3)]
        lines = np.moveaxis(np.pad(picture, around, mode="wrap" if wrap else "edge"), axis, 0)
        near = 0.75 * lines[1:-1]
        pairs = np.stack([near + 0.25 * lines[:-2], near + 0.25 * lines[2:]], axis=1)
        picture = np.moveaxis(pairs.reshape(-1, *near.shape[1:]), 0, axis)
    return np.ascontiguousarray(picture)


def reduced(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """(4 H W, 3) -> (H, W, 3): means of 2x2."""
    s = SUPERSAMPLING
    return values.reshape(height, s, width, s, 3).mean(axis=(1, 3))
