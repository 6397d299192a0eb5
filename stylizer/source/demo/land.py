"""The demo island: its height, its railway line, its colors; numpy only, all from one seed.

x east, y up, z south, in meters; the sea lies at y = 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stylizer.source.demo.shapes import Soup

SUN = np.array([-0.52, 0.37, 0.77]) / np.linalg.norm([-0.52, 0.37, 0.77])  # as in demo_light.glsl
HALF = 250.0  # the finely meshed square reaches from -HALF to HALF
CELL = 500 / 84
TRACK_Y = 6.0
VILLAGE = (112.0, 44.0)
MILLS = ((-136.0, 28.0), (-118.0, 62.0))
LIGHTHOUSE = (-92.0, 186.0)
TOGETHER = 2048  # places whose distances fit into a core's cache: 4 MB
FIELDS = ((66.0, -44.0, 0.3), (104.0, -58.0, 0.3), (118.0, -14.0, 0.1), (42.0, -66.0, 0.5))


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between; `low` may be the larger."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def circular_smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing along the first axis of a closed curve; sigma in samples."""
    count = len(values)
    frequency = np.fft.rfftfreq(count)
    gain = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
    shape = (-1,) + (1,) * (values.ndim - 1)
    return np.fft.irfft(np.fft.rfft(values, axis=0) * gain.reshape(shape), n=count, axis=0)


def closed_curve(keys: np.ndarray, samples: int, sigma: float) -> np.ndarray:
    """A smooth closed curve near the key points (k, d), evenly spaced by arc length of the first
    three coordinates: (samples, d)."""
    curve = keys
    for _ in range(2):  # corners are cut by the first smoothing: even out the speed once more
        loop = np.concatenate([curve, curve[:1]])
        steps = np.linalg.norm(np.diff(loop[:, :3], axis=0), axis=1)
        at = np.concatenate([[0], np.cumsum(steps)])
        wanted = np.linspace(0, at[-1], samples, endpoint=False)
        curve = np.stack([np.interp(wanted, at, loop[:, d]) for d in range(loop.shape[1])], 1)
        curve = circular_smooth(curve, sigma)
    return curve


class Noise:
    """Smooth seeded value noise, about -1..1, repeating after 64 lattice cells."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._lattice = rng.uniform(-1, 1, (64, 64))

    def __call__(self, x: np.ndarray, z: np.ndarray, size: float, octaves: int = 1) -> np.ndarray:
        """`size` in meters is the cell of the first octave; each next has half size and weight."""
        total = np.zeros(np.broadcast(x, z).shape)
        for octave in range(octaves):
            u, v = x / size * 2**octave + 17.3 * octave, z / size * 2**octave - 9.1 * octave
            total += self._once(u, v) * 0.5**octave
        return total

    def _once(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        i, j = np.floor(u).astype(int), np.floor(v).astype(int)
        s, t = u - i, v - j
        s, t = s * s * (3 - 2 * s), t * t * (3 - 2 * t)
        i, j, i1, j1 = i % 64, j % 64, (i + 1) % 64, (j + 1) % 64
        top = self._lattice[i, j] * (1 - s) + self._lattice[i1, j] * s
        return top * (1 - t) + (self._lattice[i, j1] * (1 - s) + self._lattice[i1, j1] * s) * t


def railway() -> np.ndarray:
    """The closed railway line, evenly spaced points (720, 2) of x, z."""
    keys = [(0, 152), (-62, 146), (-108, 108), (-100, 40), (-78, -14), (-30, -36), (30, -24)]
    keys += [(74, -14), (84, 12), (76, 66), (98, 104), (62, 146)]
    points = np.array([(x, TRACK_Y, z) for x, z in keys], np.float64)
    return closed_curve(points, 720, 18)[:, [0, 2]]


class Land:
    """Height and face colors of the island and the far peaks for one seed."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])
        self._shape, self._detail, self._patch = Noise(rng), Noise(rng), Noise(rng)
        self.track = railway()
        self._maps: dict[tuple[float, float], np.ndarray] = {}

    def height(self, x: ArrayLike, z: ArrayLike) -> np.ndarray:
        """Ground in meters at x, z (any equal shape); negative under water."""
        x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
        y = self._island(x, z)
        distance = self.track_distance(x, z)
        bed = np.where(y < 1.0, y, TRACK_Y - 0.55)  # over water the line runs on a viaduct
        return bed + (y - bed) * smoothstep(5.5, 22.0, distance)

    def height_map(self, half: float, cell: float) -> np.ndarray:
        """Ground from -half to half meters along x and z, a value each `cell` meters; not to be
        written into, for it is made once."""
        if (half, cell) not in self._maps:
            axis = np.arange(-half, half + 1, cell)
            self._maps[half, cell] = self.height(*np.meshgrid(axis, axis, indexing="ij"))
        return self._maps[half, cell]

    def track_distance(self, x: ArrayLike, z: ArrayLike) -> np.ndarray:
        """Meters to the railway line."""
        x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
        nearest = np.full(x.shape, 1e9)
        close = (np.abs(x) < 160) & (np.abs(z - 50) < 150)
        points, near_x, near_z = self.track[::3], x[close], z[close]
        found = np.empty(near_x.shape)
        for start in range(0, len(found), TOGETHER):
            part = slice(start, start + TOGETHER)
            gap = (near_x[part, None] - points[:, 0]) ** 2
            gap += (near_z[part, None] - points[:, 1]) ** 2
            found[part] = gap.min(axis=1)
        nearest[close] = np.sqrt(found)
        return nearest

    def _island(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        r = np.hypot(x, z)

        def hill(cx: float, cz: float, radius: float) -> np.ndarray:
            return np.exp(-((x - cx) ** 2 + (z - cz) ** 2) / radius**2)

        edge = r / 222 + 0.16 * self._shape(x, z, 90.0, 2)
        rolling = self._detail(x, z, 56.0, 3)
        y = -9 + smoothstep(1.02, 0.62, edge) * (17 + 4.5 * rolling)
        ridges = 1 - np.abs(self._detail(x, z, 44.0, 3))
        y = y + hill(-62, -132, 62) * (44 + 30 * ridges) + hill(28, -150, 48) * (26 + 16 * ridges)
        y = y + hill(-136, 34, 38) * 15 + hill(150, -96, 52) * (16 + 10 * ridges)
        y = y - hill(4, 110, 62) * 36 - hill(10, 176, 56) * 34
        flat = hill(*VILLAGE, 44) * 0.92  # the village and the cape stand on level ground
        y = y + (7.0 - y) * np.clip(flat, 0, 1)
        y = np.maximum(y, -9 + hill(*LIGHTHOUSE, 26) * (15.5 + 2 * rolling))
        far = smoothstep(430, 640, r) * smoothstep(0.05, 0.75, self._shape(x, z, 330.0))
        peaks = 1 - np.abs(self._detail(x, z, 210.0, 3))
        return y + far * (60 + 130 * peaks)

    def color(self, x: np.ndarray, y: np.ndarray, z: np.ndarray, up: np.ndarray) -> np.ndarray:
        """Albedo (n, 3) of faces with center x, y, z and normal's upward share `up`."""
        patch = self._patch(x, z, 38.0, 3)[:, None]
        fine = self._patch(x + 500, z - 500, 9.0, 2)[:, None]
        y, up = y[:, None], up[:, None]
        grass = np.where(patch > 0.28, (0.62, 0.70, 0.26), (0.38, 0.60, 0.25))
        grass = np.where(patch < -0.30, (0.24, 0.50, 0.27), grass)
        grass = np.where((fine > 0.62) & (patch > -0.1), (0.80, 0.72, 0.32), grass)
        rock = np.where(fine > 0.1, (0.55, 0.50, 0.47), (0.45, 0.42, 0.43))
        sand = np.array((0.92, 0.82, 0.58))
        snow = np.array((0.97, 0.98, 1.0))
        color = np.where(y < 1.9 + 0.6 * patch, sand, grass)
        color = np.where((up < 0.74) | (y > 36 + 6 * patch), rock, color)
        color = np.where((y > 48 + 9 * patch) & (up > 0.45), snow, color)
        far = np.hypot(x, z)[:, None] > 420
        color = np.where(far & (y < 60), (0.30, 0.47, 0.34), color)
        gravel = self.track_distance(x, z)[:, None] < 3.4
        return np.where(gravel & (y > 3), (0.60, 0.54, 0.46), color)

    def faces(self, seed: int) -> Soup:
        """The ground above water as triangles with their albedo."""
        rng = np.random.default_rng([seed, 2])
        axis = np.linspace(-HALF, HALF, round(2 * HALF / CELL) + 1)
        square = np.stack(np.meshgrid(axis, axis, indexing="ij"), 2)
        grids = [square + rng.uniform(-0.24, 0.24, square.shape) * CELL]
        grids.append(ring_grid(430.0, 1500.0, 13, 84, rng))  # nothing is above water between
        pieces = []
        for grid in grids:
            y = self.height(grid[..., 0], grid[..., 1])
            points = np.stack([grid[..., 0], y, grid[..., 1]], 2)
            pieces.append(grid_triangles(points, rng))
        corners = np.concatenate(pieces)
        corners = corners[corners[:, :, 1].max(axis=1) > -0.9]
        center = corners.mean(axis=1)
        plain = Soup(corners, np.zeros((len(corners), 3)))
        x, y, z = center.T
        color = self.color(x, y, z, plain.normals()[:, 1])
        return Soup(corners, color).tinted(rng, 0.07)


def ring_grid(
    near: float, far: float, rings: int, sides: int, rng: np.random.Generator
) -> np.ndarray:
    """x, z of a round grid (sides + 1, rings, 2) whose cells grow with the distance."""
    radius = near * (far / near) ** np.linspace(0, 1, rings)
    cell = 2 * np.pi / sides
    shake = rng.uniform(-0.22, 0.22, (2, sides, rings)) * cell
    shake[:, :, [0, -1]] = 0
    angle = (np.arange(sides) * 2 * np.pi / sides)[:, None] + shake[0]
    away = radius * (1 + shake[1])
    grid = np.stack([away * np.cos(angle), away * np.sin(angle)], 2)
    return np.concatenate([grid, grid[:1]])[::-1]  # turned so that grid_triangles faces up


def grid_triangles(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two triangles a cell of a grid (n, m, 3) with axes x, z; the diagonal falls at random, for
    an even diagonal everywhere shows as a pattern. Returns (2 * cells, 3, 3), facing up."""
    a, b = points[:-1, :-1].reshape(-1, 3), points[1:, :-1].reshape(-1, 3)
    c, d = points[1:, 1:].reshape(-1, 3), points[:-1, 1:].reshape(-1, 3)
    flip = rng.random(len(a))[:, None, None] < 0.5
    one = np.where(flip, np.stack([a, d, b], 1), np.stack([a, d, c], 1))
    two = np.where(flip, np.stack([b, d, c], 1), np.stack([a, c, b], 1))
    return np.stack([one, two], 1).reshape(-1, 3, 3)
