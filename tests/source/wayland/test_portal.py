"""What a native Wayland window draws, captured through the real portal and PipeWire on sway."""

from __future__ import annotations

import json
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from drawn_frames import is_what_was_drawn, next_frame
from portal_window import (
    RULES,
    SIZE,
    Numbered,
    age_ms,
    at_home,
    number_of,
    numbered_frame,
    portal_source,
)
from sway_desktop import SwayDesktop, sway_desktop
from whole_program import fails

from stylizer.app.cli import main
from stylizer.frame import IDLE

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Wayland"),
]


@pytest.fixture
def two_outputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SwayDesktop]:
    """A desktop with a second, empty output, and this process on it."""
    with sway_desktop(SIZE, RULES) as running:
        running.tell("create_output")
        running.tell("output", "HEADLESS-2", "resolution", "320x200", "position", "2000", "0")
        yield at_home(running, monkeypatch, tmp_path)


def test_frames_are_what_the_window_drew(playing, open_portal, capsys):
    captured = open_portal()
    assert "portal" in captured.capture_method
    assert "monitor" in captured.capture_method
    frames, ages = [], []
    while len(frames) < 60:
        frames.append(next_frame(captured, numbered_frame))
        ages.append(age_ms(frames[-1], time.perf_counter()))
    assert all(is_what_was_drawn(frame) for frame in frames)
    numbers = [number_of(frame) for frame in frames]
    assert numbers == sorted(numbers)
    assert [frame.number for frame in frames[1:]] == [frame.number + 1 for frame in frames[:-1]]
    assert captured.size == frames[-1].size == SIZE
    assert min(ages) > 0
    late = [age_ms(frame, frame.captured_at) for frame in frames]
    assert all(age > -17 for age in late), "captured after it was drawn, to a refresh"
    with capsys.disabled():
        p50, p99 = np.percentile(ages, [50, 99])
        print(f"\nportal on sway, drawn to captured: p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def test_a_still_window_gives_no_frames(playing, open_portal):
    captured = open_portal()
    next_frame(captured)
    playing.tell("still")
    time.sleep(0.5)
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        captured.read(IDLE)
    deadline, cpu = time.monotonic() + 1.0, time.process_time()
    while time.monotonic() < deadline:
        assert captured.read(IDLE) is None
    assert time.process_time() - cpu < 0.3, "no busy loop"
    playing.tell("draw")
    next_frame(captured)


def choose_output(desktop: SwayDesktop, name: str) -> None:
    """What the desktop's dialog would answer from now on; it is off here."""
    config = desktop.home / ".config" / "xdg-desktop-portal-wlr" / "config"
    config.write_text(f"[screencast]\nmax_fps=60\nchooser_type=none\noutput_name={name}\n")
    desktop.end_part("portal", "portal-wlr", "proxy")
    desktop.start_portal()


def test_a_choice_is_remembered_for_each_game_and_asked_anew(two_outputs):
    """Two outputs tell which was captured: the remembered one, or what a dialog says now."""
    from stylizer.source.wayland.remembered import place

    window = Numbered(two_outputs)
    with portal_source(window="Game A") as first:
        assert next_frame(first, numbered_frame).size == SIZE
    assert list(json.loads(place().read_text())) == ["Game A"]
    assert stat.S_IMODE(place().stat().st_mode) == 0o600
    choose_output(two_outputs, "HEADLESS-2")
    with portal_source(window="Game A") as again:
        assert next_frame(again, numbered_frame).size == SIZE, "what was chosen before"
    with portal_source(window="Game B") as other:
        assert other.size == (320, 200), "asked for another game"
    with portal_source(window="Game A", ask=True) as anew:
        assert anew.size == (320, 200), "asked again"
        assert "waiting" in anew.state, "an empty, still monitor: no picture yet"
    assert sorted(json.loads(place().read_text())) == ["Game A", "Game B"]
    assert window.process.poll() is None


def test_the_pointer_is_asked_for(on_portal, playing, open_portal):
    """What the portal is asked; in the picture it is always here: a headless output has no
    hardware pointer, so the compositor draws it itself."""
    log = on_portal.home / "portal-wlr.log"
    for cursor, mode in ((False, 1), (True, 2)):
        before = len(log.read_text())
        open_portal(cursor=cursor).close()
        assert f"option cursor_mode:{mode}" in log.read_text()[before:]


def test_another_resolution_is_followed(on_portal, playing, open_portal):
    captured = open_portal()
    next_frame(captured, numbered_frame)
    for size in ((480, 270), SIZE):
        on_portal.tell("output", "HEADLESS-1", "resolution", "{}x{}".format(*size))
        frame = next_frame(captured, lambda f, s=size: f.size == s and numbered_frame(f))
        assert is_what_was_drawn(frame)
        assert captured.size == size


def test_the_whole_program_paints_it(on_portal, playing, tmp_path):
    report = tmp_path / "r.json"
    argv = ["run", "--source", "portal", "--model", "mosaic-fast", "--provider", "cpu"]
    argv += ["--present", "offscreen", "--frames", "12", "--report", str(report)]
    assert main(argv) == 0
    found = json.loads(report.read_text())
    assert found["source"] == "portal"
    assert "PipeWire" in found["capture_method"]
    assert found["styled_frames"] >= 12
    assert found["size"] == list(SIZE)


def test_no_desktop_no_portal_and_no_choice_are_said(on_portal, capsys, monkeypatch):
    argv = ["run", "--source", "portal", "--model", "none", "--present", "offscreen"]
    config = on_portal.home / ".config" / "xdg-desktop-portal-wlr" / "config"
    before = config.read_text()
    config.write_text("[screencast]\nchooser_type=simple\nchooser_cmd=true\n")
    on_portal.end_part("portal", "portal-wlr", "proxy")
    on_portal.start_portal()
    try:
        fails(capsys, argv, 1, "canceled")
    finally:
        config.write_text(before)
        on_portal.end_part("portal", "portal-wlr", "proxy")
    try:
        fails(capsys, argv, 1, "no ScreenCast portal", "xdg-desktop-portal")
    finally:
        on_portal.start_portal()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    fails(capsys, argv, 1, "D-Bus")


def test_words_that_do_not_fit(capsys):
    fails(capsys, ["run", "--ask", "--source", "demo"], 2, "--ask", "portal")
    fails(capsys, ["run", "--cursor", "--source", "demo"], 2, "--cursor", "portal")
