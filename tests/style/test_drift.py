"""The field that says where the canvas is read: it adds up, differs by place, and stays slack."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from stylizer.style.drift import CREASED, FADE_FRAMES, Drift, ironed, stretch
from stylizer.system.motion import Motion

WIDE = (320, 240)


def a_motion(flow: np.ndarray) -> Motion:
    flow = flow.astype(np.float32)
    return Motion(WIDE, flow, np.ones(flow.shape[:2], np.float32), not flow.any())


def test_drift_adds_up_what_it_is_told():
    drift = Drift(WIDE)
    flow = np.zeros((30, 40, 2))
    flow[...] = (1.5, -0.5)
    for _ in range(10):
        drift.follow(a_motion(flow))
    assert np.allclose(drift.field, (15, -5), atol=1e-3)


def test_drift_follows_a_motion_that_differs_from_place_to_place():
    """Right half moves by 4 pixels, left half stands: each half goes with its own things."""
    drift = Drift(WIDE)
    flow = np.zeros((30, 40, 2))
    flow[:, 20:, 0] = -4
    for _ in range(5):
        drift.follow(a_motion(flow))
    assert np.allclose(drift.field[5:25, 2:10], 0, atol=0.5)
    assert np.allclose(drift.field[5:25, 32:38, 0], -20, atol=1.0)


@pytest.mark.parametrize("rate", [0.01, -0.01, 0.03])
def test_walking_forward_never_stretches_without_end(rate):
    drift = Drift(WIDE)
    for _ in range(300):
        drift.follow(a_motion(zoom(rate)))
        field, fresh, _ = drift.layers()
        assert stretch(field).max() < 3
        assert np.abs(fresh).max() < 200
    assert stretch(fresh).max() < stretch(field).max(), "what comes is less stretched"


def zoom(rate: float) -> np.ndarray:
    """Flow (30, 40, 2) of walking into the picture, or out of it."""
    columns, rows = np.meshgrid(np.arange(40) - 19.5, np.arange(30) - 14.5)
    return np.dstack([columns, rows]) * 8 * -rate


def test_what_is_seen_never_jumps():
    """Weighted by what is seen of it, no field is replaced by another from frame to frame."""
    drift = Drift(WIDE)
    shares = []
    for _ in range(100):
        drift.follow(a_motion(zoom(0.02)))
        shares.append(drift.layers()[2])
    steps = np.diff(shares)
    assert (steps[steps > 0] <= 3.001 / FADE_FRAMES).all()
    for before, after in pairwise(shares):
        assert after >= before or before >= 1 - 3.001 / FADE_FRAMES


def test_a_camera_that_only_turns_has_one_field():
    drift = Drift(WIDE)
    flow = np.zeros((30, 40, 2))
    flow[...] = (3.0, 1.0)
    for _ in range(50):
        drift.follow(a_motion(flow))
        field, fresh, share = drift.layers()
        assert fresh is field
        assert share == 0


def test_places_are_moved_by_whole_tiles_only():
    drift = Drift(WIDE)
    flow = np.zeros((30, 40, 2))
    flow[...] = (-50, 70)
    for _ in range(40):
        drift.follow(a_motion(flow))
        places = drift.places(drift.field, 64)
        assert (places >= 0).all()
        assert places.min() < 64
        assert np.allclose(np.diff(places[1:-1, :, 0], axis=1), 8, atol=0.01)


def test_folds_are_ironed_and_the_rest_is_left():
    cell = 8
    d = np.zeros((40, 60, 2), np.float32)
    d[..., 1] = 0.2 * cell * np.arange(60)
    assert ironed(d, cell) is d
    d[:, 30:, 0] = 3 * CREASED * cell  # pixels, from one cell to the next
    found = ironed(d, cell)
    assert stretch(found, cell).max() < 0.6 * stretch(d, cell).max()
    assert np.array_equal(found[:, :20], d[:, :20])
