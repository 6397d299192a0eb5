"""Low-poly shapes for the demo scene: triangle soups, moved and joined with numpy.

A soup keeps its triangles counter-clockwise seen from outside, x east, y up, z south, meters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Color = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Soup:
    """Triangles with one color each: corners float64 (n, 3, 3), colors float64 (n, 3), 0..1."""

    corners: np.ndarray
    colors: np.ndarray

    def moved(
        self,
        offset: Sequence[float] | np.ndarray = (0, 0, 0),
        yaw: float = 0.0,
        scale: float | Sequence[float] | np.ndarray = 1.0,
    ) -> Soup:
        """Scaled, then turned by `yaw` radians about y, then shifted."""
        sin, cos = np.sin(yaw), np.cos(yaw)
        turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
        corners = (self.corners * np.asarray(scale)) @ turn.T + np.asarray(offset)
        return Soup(corners, self.colors)

    def tinted(self, rng: np.random.Generator, amount: float) -> Soup:
        """Each triangle a little lighter or darker, so that no surface is one flat color."""
        factor = 1 + rng.uniform(-amount, amount, (len(self.colors), 1))
        return Soup(self.corners, np.clip(self.colors * factor, 0, 1))

    def normals(self) -> np.ndarray:
        """Unit normals, float64 (n, 3)."""
        a, b, c = self.corners[:, 0], self.corners[:, 1], self.corners[:, 2]
        normal = np.cross(b - a, c - a)
        return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)


def join(soups: Sequence[Soup]) -> Soup:
    """All triangles of all soups, in order."""
    return Soup(
        np.concatenate([s.corners for s in soups]), np.concatenate([s.colors for s in soups])
    )


def from_faces(points: Sequence[Sequence[float]], faces: Sequence[Sequence[int]], c: Color) -> Soup:
    """Polygons (convex, counter-clockwise) cut into fans, all of one color."""
    triangles = [(f[0], f[i], f[i + 1]) for f in faces for i in range(1, len(f) - 1)]
    corners = np.asarray(points, np.float64)[np.asarray(triangles)]
    return Soup(corners, np.tile(np.asarray(c, np.float64), (len(corners), 1)))


def box(size: Sequence[float], color: Color, bottom: bool = False) -> Soup:
    """A box of (width x, height y, depth z) that stands on y = 0 around the origin."""
    x, y, z = size[0] / 2, size[1], size[2] / 2
    points = [(sx * x, sy * y, sz * z) for sy in (0, 1) for sz in (-1, 1) for sx in (-1, 1)]
    faces = [(2, 3, 7, 6), (3, 1, 5, 7), (1, 0, 4, 5), (0, 2, 6, 4), (6, 7, 5, 4)]
    return from_faces(points, [*faces, (0, 1, 3, 2)] if bottom else faces, color)


def gable(size: Sequence[float], color: Color, wall: Color) -> Soup:
    """A roof over (width x, height y, depth z), ridge along x, gable ends in the wall's color."""
    x, y, z = size[0] / 2, size[1], size[2] / 2
    points = [(-x, 0, -z), (x, 0, -z), (-x, 0, z), (x, 0, z), (-x, y, 0), (x, y, 0)]
    roof = from_faces(points, [(2, 3, 5, 4), (1, 0, 4, 5)], color)
    return join([roof, from_faces(points, [(3, 1, 5), (0, 2, 4)], wall)])


def frustum(sides: int, low: float, high: float, height: float, color: Color) -> Soup:
    """A round tower of `sides` sides: radius `low` at y = 0, `high` on top (0 makes a cone)."""
    angles = np.arange(sides) * (2 * np.pi / sides)
    ring = np.stack([np.cos(angles), np.zeros(sides), -np.sin(angles)], 1)
    after = np.roll(np.arange(sides), -1)
    bottom, top = ring * low, ring * high + [0, height, 0]
    parts = [np.stack([bottom, bottom[after], top[after]], 1)]
    if high > 0:
        parts.append(np.stack([bottom, top[after], top], 1))
        center = np.broadcast_to([0.0, height, 0.0], top.shape)
        parts.append(np.stack([top, top[after], center], 1))
    corners = np.concatenate(parts)
    return Soup(corners, np.tile(np.asarray(color, np.float64), (len(corners), 1)))


def ball(level: int, color: Color) -> Soup:
    """A unit sphere of 20 * 4**level triangles (subdivided icosahedron)."""
    g = (1 + 5**0.5) / 2
    plane = np.array([(-1, g, 0), (1, g, 0), (-1, -g, 0), (1, -g, 0)])
    points = np.concatenate([np.roll(plane, k, axis=1) for k in range(3)])
    faces = [(0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4)]
    faces += [(11, 10, 2), (10, 7, 6), (7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8)]
    faces += [(3, 8, 9), (4, 9, 5), (2, 4, 11), (6, 2, 10), (8, 6, 7), (9, 8, 1)]
    corners = points[np.array(faces)] / np.sqrt(1 + g * g)
    for _ in range(level):
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        quads = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        corners = np.concatenate([np.stack(q, 1) for q in quads])
        corners /= np.linalg.norm(corners, axis=2, keepdims=True)
    return Soup(corners, np.tile(np.asarray(color, np.float64), (len(corners), 1)))


def bumped(soup: Soup, rng: np.random.Generator, amount: float) -> Soup:
    """Corners pushed in or out from the origin by up to `amount` of their distance; closed
    shapes stay closed, since equal corners move alike."""
    flat = soup.corners.reshape(-1, 3)
    _, where = np.unique(np.round(flat, 5), axis=0, return_inverse=True)
    factor = 1 + rng.uniform(-amount, amount, where.max() + 1)
    return Soup((flat * factor[where.reshape(-1), None]).reshape(-1, 3, 3), soup.colors)


def doubled(soup: Soup) -> Soup:
    """Both sides of every triangle, for sails and wings (back faces are culled)."""
    return join([soup, Soup(soup.corners[:, ::-1], soup.colors)])


def share_vertices(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Index a soup so that every triangle's last vertex is its own.

    OpenGL takes a flat-shaded triangle's color from its last (provoking) vertex, so one vertex
    a triangle is enough for a color a face: a third of an unindexed soup's vertex work.
    corners: (n, 3, 3). Returns (positions float32 (v, 3), owner int (v,): the triangle whose
    color the vertex carries, indices int32 (n, 3)).
    """
    count = len(corners)
    keys = np.round(corners * 512).astype(np.int64) + (1 << 20)
    packed = (keys[..., 0] << 42) | (keys[..., 1] << 21) | keys[..., 2]
    _, point = np.unique(packed.reshape(-1), return_inverse=True)
    point = point.reshape(count, 3)  # (n, 3) number of the place of each corner
    vertex_at = np.full(point.max() + 1, -1)  # a vertex that lies at each place
    own = np.full(count, -1)
    for corner in range(3):
        free = np.nonzero((own < 0) & (vertex_at[point[:, corner]] < 0))[0]
        places, first = np.unique(point[free, corner], return_index=True)
        own[free[first]] = corner
        vertex_at[places] = free[first]
    own[own < 0] = 0
    rows = np.arange(count)
    lonely = np.nonzero(vertex_at < 0)[0]  # places no triangle owns: one more vertex each
    vertex_at[lonely] = count + np.arange(len(lonely))
    order = np.argsort(point.reshape(-1), kind="stable")
    flat = corners.reshape(-1, 3)
    extra = order[np.searchsorted(point.reshape(-1)[order], lonely)]
    positions = np.concatenate([corners[rows, own], flat[extra]]).astype(np.float32)
    owner = np.concatenate([rows, extra // 3])
    first, second = point[rows, (own + 1) % 3], point[rows, (own + 2) % 3]
    indices = np.stack([vertex_at[first], vertex_at[second], rows], 1).astype(np.int32)
    return positions, owner, indices
