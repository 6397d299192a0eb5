"""The governor under a fake load, and a run that it holds."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from stylizer.frame import Frame, StyledFrame, StyledImage
from stylizer.run.governor import SCALES, Governor
from stylizer.run.pipeline import run
from stylizer.run.target_rate import TargetRate
from stylizer.run.threads import Shown
from stylizer.settings import Settings
from stylizer.stages import StyleBackend


def see(governor: Governor, style_ms: float, at_least_ms: float = 0.0) -> bool:
    """One frame, as often as the network allows, but never sooner than after `at_least_ms`."""
    return governor.observe(style_ms, max(style_ms, at_least_ms))


def hold(governor: Governor, full_ms: float, frames: int = 400) -> list[int]:
    """Levels while a network costs `full_ms` at full size, and in proportion below."""
    levels = []
    for _ in range(frames):
        see(governor, full_ms * governor.scale**2)
        levels.append(governor.level)
    return levels


@pytest.mark.parametrize(("full_ms", "scale"), [(10, 1.0), (25, 0.75), (60, 0.5), (150, 0.25)])
def test_the_size_follows_the_load(full_ms, scale):
    governor = Governor(60)
    levels = hold(governor, full_ms)
    assert SCALES[levels[-1]] == scale
    assert full_ms * governor.scale**2 <= 1000 / 60
    assert levels[-200:] == [levels[-1]] * 200, "it must come to rest"


def test_it_recovers_when_the_load_goes_and_not_before():
    governor = Governor(60)
    hold(governor, 60)
    assert governor.scale == 0.5
    hold(governor, 5, frames=20)
    assert governor.scale == 0.5, "a short easy moment changes nothing"
    hold(governor, 5)
    assert governor.scale == 1


def test_a_load_near_the_limit_does_not_swing():
    governor = Governor(60)
    rng = np.random.default_rng(0)
    changes, before = 0, governor.level
    for _ in range(3000):
        see(governor, 19.0 * governor.scale**2 * float(rng.lognormal(0, 0.08)))
        changes += governor.level != before
        before = governor.level
    assert changes <= 4


def test_single_slow_frames_are_forgiven():
    governor = Governor(60)
    for number in range(200):
        see(governor, 80 if number % 10 == 0 else 8)
    assert governor.level == 0


def test_a_size_that_brings_no_frame_sooner_is_taken_back():
    """A game of 30 fps, or a composite that costs more than the network."""
    governor = Governor(60)
    levels = []
    for _ in range(3000):
        see(governor, 25 * governor.scale**2, at_least_ms=33)
        levels.append(governor.level)
    assert levels[100] == 0, "it is taken back soon"
    assert governor.in_vain
    assert np.mean(levels) < 0.1, "and seldom tried again"


def test_it_is_tried_again_when_something_else_was_slow_for_a_while():
    governor = Governor(60)
    for _ in range(100):
        see(governor, 25 * governor.scale**2, at_least_ms=33)
    assert governor.in_vain
    hold(governor, 25, frames=1000)
    assert governor.scale == 0.75
    assert not governor.in_vain


def test_it_says_when_no_size_is_small_enough():
    governor = Governor(60)
    hold(governor, 2000, frames=40)
    assert governor.at_the_bottom
    assert governor.scale == min(SCALES)


def test_sizes_are_steps_of_the_model():
    governor = Governor(60)
    assert governor.size((1280, 720), 8) is None
    governor.level = 3
    assert governor.size((1280, 720), 8) == (800, 448)
    governor.level = len(SCALES) - 1
    assert governor.size((10, 10), 8) == (8, 8)


class LoadedStyle(StyleBackend):
    """A style of which each frame takes its share of `full_s` by the pixels it sees."""

    model, model_bytes = "loaded", 1
    provider, provider_reason = "cpu", "a fake"
    resizable = 8

    def __init__(self, full_s: float) -> None:
        self.full_s = full_s
        self.sizes: list[tuple[int, int] | None] = []
        self.inference_size: tuple[int, int] | None = None

    def set_inference_size(self, inference_size: tuple[int, int] | None) -> None:
        self.inference_size = inference_size

    def style(self, frame: Frame) -> StyledFrame:
        started = time.perf_counter()
        size = self.inference_size or frame.size
        self.sizes.append(self.inference_size)
        share = size[0] * size[1] / (frame.size[0] * frame.size[1])
        time.sleep(self.full_s * share)
        pixels = np.full((size[1], size[0], 3), 90, np.uint8)
        small = None if size == frame.size else pixels.copy()
        image = StyledImage(pixels, "hwc", small)
        infer_ms = (time.perf_counter() - started) * 1000
        return StyledFrame(frame, image, self.model, 0.0, infer_ms, time.perf_counter())

    def close(self) -> None: ...


def test_a_run_is_held_by_the_inference_size():
    style = LoadedStyle(0.1)
    wanted = Settings(
        source="synthetic", present="offscreen", size=(320, 240), sync=True, frames=30,
        target_fps=20, hud="off", warmup=1,
    )  # fmt: skip
    result = run(wanted, style)
    assert style.sizes[0] is None
    assert style.sizes[-1] is not None
    assert style.sizes[-1][0] < 320
    assert result.facts["inference_size"] == list(style.sizes[-1])


def test_the_options_fit_together(capsys):
    from stylizer.app.cli import main

    assert main(["run", "--target-fps", "60", "--inference-size", "640x360"]) == 2
    assert "--inference-size" in capsys.readouterr().err
    assert main(["run", "--faster-tiers"]) == 2
    assert "--target-fps" in capsys.readouterr().err


def test_a_faster_tier_is_asked_for_once():
    """One that cannot be loaded would otherwise be loaded again at every frame."""
    style, target = LoadedStyle(0.0), TargetRate(60)
    frame = Frame(np.zeros((48, 64, 3), np.uint8), "RGB", 0.0, 0)

    def slow(style: LoadedStyle) -> Shown:
        return Shown(replace(style.style(frame), infer_ms=500.0), 0.0)

    asked = [target.note(slow(style), style) for _ in range(60)]
    assert asked.count(True) == 1
    other = LoadedStyle(0.0)
    assert [target.note(slow(other), other) for _ in range(60)].count(True) == 1


def test_a_rate_missed_for_five_seconds_is_told_once():
    style, target = LoadedStyle(0.0), TargetRate(50)
    frame = Frame(np.zeros((48, 64, 3), np.uint8), "RGB", 0.0, 0)
    now = 100.0

    def told(style_ms: float, seconds: float, style: LoadedStyle = style) -> int:
        nonlocal now
        found = 0
        for _ in range(round(seconds * 20)):
            now += 0.05
            styled = replace(style.style(frame), infer_ms=style_ms, finished_at=now)
            target.note(Shown(styled, 0.0), style)
            found += target.missed
        return found

    assert told(10.0, 20) == 0, "a slow game is not the network's fault"
    assert told(500.0, 4.5) == 0
    assert told(500.0, 20) == 1
    assert told(10.0, 5) + told(500.0, 20) == 0, "not again"
    assert told(500.0, 20, LoadedStyle(0.0)) == 1, "another model is another matter"


def test_pictures_of_the_size_before_say_nothing_of_the_new_one():
    """A size that is still being made ready is not judged by the frames meanwhile."""
    style, target = LoadedStyle(0.0), TargetRate(60)
    frame = Frame(np.zeros((48, 64, 3), np.uint8), "RGB", 0.0, 0)
    late = Shown(replace(style.style(frame), infer_ms=20.0), 0.0)
    for _ in range(60):
        target.note(late, style)
    assert target.governor is not None
    assert target.governor.level == 1, "the first step down alone"


@pytest.mark.parametrize(("game_fps", "full_size"), [(10.0, True), (50.0, False), (None, False)])
def test_a_slow_game_is_not_blurred_for_a_rate_that_it_never_has(game_fps, full_size):
    style, target = LoadedStyle(0.0), TargetRate(60)
    frame = Frame(np.zeros((48, 64, 3), np.uint8), "RGB", 0.0, 0)
    made = Shown(replace(style.style(frame), infer_ms=40.0), 0.0)
    for _ in range(60):  # frames are left out for the game's share, so no size proves to be in vain
        target.note(made, style, paced=True, game_fps=game_fps)
    assert target.governor is not None
    assert (target.governor.level == 0) is full_size
