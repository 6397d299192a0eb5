"""Motion against scenes whose motion is known: a shift, a flat sky, a still picture, a cut."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from stylizer.frame import Frame
from stylizer.system.motion import CELL_PX, STILL_PX, MotionMeter, spread

SIZE = (320, 240)
RIM = 3  # cells: what comes in at the edge has no motion to measure


def scene(seed: int = 0, margin: int = 64) -> np.ndarray:
    """uint8 BGRA larger than SIZE by `margin` on each side, soft blobs of full contrast."""
    width, height = SIZE[0] + 2 * margin, SIZE[1] + 2 * margin
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 4)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 6)
    return np.clip(soft / soft.std() * 50 + 128, 0, 255).astype(np.uint8)


def view(picture: np.ndarray, x: int = 0, y: int = 0, order: Any = "BGRA") -> Frame:
    """The part of a scene that a camera moved by (x, y) sees."""
    part = picture[64 + y : 64 + y + SIZE[1], 64 + x : 64 + x + SIZE[0]]
    return Frame(np.ascontiguousarray(part[..., : len(order)]), order, 0.0, 0)


def inner(values: np.ndarray) -> np.ndarray:
    return values[RIM:-RIM, RIM:-RIM]


@pytest.mark.parametrize("order", ["BGRA", "RGBA", "RGB"])
@pytest.mark.parametrize("shift", [(5, 0), (0, -3), (12, 7)])
def test_motion_points_back_to_the_last_frame(order, shift):
    picture, meter = scene(), MotionMeter()
    assert meter.measure(view(picture, order=order)) is None
    motion = meter.measure(view(picture, *shift, order=order))
    assert motion is not None
    assert motion.flow.shape == (SIZE[1] // CELL_PX, SIZE[0] // CELL_PX, 2)
    assert not motion.still
    # The camera went by `shift`: what it sees at p was at p + shift.
    assert np.abs(np.median(inner(motion.flow), axis=(0, 1)) - shift).max() < 0.2
    assert np.percentile(np.abs(inner(motion.flow) - shift), 90) < 0.7
    assert inner(motion.confidence).mean() > 0.8


def test_a_still_picture_has_no_motion_at_all():
    picture, meter = scene(), MotionMeter()
    meter.measure(view(picture))
    motion = meter.measure(view(picture))
    assert motion is not None
    assert motion.still
    assert not motion.flow.any()


def test_capture_noise_is_no_motion():
    rng, picture, meter, motion = np.random.default_rng(3), scene(), MotionMeter(), None
    for _ in range(3):
        noise = rng.normal(0, 2, (SIZE[1], SIZE[0], 4))
        noisy = np.clip(view(picture).pixels + noise, 0, 255).astype(np.uint8)
        motion = meter.measure(Frame(noisy, "BGRA", 0.0, 0))
    assert motion is not None
    assert np.abs(motion.flow).max() < 4 * STILL_PX


def test_a_cut_and_another_size_lead_nowhere():
    meter = MotionMeter()
    meter.measure(view(scene(0)))
    assert meter.measure(view(scene(1))) is None
    assert meter.measure(view(scene(1))) is not None, "the new scene against itself"
    small = np.ascontiguousarray(scene(1)[:120, :160])
    assert meter.measure(Frame(small, "BGRA", 0.0, 0)) is None
    meter.measure(view(scene(1)))
    meter.forget()
    assert meter.measure(view(scene(1))) is None


def test_a_frame_too_small_for_flow_stands_still():
    meter, rng, motion = MotionMeter(), np.random.default_rng(0), None
    for _ in range(2):
        pixels = rng.integers(0, 256, (37, 50, 3), np.uint8)
        motion = meter.measure(Frame(pixels, "RGB", 0.0, 0))
    assert motion is not None
    assert motion.still


def test_a_flat_place_goes_with_what_is_around_it():
    picture, meter = scene(), MotionMeter()
    picture[120:200, 150:260] = 128  # 10 x 13 cells without anything to see
    meter.measure(view(picture))
    motion = meter.measure(view(picture, 6, 0))
    assert motion is not None
    middle = motion.flow[9:15, 13:21]
    assert np.abs(np.median(middle, axis=(0, 1)) - (6, 0)).max() < 0.6


def test_spread_weighs_the_neighborhood():
    flow = np.zeros((40, 50, 2), np.float32)
    flow[...] = (2, -1)
    weight = np.ones((40, 50), np.float32)
    flow[10:13, 20:23], weight[10:13, 20:23] = 90, 0
    assert np.allclose(spread(flow, weight), (2, -1), atol=0.01)


def test_a_sky_that_pales_goes_with_the_land_below_it():
    """Its shading tells nothing of how it moves along its lines, and must not be taken for it."""
    picture, meter = scene(), MotionMeter()
    sky = len(picture) // 2
    paling = np.linspace(60, 220, sky).astype(np.uint8)[:, None, None]
    picture[:sky] = paling + np.arange(picture.shape[1])[None, :, None] // 24
    meter.measure(view(picture))
    motion = meter.measure(view(picture, 6, 0))
    assert motion is not None
    above = motion.flow[RIM : SIZE[1] // 2 // CELL_PX - 2, RIM:-RIM]
    assert np.abs(np.median(above, axis=(0, 1)) - (6, 0)).max() < 1
