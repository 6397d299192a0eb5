"""A native window's place on sway's output, by wlr-screencopy, without a dialog."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from drawn_frames import is_what_was_drawn, next_frame, shows_what_was_drawn
from sway_desktop import SwayDesktop, end, enter, sway_desktop
from sway_game import picture
from whole_program import fails, until

from stylizer.frame import IDLE, Frame
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
SIZE, WINDOW = (640, 360), (320, 180)


@pytest.fixture(scope="module")
def desktop() -> Iterator[SwayDesktop]:
    rules = 'for_window [app_id="wayland_window"] floating enable, border none, move position 40 60'
    with sway_desktop(SIZE, rules) as running:
        yield running


@pytest.fixture
def on_sway(desktop: SwayDesktop, monkeypatch: pytest.MonkeyPatch) -> SwayDesktop:
    """The desktop, and this process on it, which takes no windows' own pixels (test_image_copy.py
    does), also where the compositor has them."""
    monkeypatch.setattr(wlroots, "offers", lambda what: what != WINDOWS and offers(what))
    return enter(desktop, monkeypatch)


@pytest.fixture
def source(on_sway: SwayDesktop) -> Iterator[Callable[..., WlrootsSource]]:
    opened: list[WlrootsSource] = []

    def open_source(**changes) -> WlrootsSource:
        opened.append(WlrootsSource(Settings(source="wlroots", **changes)))
        return opened[-1]

    yield open_source
    for one in opened:
        one.close()


def test_a_windows_place_is_followed(on_sway, numbered, source, capsys):
    captured = source(window="numb")
    assert captured.size == WINDOW
    assert "Numbered" in captured.capture_method
    assert is_what_was_drawn(next_frame(captured, is_what_was_drawn))
    ages = []
    while len(ages) < 30:
        frame = next_frame(captured, lambda f: True)
        ages.append(read_age_ms(frame.rgb(), time.perf_counter()) or 0.0)
    with capsys.disabled():
        p50, p99 = np.percentile(ages, [50, 99])
        print(f"\nwlr-screencopy on sway, drawn to captured: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    on_sway.tell('[title="Numbered"]', "move", "position", "200", "130")
    next_frame(captured, is_what_was_drawn)
    for away, back in (
        (["workspace", "2"], ["workspace", "1"]),
        (['[title="Numbered"]', "move", "scratchpad"], ["scratchpad", "show"]),
    ):
        on_sway.tell(*away)
        deadline = time.monotonic() + 20
        while not captured.state:
            captured.read(IDLE)
            assert time.monotonic() < deadline
        assert "not shown" in captured.state
        on_sway.tell(*back)
        next_frame(captured, is_what_was_drawn)
    on_sway.tell('[title="Numbered"]', "kill")
    with pytest.raises(SourceEnded):
        next_frame(captured, lambda _: False)


def test_a_whole_monitor_that_is_still(on_sway, source):
    """Its picture comes once, and then none; a change brings the next."""
    captured = source(monitor=1)
    frame = next_frame(captured, lambda f: True)
    assert frame.size == captured.size == SIZE
    assert "HEADLESS-1" in captured.capture_method
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        assert captured.read(IDLE) is None
    window = on_sway.window("Numbered", WINDOW)
    try:
        changed = next_frame(captured, lambda f: True)
        assert (changed.rgb() != frame.rgb()).any()
    finally:
        end(window)


@pytest.mark.skipif(not shutil.which("grim"), reason="not installed: grim")
def test_a_turned_monitor_is_captured_as_it_is_seen(on_sway, numbered, source, tmp_path):
    assert numbered.stdin is not None
    print("still", file=numbered.stdin, flush=True)
    try:
        for turned in ("90", "180", "flipped", "flipped-270"):
            on_sway.tell("output", "HEADLESS-1", "transform", turned)

            def is_same(captured: WlrootsSource) -> bool:
                frame, seen = captured.read(IDLE), picture(on_sway, tmp_path / "screen.png")
                return frame is not None and np.array_equal(frame.rgb(), seen)

            until(lambda: is_same(source(monitor=1)), f"not as it is seen: {turned}")
    finally:
        on_sway.tell("output", "HEADLESS-1", "transform", "normal")


@pytest.mark.parametrize("turned", ["90", "180", "270", "flipped", "flipped-90"])
@pytest.mark.parametrize("scale", [1, 2])
def test_a_windows_place_on_a_turned_monitor(on_sway, numbered, source, turned, scale):
    size = f"{SIZE[0] * scale}x{SIZE[1] * scale}"
    on_sway.tell("output", "HEADLESS-1", "resolution", size, "scale", str(scale))
    on_sway.tell("output", "HEADLESS-1", "transform", turned)
    try:
        on_sway.tell('[title="Numbered"]', "move", "position", "10", "90")

        def every_pixel(frame: Frame) -> bool:
            rgb = frame.rgb()[::scale, ::scale]  # the compositor repeats each
            return frame.size[0] == WINDOW[0] * scale and shows_what_was_drawn(rgb)

        next_frame(source(window="numb"), every_pixel)
    finally:
        on_sway.tell("output", "HEADLESS-1", "transform", "normal")
        on_sway.tell("output", "HEADLESS-1", "resolution", "{}x{}".format(*SIZE), "scale", "1")


def test_what_is_not_there_is_said(on_sway, numbered, capsys, monkeypatch):
    argv = ["run", "--source", "wlroots", "--present", "offscreen", "--model", "none"]
    fails(capsys, [*argv, "--window", "no such game"], 2, "no window that matches")
    on_sway.tell('[title="Numbered"]', "move", "scratchpad")
    fails(capsys, [*argv, "--window", "Numbered"], 2, "scratchpad")
    fails(capsys, [*argv, "--monitor", "7"], 2, "no monitor 7", "HEADLESS-1")
    fails(capsys, [*argv, "--monitor", "1", "--window", "x"], 2, "--monitor")
    monkeypatch.delenv("SWAYSOCK")
    fails(capsys, [*argv, "--window", "x"], 1, "SWAYSOCK")
    monkeypatch.setenv("WAYLAND_DISPLAY", "nothing-here")
    fails(capsys, argv, 1, "no Wayland compositor")
