"""The demo's camera: a closed flight on rails, which keys and mouse take over smoothly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stylizer.frame import InputState
from stylizer.source.demo.land import Land, circular_smooth, closed_curve

FLIGHT_FRAMES = 1200  # one round: 40 s at 30 frames a second
FRAME_S = 1 / 30
FIELD_OF_VIEW = np.radians(56)  # vertical
NEAR, FAR = 0.6, 3000.0
IDLE_S, RETURN_S = 4.0, 3.5  # without input before easing back; how long that takes
SPEED, REACTION_S = 26.0, 0.25  # meters a second at full axis; time to follow the keys
LOOK_RAD_PER_PX = 0.0032
MARGIN = 2.5  # meters the camera keeps above whatever lies below it

# x, height, z of the camera, then x, y, z of what it looks at
FLIGHT = (
    (56, 16, 252, 4, 12, 120),
    (24, 12, 196, 4, 10, 96),
    (14, 9, 128, 60, 8, 62),
    (46, 11, 84, 112, 14, 44),
    (82, 20, 60, 118, 14, 40),
    (122, 24, 12, 70, 8, -50),
    (92, 20, -34, -20, 22, -100),
    (28, 32, -58, -70, 50, -136),
    (-40, 48, -68, -136, 48, -20),
    (-96, 42, -44, -150, 56, 64),
    (-112, 36, 4, -90, 22, 90),
    (-108, 30, 60, -20, 6, 120),
    (-132, 22, 124, -92, 16, 186),
    (-136, 20, 196, -40, 18, 130),
    (-104, 42, 238, 20, 30, 90),
    (-44, 62, 236, 40, 44, 90),
    (26, 44, 272, 24, 18, 110),
)


@dataclass(frozen=True)
class Pose:
    """Where the camera is (x, y, z in meters) and looks: yaw 0 north, growing to the east, and
    pitch, growing upwards, in radians. It never rolls: the horizon stays level."""

    x: float
    y: float
    z: float
    yaw: float
    pitch: float

    def array(self) -> np.ndarray:
        return np.array([self.x, self.y, self.z, self.yaw, self.pitch])

    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Unit vectors right, up, forward."""
        sy, cy, sp, cp = np.sin(self.yaw), np.cos(self.yaw), np.sin(self.pitch), np.cos(self.pitch)
        right, forward = np.array([cy, 0, sy]), np.array([sy * cp, sp, -cy * cp])
        up = np.array([-sy * sp, cp, cy * sp])  # right x forward
        return right, up, forward


class FloorMap:
    """The lowest safe height for the camera: ground, buildings and trees, widened all around."""

    CELL, HALF = 4.0, 320.0

    def __init__(self, land: Land, obstacles: np.ndarray, widen: int) -> None:
        """obstacles (n, 4): x, z, radius, top; `widen` in cells of 4 m."""
        axis = np.arange(-self.HALF, self.HALF + 1, self.CELL)
        top = np.maximum(land.height_map(self.HALF, self.CELL), 0)
        reach = int(np.ceil(obstacles[:, 2].max() / self.CELL)) + 1 if len(obstacles) else 0
        i, j = (np.round((obstacles[:, k] + self.HALF) / self.CELL).astype(int) for k in (0, 1))
        for di in range(-reach, reach + 1):
            for dj in range(-reach, reach + 1):
                a, b = np.clip(i + di, 0, len(axis) - 1), np.clip(j + dj, 0, len(axis) - 1)
                near = np.hypot(axis[a] - obstacles[:, 0], axis[b] - obstacles[:, 1])
                hit = near < obstacles[:, 2] + self.CELL * 0.7
                np.maximum.at(top, (a[hit], b[hit]), obstacles[hit, 3])
        for _ in range(widen):
            top = _neighbors(top).max(axis=0)
        self._top = _neighbors(top).mean(axis=0)

    def __call__(self, x: np.ndarray | float, z: np.ndarray | float) -> np.ndarray:
        """Bilinear height at x, z in meters (any equal shape), clamped at the map's edge."""
        last = len(self._top) - 1.001
        u = np.clip((np.asarray(x) + self.HALF) / self.CELL, 0, last)
        v = np.clip((np.asarray(z) + self.HALF) / self.CELL, 0, last)
        i, j = u.astype(int), v.astype(int)
        s, t = u - i, v - j
        low = self._top[i, j] * (1 - s) + self._top[i + 1, j] * s
        return low * (1 - t) + (self._top[i, j + 1] * (1 - s) + self._top[i + 1, j + 1] * s) * t


def _neighbors(grid: np.ndarray) -> np.ndarray:
    """(9, n, m): the grid shifted by one cell every way, edges repeated."""
    padded = np.pad(grid, 1, mode="edge")
    n, m = grid.shape
    return np.stack([padded[i : i + n, j : j + m] for i in range(3) for j in range(3)])


class Rails:
    """The flight: one pose for each of FLIGHT_FRAMES frames, closed and smooth."""

    def __init__(self, floor: FloorMap) -> None:
        curve = closed_curve(np.array(FLIGHT, np.float64), FLIGHT_FRAMES, 26)
        need = floor(curve[:, 0], curve[:, 2]) + MARGIN
        # The flight keeps over the highest need of the next and last 0.7 s, then is smoothed.
        widest = np.max([np.roll(need, k) for k in range(-20, 21, 2)], axis=0)
        curve[:, 1] = circular_smooth(np.maximum(curve[:, 1], widest), 14)
        self.path = curve[:, :3]
        look = curve[:, 3:] - curve[:, :3]
        yaw = np.unwrap(np.arctan2(look[:, 0], -look[:, 2]))
        pitch = np.arctan2(look[:, 1], np.hypot(look[:, 0], look[:, 2]))
        self._turns = round((yaw[0] - yaw[-1]) / (2 * np.pi))  # whole turns in one round
        drift = -2 * np.pi * self._turns * np.arange(FLIGHT_FRAMES) / FLIGHT_FRAMES
        yaw = circular_smooth(yaw - drift, 10) + drift
        self._poses = np.column_stack([self.path, yaw, circular_smooth(pitch, 10)])

    def pose(self, time_s: float) -> Pose:
        """The pose at any scene time in seconds, linear between the flight's frames."""
        at = time_s / FRAME_S
        low = int(np.floor(at))
        share = at - low
        if share < 1e-6 or share > 1 - 1e-6:
            return Pose(*(float(v) for v in self._at(round(at))))
        return Pose(*(float(v) for v in self._at(low) * (1 - share) + self._at(low + 1) * share))

    def _at(self, frame: int) -> np.ndarray:
        rounds, index = divmod(frame, FLIGHT_FRAMES)
        pose = self._poses[index].copy()
        pose[3] -= 2 * np.pi * self._turns * rounds
        return pose


class Camera:
    """The rails, until keys or mouse take over; after IDLE_S without input it eases back."""

    def __init__(self, rails: Rails, floor: FloorMap) -> None:
        self._rails, self._floor = rails, floor
        self._free: Pose | None = None  # None: on the rails
        self._velocity = np.zeros(3)
        self._idle_s = 0.0

    def step(self, time_s: float, dt: float, inputs: InputState) -> Pose:
        """The pose at scene time `time_s`, `dt` seconds after the last call."""
        rail = self._rails.pose(time_s)
        if self._free is None and inputs.idle:
            return rail
        if self._free is None or (not inputs.idle and self._idle_s > IDLE_S):
            self._take_over(rail, dt, time_s)
        assert self._free is not None
        self._idle_s = self._idle_s + dt if inputs.idle else 0.0
        self._free = self._fly(self._free, dt, inputs)
        if self._idle_s >= IDLE_S + RETURN_S:
            self._free = None
            return rail
        return self._eased(self._free, rail)

    def _take_over(self, rail: Pose, dt: float, time_s: float) -> None:
        """Go on from what is seen now, at the speed of the flight."""
        before = self._rails.pose(time_s - FRAME_S).array()
        self._velocity = (rail.array() - before)[:3] / FRAME_S
        self._free = rail if self._free is None else self._eased(self._free, rail)
        self._idle_s = 0.0

    def _fly(self, pose: Pose, dt: float, inputs: InputState) -> Pose:
        yaw = pose.yaw + inputs.look_x * LOOK_RAD_PER_PX
        pitch = float(np.clip(pose.pitch - inputs.look_y * LOOK_RAD_PER_PX, -1.2, 1.2))
        right, _, forward = pose.axes()
        wanted = right * inputs.right + forward * inputs.forward + np.array([0, inputs.up, 0])
        follow = 1 - np.exp(-dt / REACTION_S)
        self._velocity = self._velocity + (SPEED * wanted - self._velocity) * follow
        here = np.array([pose.x, pose.y, pose.z])
        self._velocity[1] = max(self._velocity[1], self._climb(here))
        x, y, z = here + self._velocity * dt
        x, z = np.clip(x, -300, 300), np.clip(z, -300, 300)
        y = float(np.clip(y, MARGIN / 2, 150))
        return replace(pose, x=float(x), y=y, z=float(z), yaw=yaw, pitch=pitch)

    def _climb(self, here: np.ndarray) -> float:
        """The least upward speed, m/s: it closes the gap to the safe height here and half a second
        ahead within about 0.3 s, so that the camera neither dives in nor jumps."""
        ahead = here + 0.5 * self._velocity
        need = max(float(self._floor(p[0], p[2])) for p in (here, ahead)) + MARGIN
        return (need - here[1]) / 0.3

    def _eased(self, free: Pose, rail: Pose) -> Pose:
        share = np.clip((self._idle_s - IDLE_S) / RETURN_S, 0, 1)
        share = share * share * share * (share * (6 * share - 15) + 10)
        a, b = free.array(), rail.array()
        b[3] = a[3] + (b[3] - a[3] + np.pi) % (2 * np.pi) - np.pi  # the shorter way round
        mixed = a * (1 - share) + b * share
        if 0 < share < 1:
            floor = float(self._floor(mixed[0], mixed[2])) + MARGIN
            mixed[1] += max(floor - mixed[1], 0) * 4 * share * (1 - share)
        return Pose(*(float(v) for v in mixed))


def view_projection(pose: Pose, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(with, without the camera's place) float64 (4, 4), acting on column vectors.

    The picture is flipped here, in the projection, so that row 0 of what is read back is the top:
    front faces therefore turn clockwise.
    """
    width, height = size
    right, up, forward = pose.axes()
    turn = np.eye(4)
    turn[:3, :3] = np.stack([right, up, -forward])
    focal = 1 / np.tan(FIELD_OF_VIEW / 2)
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1] = focal * height / width, -focal
    projection[2, 2], projection[2, 3] = (
        -(FAR + NEAR) / (FAR - NEAR),
        -2 * FAR * NEAR / (FAR - NEAR),
    )
    projection[3, 2] = -1
    shift = np.eye(4)
    shift[:3, 3] = -pose.x, -pose.y, -pose.z
    return projection @ turn @ shift, projection @ turn
