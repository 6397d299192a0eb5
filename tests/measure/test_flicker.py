"""The flicker measures against pictures whose flicker is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tiny_models as tiny

from stylizer.app.cli import main
from stylizer.frame import Frame, StyledFrame, StyledImage
from stylizer.measure import flicker
from stylizer.settings import Settings
from stylizer.stages import StyleBackend

SIZE = (320, 184)


class Locked(StyleBackend):
    """A style that adds a pattern which stays on the screen whatever moves below it."""

    model, model_bytes, provider, provider_reason = "locked", 0, "test", ""

    def __init__(self, strength: int) -> None:
        self.strength = strength

    def style(self, frame: Frame) -> StyledFrame:
        rgb = frame.rgb() // 2
        rgb[::16] += np.uint8(self.strength)
        return StyledFrame(frame, StyledImage(np.ascontiguousarray(rgb)), self.model, 0.0, 0.0, 0.0)

    def close(self) -> None: ...


def figures(strength: int = 0, **changes) -> flicker.Flicker:
    settings = Settings(size=SIZE, source=changes.pop("source", "demo"), **changes)
    return flicker.measure(Locked(strength), settings, 2)


def test_a_picture_tied_to_the_screen_flickers_and_one_that_moves_along_does_not():
    free, tied = figures(0), figures(100)
    assert free.shift_error == 0
    assert free.untouched_warp_error is not None
    assert free.warp_error is not None
    # half the contrast, half the error of the source itself
    assert free.warp_error == pytest.approx(free.untouched_warp_error / 2, rel=0.1)
    assert tied.warp_error is not None
    assert tied.warp_error > free.warp_error + 0.02
    # A sixteenth of the rows is off by 100, once where it was and once where it is: 0.1386.
    moved = [dy for _, dy in flicker.SHIFTS if dy]
    expected = 100 / 255 * np.sqrt(2 / 16 * len(moved) / len(flicker.SHIFTS))
    assert tied.shift_error == pytest.approx(expected, rel=0.1)


def test_noise_is_answered_as_the_style_answers_it():
    found = figures(0)
    assert found.noise_p99 == 1
    assert 0.2 < found.noise_mean < 0.5  # halved and rounded
    assert found.still_difference == 0


def test_other_sources_have_no_motion():
    found = figures(50, source="synthetic")
    assert found.warp_error is None
    assert found.shift_error > 0


def test_the_stabilizer_lowers_what_noise_does():
    plain = figures(0)
    steady = figures(0, stabilize=0.9)
    assert steady.noise_mean < plain.noise_mean / 2


def test_the_command_prints_json(tmp_path, capsys):
    path = tiny.painter(tmp_path / "m.onnx", multiple=8)
    argv = ["flicker", "--model", str(path), "--provider", "cpu", "--size", "160x96"]
    assert main([*argv, "--frames", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["model"] == "m"
    assert found["warp_error"] < 0.2
    assert found["still_difference"] == 0


def test_a_video_that_is_missing_is_one_sentence(tmp_path, capsys):
    argv = ["flicker", "--model", "none", "--source", "video", "--input", str(tmp_path / "no.mp4")]
    assert main(argv) == 2
    assert "no.mp4" in capsys.readouterr().err
