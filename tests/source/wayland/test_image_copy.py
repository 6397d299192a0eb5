"""A native window's own pixels by ext-image-copy-capture: sway has it for windows from 1.12 on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from drawn_frames import is_what_was_drawn, next_frame
from sway_desktop import HERE, SwayDesktop, end, enter, sway_desktop
from sway_game import FULL_SCREEN, SIZE, RedGame, has_hud, is_covered, picture
from whole_program import fails, until

from stylizer.frame import IDLE
from stylizer.settings import Settings
from stylizer.source.synthetic import read_age_ms
from stylizer.source.wayland import wlroots
from stylizer.source.wayland.image_copy import WINDOWS, offers
from stylizer.source.wayland.wlroots import WlrootsSource
from stylizer.stages import SourceEnded

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Wayland"),
]
WINDOW = (320, 180)
RULES = f'{FULL_SCREEN}\nfor_window [app_id="wayland_window"] floating enable, border none'


@pytest.fixture(scope="module")
def desktop() -> Iterator[SwayDesktop]:
    with sway_desktop(SIZE, RULES) as running:
        yield running


@pytest.fixture
def on_sway(desktop: SwayDesktop, monkeypatch: pytest.MonkeyPatch) -> SwayDesktop:
    enter(desktop, monkeypatch)
    if not offers(WINDOWS):
        pytest.skip("this sway copies no windows (1.12 does)")
    return desktop


def test_its_own_pixels_wherever_it_is_until_it_closes(on_sway, numbered, capsys):
    source = WlrootsSource(Settings(source="wlroots", window="numb"))
    try:
        assert source.size == WINDOW
        assert "ext-image-copy-capture: the window 'Numbered'" in source.capture_method
        assert not source.sees_all
        ages = []
        next_frame(source, is_what_was_drawn)
        while len(ages) < 30:
            frame = next_frame(source, is_what_was_drawn)
            ages.append(read_age_ms(frame.rgb(), time.perf_counter()) or 0.0)
        with capsys.disabled():
            p50, p99 = np.percentile(ages, [50, 99])
            print(f"\next-image-copy-capture, drawn to captured: p50 {p50:.1f}, p99 {p99:.1f} ms")
        other = on_sway.window("Other", SIZE)  # over it
        for _ in range(5):
            next_frame(source, is_what_was_drawn)
        end(other)
        on_sway.tell("workspace", "2")
        for _ in range(5):
            next_frame(source, is_what_was_drawn)
        on_sway.tell("workspace", "1")
        on_sway.tell('[title="Numbered"]', "resize", "set", "200", "120")
        next_frame(source, lambda frame: frame.size == (200, 120) and is_what_was_drawn(frame))
        on_sway.tell('[title="Numbered"]', "kill")
        with pytest.raises(SourceEnded, match="Numbered"):
            next_frame(source, lambda _: False)
    finally:
        source.close()


def test_windows_are_found_without_sways_word(on_sway, numbered, monkeypatch, capsys):
    argv = ["run", "--source", "wlroots", "--present", "offscreen", "--model", "none", "--window"]
    fails(capsys, [*argv, "no such game"], 2, "'Numbered'")
    monkeypatch.delenv("SWAYSOCK")
    for name in ("NUMB", "class:wayland_window"):
        source = WlrootsSource(Settings(source="wlroots", window=name))
        assert "'Numbered'" in source.capture_method
        source.close()
    fails(capsys, [*argv, "no such game"], 2, "no window matches", "'Numbered'")


def test_a_monitor_where_there_is_no_wlr_screencopy(on_sway, monkeypatch):
    monkeypatch.setattr(wlroots, "offers", lambda name: name != wlroots.SCREENCOPY)
    source = WlrootsSource(Settings(source="wlroots", monitor=1))
    try:
        assert source.capture_method == "ext-image-copy-capture: monitor HEADLESS-1"
        assert next_frame(source).size == SIZE
        on_sway.tell("output", "HEADLESS-1", "transform", "90")
        until(lambda: (frame := source.read(IDLE)) and frame.size == SIZE[::-1])
    finally:
        on_sway.tell("output", "HEADLESS-1", "transform", "normal")
        source.close()


def test_a_native_game_is_captured_and_covered_at_once(on_sway, tmp_path: Path):
    game, shown = RedGame(on_sway, "wayland"), tmp_path / "screen.png"
    program = str(HERE.parent / "main.py")
    try:
        until(lambda: not is_covered(picture(on_sway, shown)), "the game was never seen")
        process = on_sway.open(
            sys.executable, program, "run", "--source", "wlroots", "--window", "Red Game",
            "--present", "layer", "--model", "none", ready="",
        )  # fmt: skip
        try:
            until(lambda: has_hud(picture(on_sway, shown)), "nothing lay over it")
            game.process.kill()
            process.wait(60)
            assert process.returncode == 0, "it ends with its game"
        finally:
            end(process)
    finally:
        game.close()
