"""The trees of the demo island: a few seeded templates, planted by the hundred."""

from __future__ import annotations

import numpy as np

from stylizer.source.demo.land import FIELDS, LIGHTHOUSE, MILLS, VILLAGE, Land, Noise
from stylizer.source.demo.shapes import Color, Soup, ball, bumped, frustum, join

CONIFERS = 3  # templates
WOOD: Color = (0.46, 0.32, 0.22)


def pine(rng: np.random.Generator, near: bool) -> Soup:
    """One or two cones on a trunk, about 8 m."""
    green = np.array((0.16, 0.42, 0.26)) * rng.uniform(0.85, 1.25)
    parts = [frustum(3, 0.55, 0, 4.4, WOOD).moved((0, -0.8, 0))] if near else []
    tiers = ((2.4, 1.2, 4.0), (1.7, 3.9, 4.1)) if near else ((2.2, 0.3, 8.1),)
    for radius, y, height in tiers:
        cone = frustum(6 if near else 5, radius, 0, height, (green[0], green[1], green[2]))
        parts.append(cone.moved((0, y, 0), rng.uniform(0, 1)))
    return join(parts)


def spindle(sides: int, color: Color) -> Soup:
    """Two cones, foot to foot: the cheapest thing that passes for round from afar."""
    top = frustum(sides, 1.05, 0, 0.95, color)
    return join([top, Soup((top.corners * (1, -1.0, 1))[:, ::-1], top.colors)])


def broadleaf(rng: np.random.Generator, color: Color, tall: float, near: bool) -> Soup:
    """A round crown on a trunk, about 6 m; `tall` stretches it into a poplar."""
    crown = bumped(ball(0, color), rng, 0.2) if near else bumped(spindle(5, color), rng, 0.12)
    crown = crown.moved((0, 2.6 + 1.9 * tall, 0), rng.uniform(0, 6), (2.3, 2.2 * tall, 2.3))
    return join([frustum(3, 0.5, 0, 5.0, WOOD).moved((0, -0.8, 0)), crown])


def tree_templates(rng: np.random.Generator, near: bool) -> list[Soup]:
    """Three conifers, then broadleaved trees in greens, autumn colors and blossom."""
    greens: list[Color] = [(0.36, 0.56, 0.20), (0.26, 0.48, 0.20), (0.52, 0.62, 0.22)]
    autumn: list[Color] = [(0.86, 0.52, 0.18), (0.80, 0.30, 0.20), (0.90, 0.70, 0.26)]
    leafy = [broadleaf(rng, c, t, near) for c in greens for t in (0.95, 1.1)]
    leafy += [broadleaf(rng, c, 1.0, near) for c in autumn]
    leafy.append(broadleaf(rng, greens[0], 1.9, near))
    leafy.append(broadleaf(rng, (0.93, 0.66, 0.70), 0.9, near))
    return [pine(rng, near) for _ in range(CONIFERS)] + leafy


def tree_places(land: Land, rng: np.random.Generator, path: np.ndarray) -> np.ndarray:
    """Where trees stand: (n, 3) x, ground, z; kept off railway, buildings, fields, the camera's
    `path` (m, 3), steep rock and sand."""
    x, z = rng.uniform(-232, 232, (2, 9000))
    y = land.height(x, z)
    slope = np.hypot(land.height(x + 2, z) - y, land.height(x, z + 2) - y) / 2
    density = 0.15 + 0.85 * (Noise(rng)(x, z, 60.0, 2) > 0.12)
    keep = (y > 2.6) & (y < 47) & (slope < 0.85) & (rng.random(len(x)) < density * 0.46)
    keep &= land.track_distance(x, z) > 7.5
    for (cx, cz), radius in [(VILLAGE, 34), (LIGHTHOUSE, 13), *((m, 15) for m in MILLS)]:
        keep &= np.hypot(x - cx, z - cz) > radius
    for cx, cz, _ in FIELDS:
        keep &= np.hypot(x - cx, z - cz) > 23
    x, y, z = x[keep], y[keep], z[keep]
    gap = np.hypot(x[:, None] - path[::4, 0], z[:, None] - path[::4, 2])
    low = path[::4, 1] < y[:, None] + 15
    free = np.where(low, gap, 1e9).min(axis=1) > 9
    return np.stack([x, y, z], 1)[free]


def trees(land: Land, rng: np.random.Generator, path: np.ndarray) -> tuple[Soup, np.ndarray]:
    """All trees, and their (n, 4) x, z, radius, top for shadows and the camera's floor.

    Trees that the flight never comes near are simpler: half the triangles of the whole wood,
    without anything that switches, and so pops, during the flight.
    """
    places = tree_places(land, rng, path)
    near_path = np.hypot(*(places[:, None, [0, 2]] - path[None, ::6, [0, 2]]).T).min(axis=0) < 48
    templates = [tree_templates(rng, near) for near in (True, False)]
    high = rng.random(len(places)) < 0.25 + (places[:, 1] - 12) / 22
    leafy = rng.integers(CONIFERS, len(templates[0]), len(places))
    kind = np.where(high, rng.integers(0, CONIFERS, len(places)), leafy)
    scale = rng.uniform(0.7, 1.35, len(places))
    soups = []
    for near, row in zip((True, False), templates, strict=True):
        for number, template in enumerate(row):
            mine = (kind == number) & (near_path == near)
            soups.append(planted(template, places[mine], scale[mine], rng))
    tops = places[:, 1] + np.where(high, 8.0, 6.2) * scale
    return join(soups), np.stack([places[:, 0], places[:, 2], 2.2 * scale, tops], 1)


def planted(
    template: Soup, places: np.ndarray, scale: np.ndarray, rng: np.random.Generator
) -> Soup:
    """Copies of a template at places (n, 3), each turned, scaled and tinted by itself."""
    count, faces = len(places), len(template.corners)
    yaw = rng.uniform(0, 2 * np.pi, count)
    sin, cos, zero, one = np.sin(yaw), np.cos(yaw), np.zeros(count), np.ones(count)
    turn = np.stack([cos, zero, sin, zero, one, zero, -sin, zero, cos], 1).reshape(count, 3, 3)
    corners = np.einsum("nij,tcj->ntci", turn * scale[:, None, None], template.corners)
    corners = corners + places[:, None, None, :]
    tint = rng.uniform(0.86, 1.14, (count, 1, 3)) * rng.uniform(0.92, 1.08, (count, faces, 1))
    colors = np.clip(template.colors * tint, 0, 1)
    return Soup(corners.reshape(-1, 3, 3), colors.reshape(-1, 3))
