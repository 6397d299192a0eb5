"""The demo world as vertex data: baked sunlight and shadow, chunks for culling, water, sky."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylizer.source.demo.camera import FloorMap, Rails
from stylizer.source.demo.land import SUN, Land, grid_triangles, ring_grid
from stylizer.source.demo.movers import Movers
from stylizer.source.demo.props import buildings, everything
from stylizer.source.demo.shapes import Soup, join, share_vertices

# Smaller chunks cull and sort better, but each costs a draw call (20-35 us on llvmpipe).
GROUND_CHUNK, WATER_CHUNK = 63.0, 126.0
LIFT = np.array([0.0, 0.5, 0.0])  # meters that waves can move the water


@dataclass(frozen=True, eq=False)
class Mesh:
    """Vertex bytes (structured array), indices (n, 3), and chunks to cull and sort.

    chunks: first and count of triangles int (k, 2); low, high: corners of their boxes (k, 3).
    """

    vertices: np.ndarray
    indices: np.ndarray
    chunks: np.ndarray
    low: np.ndarray
    high: np.ndarray


class World:
    """Everything of one seed that does not depend on the picture's size."""

    def __init__(self, seed: int) -> None:
        self.land = land = Land(seed)
        solid = buildings(land, seed)
        self.low_floor = FloorMap(land, solid[1], widen=0)  # without trees
        self.rails = Rails(FloorMap(land, solid[1], widen=2))
        props, obstacles = everything(land, seed, self.rails.path, solid)
        self.floor = FloorMap(land, obstacles, widen=1)
        self.movers = Movers(land, seed)
        self.ground = static_mesh(land, land.faces(seed), props, obstacles)
        self.water = water_mesh(land, seed)
        self.moving = mover_mesh(self.movers)
        self.sky = sky_mesh()


def sunlit(albedo: np.ndarray, normal: np.ndarray, sun: np.ndarray) -> np.ndarray:
    """`lit` of demo_light.glsl with a shadow: albedo, normal (n, 3), sun (n,) 0..1."""
    up = normal[:, 1:2] * 0.5 + 0.5
    ambient = np.array((0.34, 0.31, 0.30)) * (1 - up) + np.array((0.50, 0.57, 0.68)) * up
    direct = np.maximum(normal @ SUN, 0) * sun
    return np.clip(albedo * (ambient + np.array((0.80, 0.68, 0.48)) * direct[:, None]), 0, 1)


class Shadows:
    """How much sun reaches a point: a march over a height map of ground and what stands on it."""

    CELL, HALF = 2.0, 260.0

    def __init__(self, land: Land, obstacles: np.ndarray) -> None:
        axis = np.arange(-self.HALF, self.HALF + 1, self.CELL)
        self._top = land.height_map(self.HALF, self.CELL).copy()
        i, j = (np.round((obstacles[:, k] + self.HALF) / self.CELL).astype(int) for k in (0, 1))
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                a, b = np.clip(i + di, 0, len(axis) - 1), np.clip(j + dj, 0, len(axis) - 1)
                np.maximum.at(self._top, (a, b), obstacles[:, 3] - 1.5)

    def sun_at(self, points: np.ndarray, start: float) -> np.ndarray:
        """1 in full sun, 0 in shadow, soft over 2 m: points (n, 3), marching from `start` m on."""
        light = np.ones(len(points))
        for far in np.concatenate([np.arange(start, 30, 2.0), np.arange(30, 130, 5.0)]):
            at = points + SUN * far
            i, j = (np.round((at[:, k] + self.HALF) / self.CELL).astype(int) for k in (0, 2))
            inside = (np.minimum(i, j) >= 0) & (np.maximum(i, j) < len(self._top))
            n = len(self._top) - 1
            top = self._top[np.clip(i, 0, n), np.clip(j, 0, n)]
            light = np.where(
                inside, np.minimum(light, np.clip((at[:, 1] - top) / 2 + 0.5, 0, 1)), light
            )
        return light


def static_mesh(land: Land, ground: Soup, props: Soup, obstacles: np.ndarray) -> Mesh:
    """Ground and props with the light baked in, in chunks of 63 m (outside the island 600 m)."""
    center = ground.corners.mean(axis=1)
    shade = Shadows(land, obstacles).sun_at(center + LIFT, 3.0)
    light = sunlit(ground.colors, ground.normals(), 0.25 + 0.75 * shade)
    bare = Shadows(land, np.zeros((0, 4)))
    middle = props.corners.mean(axis=1)
    shade = bare.sun_at(middle + 2 * LIFT, 4.0)
    prop_light = sunlit(props.colors, props.normals(), 0.2 + 0.8 * shade)
    everything = join([Soup(ground.corners, light), Soup(props.corners, prop_light)])
    return chunked(everything)


def chunk_numbers(center: np.ndarray, side: float) -> np.ndarray:
    """A number for each triangle's chunk, from its center (n, 3)."""
    inner = np.abs(center[:, [0, 2]]).max(axis=1) < 256
    near = np.floor((center[:, [0, 2]] + 252) / side)
    far = np.floor((center[:, [0, 2]] + 3000) / 1000) + 100
    cell = np.where(inner[:, None], near, far).astype(int)
    return cell[:, 0] * 1000 + cell[:, 1]


def boxes(corners: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(chunks (k, 2), low, high (k, 3)) of triangles that are sorted by chunk number."""
    _, first, count = np.unique(numbers, return_index=True, return_counts=True)
    low = np.minimum.reduceat(corners.min(axis=1), first)
    high = np.maximum.reduceat(corners.max(axis=1), first)
    return np.stack([first, count], 1), low, high


def chunked(soup: Soup) -> Mesh:
    """A soup of final colors as an indexed, chunked mesh: position 3f4, color 4u1."""
    order = np.argsort(chunk_numbers(soup.corners.mean(axis=1), GROUND_CHUNK), kind="stable")
    corners, colors = soup.corners[order], soup.colors[order]
    positions, owner, indices = share_vertices(corners)
    vertices = np.zeros(len(positions), [("position", "f4", 3), ("color", "u1", 4)])
    vertices["position"] = positions
    vertices["color"][:, :3] = np.round(colors[owner] * 255)
    vertices["color"][:, 3] = 255
    numbers = chunk_numbers(corners.mean(axis=1), GROUND_CHUNK)
    return Mesh(vertices, indices, *boxes(corners, numbers))


def water_mesh(land: Land, seed: int) -> Mesh:
    """The sea as far as the horizon, without what lies under the island."""
    rng = np.random.default_rng([seed, 6])
    axis = np.linspace(-264, 264, 49)
    square = np.stack(np.meshgrid(axis, axis, indexing="ij"), 2)
    square = square + rng.uniform(-2.2, 2.2, square.shape)
    near = grid_triangles(np.insert(square, 1, 0.0, axis=2), rng)
    near = near[np.hypot(near[:, :, 0], near[:, :, 2]).max(axis=1) < 264]
    # The far sea lies a hand lower and begins under the near one: no crack shows from above.
    ring = ring_grid(240.0, 2900.0, 13, 60, rng)
    far = grid_triangles(np.insert(ring, 1, -0.12, axis=2), rng)
    corners = np.concatenate([near, far])
    ground = land.height(corners[:, :, 0], corners[:, :, 2])
    corners = corners[ground.min(axis=1) < 0.9]
    corners = corners[np.argsort(chunk_numbers(corners.mean(axis=1), WATER_CHUNK), kind="stable")]
    positions, owner, indices = share_vertices(corners)
    center = corners.mean(axis=1)[owner]
    vertices = np.zeros(len(positions), [("position", "f4", 3), ("extra", "f4", 3)])
    vertices["position"] = positions
    vertices["extra"][:, 0] = -land.height(center[:, 0], center[:, 2])
    vertices["extra"][:, 1] = np.clip((236 - np.hypot(*positions[:, [0, 2]].T)) / 60, 0, 1)
    vertices["extra"][:, 2] = rng.uniform(-1, 1, len(corners))[owner]
    chunks, low, high = boxes(corners, chunk_numbers(corners.mean(axis=1), WATER_CHUNK))
    return Mesh(vertices, indices, chunks, low - LIFT, high + LIFT)


def mover_mesh(movers: Movers) -> Mesh:
    """All moving parts: position, normal 3f4, color 4u1, part i4; one chunk a part, its box in
    the part's own place."""
    blocks, faces, chunks, start = [], [], [], 0
    for number, piece in enumerate(movers.soups):
        positions, owner, indices = share_vertices(piece.corners)
        v = np.zeros(
            len(positions),
            [("position", "f4", 3), ("normal", "f4", 3), ("color", "u1", 4), ("part", "i4")],
        )
        normals = piece.normals()[owner]
        if number in movers.cloud_parts:  # light comes through them: softer, brighter below
            normals = normals + np.array([0.0, 0.7, 0.0])
            normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        v["position"], v["normal"], v["part"] = positions, normals, number
        v["color"][:, :3] = np.round(piece.colors[owner] * 255)
        v["color"][:, 3] = 115 if number in movers.cloud_parts else 255
        chunks.append((sum(len(f) for f in faces), len(indices)))
        blocks.append(v)
        faces.append(indices + start)
        start += len(v)
    low = np.stack([s.corners.min(axis=(0, 1)) for s in movers.soups])
    high = np.stack([s.corners.max(axis=(0, 1)) for s in movers.soups])
    return Mesh(np.concatenate(blocks), np.concatenate(faces), np.array(chunks), low, high)


def sky_mesh() -> Mesh:
    """The patch with the sun, then the dome: direction 3f4, disc 2f4 (-1: dome)."""
    disc, low_y = sun_patch(), np.radians([-4, 0, 3, 7, 12, 18, 26, 37, 55, 90])
    turn = np.linspace(0, 2 * np.pi, 33)
    a, e = np.meshgrid(turn, low_y, indexing="ij")
    points = np.stack([np.cos(a) * np.cos(e), np.sin(e), np.sin(a) * np.cos(e)], 2)
    columns = len(low_y)
    i, j = np.meshgrid(np.arange(len(turn) - 1), np.arange(columns - 1), indexing="ij")
    corner = (i * columns + j).reshape(-1)
    quads = np.stack([corner, corner + columns, corner + columns + 1, corner + 1], 1)
    dome = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]) + len(disc[0])
    vertices = np.zeros(len(disc[0]) + a.size, [("direction", "f4", 3), ("disc", "f4", 2)])
    vertices["direction"] = np.concatenate([disc[0], points.reshape(-1, 3)])
    vertices["disc"] = np.concatenate([disc[1], np.full((a.size, 2), (0.0, -1.0))])
    indices = np.concatenate([disc[2], dome]).astype(np.int32)
    levels = np.array([[0, len(indices)]])
    return Mesh(vertices, indices, levels, np.full((1, 3), -1.0), np.full((1, 3), 1.0))


def sun_patch() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A round patch of sky around the sun: (directions (v, 3), disc (v, 2), indices (n, 3))."""
    side = np.cross(SUN, (0, 1, 0)) / np.linalg.norm(np.cross(SUN, (0, 1, 0)))
    up = np.cross(side, SUN)
    rings = np.radians([0, 2.1, 2.15, 3.2, 5.0, 8.0, 14.0])
    inside = np.array([1, 1, 0, 0, 0, 0, 0.0])
    halo = np.array([1, 1, 0.62, 0.43, 0.24, 0.10, 0.0])
    angle = np.arange(24) * 2 * np.pi / 24
    r, a = np.meshgrid(rings, angle, indexing="ij")
    r, a = r[..., None], a[..., None]
    points = SUN * np.cos(r) + (side * np.cos(a) + up * np.sin(a)) * np.sin(r)
    i, j = np.meshgrid(np.arange(len(rings) - 1), np.arange(24), indexing="ij")
    one, two = i * 24 + j, i * 24 + (j + 1) % 24
    quads = np.stack([one, two, two + 24, one + 24], -1).reshape(-1, 4)
    indices = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    disc = np.stack([np.repeat(inside, 24), np.repeat(halo, 24)], 1)
    return points.reshape(-1, 3), disc, indices
