"""What stands on the demo island: the village, mills, lighthouse, viaduct, fields (and trees)."""

from __future__ import annotations

import numpy as np

from stylizer.source.demo.land import FIELDS, LIGHTHOUSE, MILLS, TRACK_Y, VILLAGE, Land
from stylizer.source.demo.shapes import Color, Soup, box, bumped, from_faces, frustum, gable, join
from stylizer.source.demo.trees import WOOD, planted, spindle, trees

WALLS: list[Color] = [(0.93, 0.88, 0.76), (0.90, 0.78, 0.62), (0.86, 0.86, 0.84)]
WALLS += [(0.80, 0.62, 0.50), (0.76, 0.82, 0.84)]
ROOFS: list[Color] = [(0.76, 0.30, 0.20), (0.66, 0.36, 0.24), (0.36, 0.44, 0.56)]
ROOFS += [(0.84, 0.44, 0.22), (0.50, 0.27, 0.27)]
STONE: Color = (0.72, 0.68, 0.62)
GLASS: Color = (0.24, 0.30, 0.40)
WHITE: Color = (0.95, 0.94, 0.90)
RED: Color = (0.82, 0.22, 0.18)


def house(rng: np.random.Generator) -> Soup:
    """A house with a gable roof, a chimney, a door and windows; its foot reaches into slopes."""
    w, h, d = rng.uniform(5.5, 9), rng.uniform(3.2, 5.4), rng.uniform(5, 6.5)
    wall, roof = WALLS[rng.integers(len(WALLS))], ROOFS[rng.integers(len(ROOFS))]
    peak = rng.uniform(2.6, 4.0)
    parts = [box((w, h + 2, d), wall).moved((0, -2, 0)), box((w + 0.9, 0.35, d + 1.1), roof, True)]
    parts[1] = parts[1].moved((0, h - 0.1, 0))
    parts.append(gable((w + 0.9, peak, d + 1.1), roof, wall).moved((0, h + 0.25, 0)))
    parts.append(box((0.9, peak + 1.2, 0.9), STONE).moved((w * 0.27, h, d * 0.12)))
    for side in (-1, 1):
        for at in np.arange(-w / 2 + 1.4, w / 2 - 0.8, 1.9):
            yaw = 0 if side > 0 else np.pi
            pane = panel(0.95, 1.15, GLASS)
            parts.append(pane.moved((at, h * 0.48, side * (d / 2 + 0.07)), yaw))
    parts.append(panel(1.2, 2.1, WOOD).moved((w * 0.18, 0, d / 2 + 0.1)))
    return join(parts)


def panel(width: float, height: float, color: Color) -> Soup:
    """An upright rectangle that faces +z, its lower edge on y = 0."""
    x = width / 2
    points = [(-x, 0, 0), (x, 0, 0), (x, height, 0), (-x, height, 0)]
    return from_faces(points, [(0, 1, 2, 3)], color)


def strip(width: float, length: float, color: Color, drop: float = 0.0) -> Soup:
    """A level strip along z around the origin, with sides that go down by `drop`, without ends."""
    x, z = width / 2, length / 2
    points = [(-x, 0, -z), (x, 0, -z), (x, 0, z), (-x, 0, z)]
    faces = [(3, 2, 1, 0)]
    if drop:
        points += [(-x, -drop, -z), (x, -drop, -z), (x, -drop, z), (-x, -drop, z)]
        faces += [(2, 6, 5, 1), (0, 4, 7, 3)]
    return from_faces(points, faces, color)


def church() -> Soup:
    """Nave and tower."""
    parts = [box((7, 8, 15), WHITE).moved((0, -1, 0))]
    roof = gable((15.8, 4.6, 7.8), (0.40, 0.46, 0.58), WHITE)
    parts.append(roof.moved((0, 7, 0), np.pi / 2))
    parts.append(box((5.4, 16, 5.4), WHITE).moved((0, -1, 9.6)))
    parts.append(box((6, 0.7, 6), (0.40, 0.46, 0.58), True).moved((0, 14.6, 9.6)))
    spire = frustum(4, 4.0, 0, 9.5, (0.36, 0.42, 0.55))
    parts.append(spire.moved((0, 15.2, 9.6), np.pi / 4))
    for z in (-5.2, -1.8, 1.6, 5.0):
        parts.append(box((7.2, 2.6, 0.9), GLASS).moved((0, 2.4, z)))
    parts.append(box((1.9, 1.9, 5.6), (0.92, 0.78, 0.36)).moved((0, 10.6, 9.6)))
    return join(parts)


def mill_tower() -> Soup:
    """The windmill's fixed part; its sails turn at height 11.5, 3.6 m in front (+z)."""
    tower = frustum(8, 4.2, 2.6, 11, (0.93, 0.90, 0.82)).moved((0, -1, 0))
    cap = frustum(8, 3.2, 0, 3.6, (0.62, 0.30, 0.22)).moved((0, 10, 0))
    axle = box((0.5, 0.5, 3.6), WOOD, True).moved((0, 11.2, 2.0))
    balcony = frustum(8, 5.0, 5.0, 0.4, WOOD).moved((0, 3.4, 0))
    return join([tower, cap, axle, balcony, box((1.6, 2.6, 1), WOOD).moved((0, 0, 3.7))])


def lighthouse() -> Soup:
    """Red and white bands, gallery and lamp."""
    parts, y, radius = [frustum(10, 4.6, 4.4, 2.4, STONE).moved((0, -1, 0))], 1.2, 3.1
    for band in range(6):
        color = RED if band % 2 == 0 else WHITE
        parts.append(frustum(10, radius, radius - 0.22, 3.4, color).moved((0, y, 0)))
        y, radius = y + 3.4, radius - 0.22
    parts.append(frustum(10, 3.0, 3.0, 0.5, (0.3, 0.32, 0.36)).moved((0, y, 0)))
    parts.append(frustum(8, 1.4, 1.4, 2.4, (1.0, 0.93, 0.62)).moved((0, y + 0.5, 0)))
    parts.append(frustum(8, 2.0, 0, 1.8, RED).moved((0, y + 2.9, 0)))
    return join(parts)


def village(land: Land, rng: np.random.Generator) -> tuple[Soup, np.ndarray]:
    """Houses in two rings around the church, a harbor pier; and obstacles (n, 4)."""
    cx, cz = VILLAGE
    soups = [church().moved((cx, float(land.height(cx, cz)), cz), 0.35)]
    obstacles = [(cx, cz, 12.0, 32.0)]
    for radius, count in ((17.0, 8), (29.0, 14)):
        for k in range(count):
            angle = (k + rng.uniform(-0.18, 0.18)) * 2 * np.pi / count + radius
            x, z = cx + radius * np.cos(angle), cz + radius * np.sin(angle)
            y = float(land.height(x, z))
            if y < 3 or float(land.track_distance(x, z)) < 10:
                continue
            soups.append(house(rng).moved((x, y, z), -angle - np.pi / 2 + rng.normal() * 0.12))
            obstacles.append((x, z, 5.5, y + 9.5))
    return join(soups), np.array(obstacles)


def landmarks(land: Land, rng: np.random.Generator) -> tuple[Soup, np.ndarray]:
    """Mills, lighthouse with its keeper's house, boulders; and obstacles (n, 4)."""
    soups, obstacles = [], []
    for x, z in MILLS:
        y = float(land.height(x, z))
        soups.append(mill_tower().moved((x, y, z), mill_yaw(x, z)))
        obstacles.append((x, z, 10.0, y + 21.0))
    x, z = LIGHTHOUSE
    y = float(land.height(x, z))
    soups.append(lighthouse().moved((x, y, z)))
    soups.append(house(rng).moved((x + 8, float(land.height(x + 8, z + 3)), z + 3), 0.6))
    obstacles += [(x, z, 5.0, y + 27), (x + 8, z + 3, 6.0, y + 9)]
    rock = bumped(spindle(5, (0.52, 0.49, 0.48)), rng, 0.25)
    x, z = rng.uniform(-220, 220, (2, 600))
    y = land.height(x, z)
    shore = (y > -1.2) & (y < 3) & (land.track_distance(x, z) > 6)
    places = np.stack([x, y, z], 1)[shore]
    soups.append(planted(rock, places, rng.uniform(0.5, 2.1, len(places)), rng))
    return join(soups), np.array(obstacles)


def mill_yaw(x: float, z: float) -> float:
    """Mills face the bay and the wind from the south-east."""
    return float(np.arctan2(20 - x, 90 - z)) + 0.25


def viaduct(land: Land) -> Soup:
    """Railway sleepers all along the line; a deck with parapets and pillars over the water."""
    track = land.track
    step = np.roll(track, -5, 0)[::5] - track[::5]
    yaw = np.arctan2(step[:, 0], step[:, 1])
    length = float(np.linalg.norm(step, axis=1).mean())
    ground = land.height(track[::5, 0], track[::5, 1])
    line = [strip(2.9, 0.9, WOOD).moved((0, 0.02, z)) for z in (-1.5, 0.0, 1.5)]
    line += [
        strip(0.26, length * 1.04, (0.42, 0.42, 0.46)).moved((x, 0.22, 0)) for x in (-0.8, 0.8)
    ]
    deck = [strip(4.6, length * 1.06, STONE, 1.5).moved((0, -0.3, 0))]
    deck += [strip(0.5, length * 1.06, STONE, 2.0).moved((x, 0.6, 0)) for x in (-2.4, 2.4)]
    pillar = box((3.6, 16, 2.0), STONE).moved((0, -17.0, 0))
    shoulder = box((4.4, 1.2, 4.4), STONE, True).moved((0, -2.6, 0))
    soups = []
    for k in range(len(step)):
        x, z = (track[5 * k] + track[(5 * k + 5) % len(track)]) / 2
        parts = list(line)
        if ground[k] < TRACK_Y - 1.2:
            parts += [*deck, pillar, shoulder] if k % 3 == 0 else deck
        soups.append(join(parts).moved((x, TRACK_Y, z), float(yaw[k])))
    return join(soups)


def fields(land: Land) -> Soup:
    """Rows of lavender, wheat and cabbage that follow the ground."""
    crops: list[Color] = [(0.58, 0.44, 0.78), (0.93, 0.78, 0.34), (0.44, 0.66, 0.32)]
    crops.append((0.90, 0.46, 0.36))
    soups = []
    for (cx, cz, yaw), color in zip(FIELDS, crops, strict=True):
        along, across = np.meshgrid(np.arange(-14, 15, 4.0), np.arange(-13, 14, 2.4), indexing="ij")
        sin, cos = np.sin(yaw), np.cos(yaw)

        def place(u: np.ndarray, v: np.ndarray, up: float, at=(cx, cz, sin, cos)) -> np.ndarray:
            x, z = at[0] + u * at[3] + v * at[2], at[1] - u * at[2] + v * at[3]
            return np.stack([x, land.height(x, z) + up, z], -1)

        a, b = place(along, across - 0.9, -0.3), place(along + 4, across - 0.9, -0.3)
        c, d = place(along, across, 0.9), place(along + 4, across, 0.9)
        e, f = place(along, across + 0.9, -0.3), place(along + 4, across + 0.9, -0.3)
        quads = [(e, f, d), (e, d, c), (b, a, c), (b, c, d)]
        corners = np.concatenate([np.stack(q, -2).reshape(-1, 3, 3) for q in quads])
        dry = land.track_distance(*corners.mean(axis=1)[:, [0, 2]].T) > 6
        corners = corners[dry & (corners[:, :, 1].min(axis=1) > 1)]
        soups.append(Soup(corners, np.tile(np.array(color), (len(corners), 1))))
    return join(soups)


def everything(
    land: Land, seed: int, path: np.ndarray, solid: tuple[Soup, np.ndarray]
) -> tuple[Soup, np.ndarray]:
    """All that stands on the ground (albedo), trees last; obstacles (n, 4) with the trees."""
    rng = np.random.default_rng([seed, 4])
    wood, wood_obstacles = trees(land, rng, path)
    rest = join([solid[0], viaduct(land), fields(land)]).tinted(rng, 0.05)
    return join([rest, wood]), np.concatenate([solid[1], wood_obstacles])


def buildings(land: Land, seed: int) -> tuple[Soup, np.ndarray]:
    """Village and landmarks, and their obstacles (n, 4): x, z, radius, top in meters."""
    rng = np.random.default_rng([seed, 3])
    (a, first), (b, second) = village(land, rng), landmarks(land, rng)
    track = land.track[::4]
    train = np.column_stack([track, np.full(len(track), 4.0), np.full(len(track), TRACK_Y + 5.5)])
    return join([a, b]), np.concatenate([first, second, train])


__all__ = ["buildings", "everything", "mill_yaw"]
