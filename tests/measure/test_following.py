"""Following a recorded game by optical flow, on styles whose flicker is known."""

from __future__ import annotations

import json
from pathlib import Path

import canvas_networks
import numpy as np
import pytest
from flat_clips import write_video
from PIL import Image

from stylizer.app.cli import main
from stylizer.frame import Frame, StyledFrame, StyledImage
from stylizer.measure import following
from stylizer.settings import Settings
from stylizer.stages import StyleBackend

SIZE = (320, 192)
FRAMES = 6


class Stuck(StyleBackend):
    """A style that adds a pattern which stays on the screen whatever moves below it."""

    model, model_bytes, provider, provider_reason = "stuck", 0, "test", ""

    def __init__(self, strength: int) -> None:
        self._strength = strength
        self.forgotten = 0

    def style(self, frame: Frame) -> StyledFrame:
        rgb = frame.rgb() // 2
        rgb[:, ::8] += np.uint8(self._strength)
        return StyledFrame(frame, StyledImage(np.ascontiguousarray(rgb)), self.model, 0, 0, 0)

    def forget(self) -> None:
        self.forgotten += 1

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def passing(tmp_path_factory) -> Path:
    """A video of a textured picture that goes by at 3 pixels a frame; its last frame stands."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 216, (SIZE[1] // 12, (SIZE[0] + 40) // 12, 3), np.uint8)
    wall = Image.fromarray(coarse).resize((SIZE[0] + 40, SIZE[1]), Image.Resampling.BICUBIC)
    pixels = np.asarray(wall)
    places = [3 * k for k in range(FRAMES - 1)] + [3 * (FRAMES - 2)]
    frames = [np.ascontiguousarray(pixels[:, x : x + SIZE[0]]) for x in places]
    path = tmp_path_factory.mktemp("passing") / "passing.mkv"
    return write_video(path, frames, codec="ffv1", pix_fmt="bgr0")


def followed(passing: Path, strength: int, **changes) -> following.Followed:
    settings = Settings(source="video", input=passing, size=SIZE, **changes)
    backend = Stuck(strength)
    return following.measure(backend, backend, settings)


def test_a_picture_tied_to_the_screen_flickers_and_one_that_moves_along_does_not(passing: Path):
    free, tied = followed(passing, 0), followed(passing, 80)
    assert (free.followed_frames, free.moving_pairs) == (FRAMES, FRAMES - 2)
    assert free.flow_error_rms is not None
    assert free.flow_error_rms < 0.01
    assert tied.flow_error_rms is not None
    assert tied.own_flow_error_rms is not None
    # An eighth of the columns is off by 80, once where it was and once where it is.
    assert tied.flow_error_rms == pytest.approx(80 / 255 * np.sqrt(2 / 8), rel=0.1)
    assert tied.source_flow_error_rms == free.source_flow_error_rms
    assert tied.own_flow_error_rms == tied.flow_error_rms - (tied.source_flow_error_rms or 0)
    assert tied.sharpness_255ths > free.sharpness_255ths + 50
    assert tied.sharpness_ratio == 1


def test_sharpness_is_compared_with_pictures_styled_alone(passing: Path):
    settings = Settings(source="video", input=passing, size=SIZE)
    alone = Stuck(80)
    found = following.measure(Stuck(0), alone, settings)
    assert found.sharpness_ratio == pytest.approx(
        found.sharpness_255ths / found.alone_sharpness_255ths
    )
    assert found.sharpness_ratio is not None
    assert found.sharpness_ratio < 0.5
    assert alone.forgotten == FRAMES


def test_only_the_seconds_asked_for_are_followed(passing: Path):
    assert followed(passing, 0, seconds=0.2).followed_frames == 3  # at 15 a second


def test_a_source_that_stands_still_has_no_error():
    settings = Settings(source="demo", size=(160, 96), seconds=1 / 30)
    backend = Stuck(0)
    found = following.measure(backend, backend, settings)
    assert (found.followed_frames, found.moving_pairs, found.flow_error_rms) == (1, 0, None)


def test_the_command_follows_a_clip_with_and_without_a_moving_canvas(passing, tmp_path, capsys):
    wave = 128 + 60 * np.sin(2 * np.pi * np.arange(16) / 16)
    tile = np.broadcast_to(wave[:, None], (16, 16, 3))  # from left to right
    path = canvas_networks.canvas_floats(tmp_path / "m.onnx", np.ascontiguousarray(tile, np.uint8))
    argv = ["flicker", "--model", str(path), "--provider", "cpu", "--source", "video"]
    argv += ["--input", str(passing), "--frames", "1"]
    found = {}
    for flag in ("--move-canvas", "--no-move-canvas"):
        assert main([*argv, flag]) == 0
        found[flag] = json.loads(capsys.readouterr().out)
        assert found[flag]["moving_pairs"] == FRAMES - 2
        assert found[flag]["warp_error"] is None
    moving, standing = found["--move-canvas"], found["--no-move-canvas"]
    assert moving["own_flow_error_rms"] < standing["own_flow_error_rms"] / 2
    assert standing["sharpness_ratio"] == 1


def test_a_clip_belongs_to_the_video_source(capsys):
    assert main(["flicker", "--model", "none", "--source", "video"]) == 2
    assert main(["flicker", "--model", "none", "--input", "a.mp4"]) == 2
    assert "--input" in capsys.readouterr().err
