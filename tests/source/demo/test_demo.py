"""The demo source: determinism, orientation, exact motion vectors and the camera."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import IDLE, InputState
from stylizer.settings import Settings
from stylizer.source.demo.camera import FLIGHT_FRAMES, FRAME_S, IDLE_S, RETURN_S, Camera
from stylizer.source.demo.motion import bilinear, unoccluded
from stylizer.source.demo.scene import DemoScene
from stylizer.source.demo.source import DemoSource

SIZE = (641, 361)  # odd on purpose: rows of 641 RGBA pixels, no multiple of anything


@pytest.fixture(scope="module")
def scene() -> Iterator[DemoScene]:
    scene = DemoScene(SIZE, seed=0)
    yield scene
    scene.close()


def frames(seed: int, count: int) -> list[np.ndarray]:
    source = DemoSource(Settings(size=(320, 180), sync=True, seed=seed))
    try:
        return [source.read(IDLE).pixels for _ in range(count)]
    finally:
        source.close()


def test_same_seed_gives_the_same_frames_bit_for_bit() -> None:
    first, second, other = frames(7, 4), frames(7, 4), frames(8, 4)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(first[0].astype(int) - other[0]).mean() > 2
    assert (first[0] != first[3]).any(), "nothing moves"


def test_two_scenes_alive_at_once_do_not_mix(scene: DemoScene) -> None:
    before = scene.render(30)
    small = DemoScene((64, 36), seed=3)
    try:
        assert small.render(30).shape == (36, 64, 4)
        np.testing.assert_array_equal(scene.render(30), before)
    finally:
        small.close()
    np.testing.assert_array_equal(scene.render(30), before)


def test_frame_meets_its_contract() -> None:
    source = DemoSource(Settings(size=SIZE, sync=True))
    try:
        frame = source.read(IDLE)
        assert frame.size == SIZE == source.size
        assert (frame.channel_order, frame.number) == ("RGBA", 0)
        assert source.read(IDLE).number == 1
        assert source.capture_method.startswith("rendered (")
        assert source.frame_rate is None
    finally:
        source.close()
        source.close()


def test_picture_is_the_right_way_up(scene: DemoScene) -> None:
    picture = scene.render(30)[..., :3].astype(float)
    top, bottom = picture[:40].mean(axis=(0, 1)), picture[-40:].mean(axis=(0, 1))
    assert top.mean() > bottom.mean() + 20, "the sky is brighter than the sea below"
    assert top[2] > top[0] + 40, "the sky is blue"


def test_sun_stands_in_the_upper_half(scene: DemoScene) -> None:
    frame = 600  # the flight looks toward it here
    picture = scene.render(frame)[..., :3].astype(int)
    depth, _ = scene.render_motion(frame, frame + 1)
    sun = (picture.min(axis=2) > 225) & (picture[..., 0] > picture[..., 2]) & (depth > 1e4)
    rows, _ = np.nonzero(sun)
    assert len(rows) > 50
    assert rows.max() < SIZE[1] / 2


@pytest.mark.parametrize("frame", [100, 300, 610])
def test_motion_warps_the_next_frame_onto_this_one(scene: DemoScene, frame: int) -> None:
    """Occluded is what leaves the picture, or whose way there and back does not close: the motion
    of the next frame, looked up where this pixel went, must lead back within half a pixel."""
    now, after = (scene.render(n)[..., :3].astype(float) for n in (frame, frame + 1))
    _, motion = scene.render_motion(frame, frame + 1)
    _, back = scene.render_motion(frame + 1, frame)
    there_x, there_y, seen = unoccluded(motion, back)
    error = np.abs(bilinear(after, there_x, there_y) - now).mean(axis=2)[seen].mean()
    unmoved = np.abs(after - now).mean(axis=2)[seen].mean()
    assert 1 - seen.mean() < 0.15
    assert error < 2
    assert error < unmoved / 2, "without the motion the error must be far larger"


def test_moving_objects_have_motion_of_their_own(scene: DemoScene) -> None:
    pose = scene.world.rails.pose(1.0)
    _, still = scene.render_motion(30, 30, pose, pose)
    assert np.abs(still).max() < 1e-3
    depth, moved = scene.render_motion(30, 31, pose, pose)
    speed = np.hypot(moved[..., 0], moved[..., 1])
    assert (speed > 0.3).sum() > 100, "train and boats move under a fixed camera"
    land = (depth < 500) & (speed < 1e-3)
    assert land.mean() > 0.02, "the island does not"


def test_flight_is_smooth_closed_and_above_everything(scene: DemoScene) -> None:
    rails = scene.world.rails
    poses = np.array([rails.pose(n * FRAME_S).array() for n in range(FLIGHT_FRAMES + 2)])
    step = np.linalg.norm(np.diff(poses[:, :3], axis=0), axis=1)
    assert step.min() > 0.2
    assert step.max() < 2.0
    turn = np.abs(np.diff(poses[:, 3:], axis=0)).max()
    assert turn < np.radians(2.5)
    np.testing.assert_allclose(poses[0, :3], poses[FLIGHT_FRAMES, :3], atol=1e-9)
    assert np.isclose(np.cos(poses[0, 3] - poses[FLIGHT_FRAMES, 3]), 1)
    assert (poses[:, 1] - scene.world.low_floor(poses[:, 0], poses[:, 2])).min() > 0.5


def test_keys_take_over_and_idle_returns_to_the_rails(scene: DemoScene) -> None:
    camera = Camera(scene.world.rails, scene.world.floor)
    path = []
    for n in range(int((4 + IDLE_S + RETURN_S) / FRAME_S)):
        inputs = InputState(forward=1.0, look_x=3.0) if 10 <= n < 90 else IDLE
        path.append(camera.step(n * FRAME_S, FRAME_S, inputs).array())
    rails = [scene.world.rails.pose(n * FRAME_S).array() for n in range(len(path))]
    gap = np.linalg.norm(np.array(path)[:, :3] - np.array(rails)[:, :3], axis=1)
    assert gap[:10].max() == 0
    assert gap[89] > 10, "the keys lead away from the rails"
    assert gap[-1] == 0
    jumps = np.linalg.norm(np.diff(path, axis=0)[:, :3], axis=1)
    assert jumps.max() < 5, "no jump, neither at the take-over nor on the way back"


def test_free_camera_stays_above_the_ground(scene: DemoScene) -> None:
    camera = Camera(scene.world.rails, scene.world.floor)
    land = scene.world.land
    for n in range(600):
        inputs = InputState(forward=1.0, up=-1.0, look_x=4.0 * np.sin(n / 50), look_y=2.0)
        pose = camera.step(n * FRAME_S, FRAME_S, inputs)
        ground = max(float(land.height(np.array(pose.x), np.array(pose.z))), 0.0)
        assert pose.y > ground + 0.5, f"under ground in frame {n}"


def test_forward_key_changes_the_view() -> None:
    pictures = []
    for inputs in (IDLE, InputState(forward=1.0)):
        source = DemoSource(Settings(size=(160, 90), sync=True))
        try:
            pictures.append([source.read(inputs).pixels for _ in range(20)][-1].astype(int))
        finally:
            source.close()
    assert np.abs(pictures[0] - pictures[1]).mean() > 1


def test_live_scene_follows_the_clock() -> None:
    source = DemoSource(Settings(size=(160, 90)))
    try:
        frames = [source.read(IDLE) for _ in range(4)]
    finally:
        source.close()
    assert [f.number for f in frames] == [0, 1, 2, 3]
    assert all(a.captured_at < b.captured_at for a, b in pairwise(frames))


def test_bad_sizes_and_closed_scenes_say_so() -> None:
    with pytest.raises(BadInput, match="--size 0x90 cannot be rendered"):
        DemoSource(Settings(size=(0, 90)))
    scene = DemoScene((32, 18))
    scene.close()
    scene.close()
    with pytest.raises(StylizerError, match="closed"):
        scene.render(0)


def test_bilinear_fetches_between_pixels():
    image = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    x, y = np.array([[0.5, 3.0]]), np.array([[1.0, 1.5]])
    assert bilinear(image, x, y)[..., 0].tolist() == [[4.5, 9.0]]


def test_what_leaves_or_is_covered_is_not_seen():
    there = np.zeros((4, 6, 2), np.float32)
    there[..., 0] = 2  # everything goes two pixels to the right
    back = -there
    back[2] = 0  # but the third row does not come back
    _, _, seen = unoccluded(there, back)
    assert seen[0].tolist() == [True] * 4 + [False] * 2
    assert not seen[2].any()
