"""What moves in the demo scene: train, boats, mill sails, balloons, birds, smoke and clouds.

Each mover is a set of rigid parts of one mesh; `part_matrices(t)` gives every part's place at a
scene time, a pure function of seed and time, so that the next frame's place is known exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stylizer.source.demo.land import MILLS, TRACK_Y, Land
from stylizer.source.demo.props import RED, WHITE, mill_yaw
from stylizer.source.demo.shapes import (
    Color,
    Soup,
    ball,
    box,
    bumped,
    doubled,
    from_faces,
    frustum,
    gable,
    join,
)
from stylizer.source.demo.trees import WOOD

TRAIN_CARS, BOATS, BALLOONS, BIRDS, PUFFS, CLOUDS = 5, 4, 4, 11, 8, 18
TRAIN_SPEED = 15.0  # meters a second
PUFF_EVERY_S, PUFF_LIFE_S = 0.45, 3.6


@dataclass(frozen=True, eq=False)
class Placed:
    """Places of n parts: turned by `roll` about z, then `yaw` about y (radians, (n,)), scaled by
    `scale` (n,), then shifted to `at` (n, 3)."""

    yaw: np.ndarray
    at: np.ndarray
    roll: np.ndarray | float = 0.0
    scale: np.ndarray | float = 1.0


def matrices(groups: Sequence[Placed]) -> np.ndarray:
    """Model matrices float64 (n, 4, 4) of all groups in order."""
    counts = [len(g.yaw) for g in groups]
    yaw = np.concatenate([g.yaw for g in groups])
    roll = np.concatenate([np.broadcast_to(g.roll, n) for g, n in zip(groups, counts, strict=True)])
    scale = np.concatenate(
        [np.broadcast_to(g.scale, n) for g, n in zip(groups, counts, strict=True)]
    )
    sy, cy, sr, cr = np.sin(yaw), np.cos(yaw), np.sin(roll), np.cos(roll)
    m = np.zeros((len(yaw), 4, 4))
    m[:, 0, 0], m[:, 0, 1], m[:, 0, 2] = cy * cr, -cy * sr, sy
    m[:, 1, 0], m[:, 1, 1] = sr, cr
    m[:, 2, 0], m[:, 2, 1], m[:, 2, 2] = -sy * cr, sy * sr, cy
    m *= scale[:, None, None]
    m[:, :3, 3], m[:, 3, 3] = np.concatenate([g.at for g in groups]), 1
    return m


def locomotive() -> Soup:
    """Faces +z."""
    black: Color = (0.20, 0.22, 0.27)
    boiler = frustum(8, 1.15, 1.15, 4.6, (0.16, 0.42, 0.34))
    laid = boiler.corners[:, :, [0, 2, 1]][:, ::-1]  # y to z, winding kept
    parts = [box((2.3, 0.9, 7.4), black, True).moved((0, 0.5, 0))]
    parts.append(Soup(laid, boiler.colors).moved((0, 2.3, -1.0)))
    parts.append(box((2.5, 2.6, 2.4), RED).moved((0, 1.4, -2.4)))
    parts.append(box((2.9, 0.3, 2.9), black, True).moved((0, 4.0, -2.4)))
    parts.append(frustum(6, 0.35, 0.55, 1.4, black).moved((0, 3.2, 2.7)))
    parts.append(box((2.5, 0.5, 0.4), RED, True).moved((0, 0.8, 3.8)))
    return join(parts)


def wagon(color: Color) -> Soup:
    """A passenger car with a band of windows."""
    parts = [box((2.4, 2.9, 7.6), color, True).moved((0, 0.6, 0))]
    parts.append(box((2.5, 0.9, 6.6), (0.98, 0.90, 0.66), True).moved((0, 2.0, 0)))
    parts.append(gable((8.0, 0.6, 2.8), (0.30, 0.32, 0.38), color).moved((0, 3.5, 0), np.pi / 2))
    return join(parts)


def boat(sail: Color) -> Soup:
    """A sailing boat, bow to +z."""
    hull = [(-1.1, 1.0, -2.6), (1.1, 1.0, -2.6), (0, 1.2, 3.6), (-0.6, -0.7, -2.2)]
    hull += [(0.6, -0.7, -2.2), (0, -0.7, 2.2), (-1.3, 1.0, 0.4), (1.3, 1.0, 0.4)]
    faces = [(1, 7, 5, 4), (7, 2, 5), (6, 0, 3, 5), (2, 6, 5), (0, 1, 4, 3)]
    body = from_faces(hull, faces, WOOD)
    deck = from_faces(hull, [(0, 6, 2, 7, 1)], (0.80, 0.64, 0.42))
    cloth = from_faces([(0, 1.8, -2.4), (0, 1.8, 0.5), (0, 9.4, 0.5)], [(0, 1, 2)], sail)
    jib = from_faces([(0, 1.6, 0.9), (0, 1.6, 3.4), (0, 7.6, 0.7)], [(0, 1, 2)], WHITE)
    mast = box((0.18, 9.0, 0.18), WOOD).moved((0, 0.8, 0.6))
    return join([body, deck, mast, doubled(cloth), doubled(jib)])


def mill_sails() -> Soup:
    """Four sails around the origin in the x, y plane."""
    parts = []
    for k in range(4):
        arm = box((0.35, 8.4, 0.3), WOOD, True)
        points = [(0.15, 1.6, 0.1), (1.9, 1.6, -0.15), (1.9, 8.3, -0.15), (0.15, 8.3, 0.1)]
        sail = join([arm, doubled(from_faces(points, [(0, 1, 2, 3)], (0.96, 0.92, 0.80)))])
        quarter = matrices([Placed(np.zeros(1), np.zeros((1, 3)), k * np.pi / 2)])[0, :3, :3]
        parts.append(Soup(sail.corners @ quarter.T, sail.colors))
    return join(parts)


def balloon(first: Color, second: Color) -> Soup:
    """A hot-air balloon, striped, 14 m tall."""
    profile = [(-5.6, 1.0), (-2.6, 3.4), (0.6, 4.7), (3.2, 4.1), (4.8, 2.4), (5.4, 0.0)]
    rings = [
        frustum(12, low, high, top - y, first).moved((0, y, 0))
        for (y, low), (top, high) in pairwise(profile)
    ]
    corners = join(rings).corners
    flat = np.abs(np.ptp(corners[:, :, 1], axis=1)) > 1e-6  # no lids between the rings
    corners = corners[flat]
    center = corners.mean(axis=1)
    stripe = np.floor(np.arctan2(center[:, 2], center[:, 0]) / (np.pi / 3)) % 2 == 0
    colors = np.where(stripe[:, None], first, second)
    band = np.abs(center[:, 1] - 0.6) < 0.9
    colors = np.where(band[:, None], (0.98, 0.94, 0.84), colors)
    basket = box((1.5, 1.3, 1.5), (0.62, 0.42, 0.24), True).moved((0, -8.4, 0))
    ropes = [
        box((0.08, 3.2, 0.08), WOOD).moved((x, -7.2, z)) for x in (-0.6, 0.6) for z in (-0.6, 0.6)
    ]
    return join([Soup(corners, colors), basket, *ropes])


def bird(shade: float) -> tuple[Soup, Soup]:
    """(body, right wing hinged at the origin); the left wing is the mirrored one."""
    gray: Color = (shade, shade, shade * 1.04)
    points = [(0, 0, 0.9), (0.22, 0.05, 0), (-0.22, 0.05, 0), (0, -0.16, 0), (0, 0.02, -0.8)]
    body = from_faces(
        points, [(0, 1, 2), (0, 3, 1), (0, 2, 3), (4, 2, 1), (4, 1, 3), (4, 3, 2)], gray
    )
    points = [(0, 0, 0.4), (0, 0, -0.35), (1.0, 0.1, -0.25), (1.9, 0.0, -0.35), (1.0, 0.1, 0.3)]
    wing = doubled(from_faces(points, [(0, 4, 2, 1), (4, 3, 2)], gray))
    return body, wing


def cloud(rng: np.random.Generator) -> Soup:
    """A heap of flattened balls, about 60 m wide, without the faces that lie inside it."""
    lumps, shapes = [], []
    for k in range(int(rng.integers(4, 7))):
        size = rng.uniform(13, 21) * (1.0 if k else 1.35)
        radius = np.array((size, size * 0.62, size))
        far = rng.uniform(10, 34) * (-1) ** k if k else 0.0
        at = np.array((far, rng.uniform(-2, 4) + size * 0.3, rng.uniform(-13, 13)))
        lump = bumped(ball(1, (1.0, 0.99, 0.97)), rng, 0.07)
        lumps.append(lump.moved(at, rng.uniform(0, 6), radius))
        shapes.append((at, radius))
    heap = join(lumps)
    part = np.repeat(np.arange(len(lumps)), [len(s.corners) for s in lumps])
    kept = np.ones(len(part), bool)
    for k, (at, radius) in enumerate(shapes):
        deep = np.linalg.norm((heap.corners - at) / radius, axis=2).max(axis=1) < 0.9
        kept &= ~deep | (part == k)
    return Soup(heap.corners[kept], heap.colors[kept])


class Movers:
    """Meshes and motion of everything that moves, for one seed."""

    def __init__(self, land: Land, seed: int) -> None:
        rng = np.random.default_rng([seed, 5])
        self._land = land
        self._track_m = float(np.linalg.norm(np.roll(land.track, -1, 0) - land.track, axis=1).sum())
        self._mill_y = land.height(*np.array(MILLS).T)
        self._phase = rng.uniform(0, 2 * np.pi, 64)
        self.soups = [*self._vehicles(), *self._sky(rng)]

    def _vehicles(self) -> list[Soup]:
        paints: list[Color] = [(0.78, 0.30, 0.22), (0.24, 0.40, 0.60), (0.90, 0.70, 0.30)]
        sails: list[Color] = [WHITE, (0.90, 0.42, 0.24), (0.96, 0.86, 0.56), (0.70, 0.24, 0.26)]
        cars = [wagon(paints[k % 3]) for k in range(TRAIN_CARS - 1)]
        return [locomotive(), *cars, *[boat(c) for c in sails], *[mill_sails() for _ in MILLS]]

    def _sky(self, rng: np.random.Generator) -> list[Soup]:
        paints: list[tuple[Color, Color]] = [(RED, (0.98, 0.82, 0.32)), ((0.22, 0.46, 0.72), WHITE)]
        paints += [
            ((0.95, 0.56, 0.20), (0.56, 0.26, 0.50)),
            ((0.26, 0.58, 0.42), (0.96, 0.88, 0.50)),
        ]
        puff = ball(0, (0.92, 0.91, 0.92))
        body, wing = bird(0.92)
        left = Soup((wing.corners * (-1, 1, 1))[:, ::-1], wing.colors)
        clouds = []
        for k in range(CLOUDS):
            layer, angle = k % 3, (k + rng.uniform(-0.3, 0.3)) * 2 * np.pi / CLOUDS
            far = rng.uniform(480, 640) + 170 * layer
            at = (far * np.cos(angle), rng.uniform(105, 135) + 48 * layer, far * np.sin(angle))
            clouds.append(cloud(rng).moved(at, -angle + np.pi / 2, 0.9 + 0.35 * layer))
        flock = [s for _ in range(BIRDS) for s in (body, wing, left)]
        return [*[balloon(*p) for p in paints], *[puff] * PUFFS, *flock, *clouds]

    @property
    def cloud_parts(self) -> range:
        """Numbers of the parts that are clouds: fog takes less of them."""
        return range(len(self.soups) - CLOUDS, len(self.soups))

    def part_matrices(self, t: float) -> np.ndarray:
        """Model matrices float64 (parts, 4, 4) at scene time t seconds, in the order of soups."""
        groups = [self._train(t), self._boats(t), self._mills(t), self._balloons(t)]
        return matrices([*groups, self._puffs(t), self._birds(t), self._clouds(t)])

    def _on_track(self, meters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(places (n, 3), yaw (n,)) of points that far along the line."""
        track = self._land.track
        at = np.mod(meters / self._track_m, 1) * len(track)
        low = np.floor(at).astype(int)
        share = (at - low)[:, None]
        a, b, c = (track[(low + k) % len(track)] for k in range(3))
        flat = a * (1 - share) + b * share
        ahead = (b - a) * (1 - share) + (c - b) * share
        places = np.stack([flat[:, 0], np.full(len(flat), TRACK_Y), flat[:, 1]], 1)
        return places, np.arctan2(ahead[:, 0], ahead[:, 1])

    def _train(self, t: float) -> Placed:
        at, yaw = self._on_track(TRAIN_SPEED * t - 8.6 * np.arange(TRAIN_CARS))
        return Placed(yaw, at)

    def _puffs(self, t: float) -> Placed:
        """Puff k leaves the chimney every PUFF_EVERY_S * PUFFS seconds; it has size 0 at both ends
        of its life, so that being used again is never seen."""
        born = (np.floor(t / PUFF_EVERY_S) - np.arange(PUFFS)) * PUFF_EVERY_S
        slot = np.mod(np.round(born / PUFF_EVERY_S).astype(int), PUFFS)
        age = (t - born) / PUFF_LIFE_S
        at, yaw = self._on_track(TRAIN_SPEED * born)
        at = at + np.stack([np.sin(yaw) * 2.7, np.full(PUFFS, 4.4), np.cos(yaw) * 2.7], 1)
        at = at + np.stack([age * 3.0, age * 8.0, age * -2.0], 1)
        size = 0.35 + 1.5 * age
        size = size * np.clip(age * 10, 0, 1) * np.clip((1 - age) * 3, 0, 1)
        order = np.argsort(slot)
        return Placed((yaw + age)[order], at[order], 0.0, np.maximum(size, 0)[order])

    def _boats(self, t: float) -> Placed:
        phase = self._phase[:BOATS]
        center = np.array([(2, 104), (20, 126), (70, 214), (-20, 232)])
        radius = np.array([(26, 20), (24, 13), (42, 20), (60, 26)])
        angle = phase + t * np.array([0.10, -0.13, 0.07, -0.06])
        x, z = (center + radius * np.stack([np.cos(angle), np.sin(angle)], 1)).T
        side = np.sign([0.10, -0.13, 0.07, -0.06])
        yaw = np.arctan2(-np.sin(angle) * radius[:, 0] * side, np.cos(angle) * radius[:, 1] * side)
        lift = 0.12 * np.sin(t * 1.3 + phase)
        lean = 0.10 + 0.05 * np.sin(t * 0.9 + phase * 2)
        return Placed(yaw, np.stack([x, lift, z], 1), lean)

    def _mills(self, t: float) -> Placed:
        x, z = np.array(MILLS).T
        yaw = np.array([mill_yaw(*m) for m in MILLS])
        at = np.stack([x, self._mill_y + 11.5, z], 1)
        at = at + 3.9 * np.stack([np.sin(yaw), np.zeros(len(yaw)), np.cos(yaw)], 1)
        return Placed(yaw, at, self._phase[8:10] + t * np.array([0.8, 0.65]))

    def _balloons(self, t: float) -> Placed:
        phase = self._phase[12 : 12 + BALLOONS]
        base = np.array([(-34, 58, 74), (66, 78, 128), (-150, 66, 140), (40, 92, 20)], np.float64)
        drift = np.stack([14 * np.sin(t * 0.06 + phase), 4 * np.sin(t * 0.21 + phase)], 1)
        at = base + np.stack([drift[:, 0], drift[:, 1], 12 * np.cos(t * 0.05 + phase)], 1)
        return Placed(phase + t * 0.05, at)

    def _birds(self, t: float) -> Placed:
        """A loose V that circles over the bay; three parts a bird: body, right and left wing."""
        rank = np.arange(BIRDS)
        lag = (rank + 1) // 2 * 0.045
        angle = t * 0.16 + 1.0 - lag
        radius = 78 + ((rank % 2) * 2 - 1) * ((rank + 1) // 2) * 2.6
        x, z = 6 + radius * np.cos(angle), 84 + radius * np.sin(angle) * 0.9
        y = 26 + 3 * np.sin(t * 0.4 + rank * 0.5) + rank * 0.25
        yaw = np.arctan2(-np.sin(angle), np.cos(angle) * 0.9)
        at = np.stack([x, y, z], 1)
        flap = 0.15 + 0.55 * np.sin(t * 7.5 + rank * 1.9)
        roll = 0.18 + np.stack([np.zeros(BIRDS), flap, -flap], 1)
        return Placed(np.repeat(yaw, 3), np.repeat(at, 3, axis=0), roll.reshape(-1), 1.25)

    def _clouds(self, t: float) -> Placed:
        """They wander around the island, the higher the slower."""
        yaw = t * np.resize([0.0040, 0.0031, 0.0024], CLOUDS)
        return Placed(yaw, np.zeros((CLOUDS, 3)))
