"""What a native Wayland window draws, captured through the real portal and PipeWire on sway."""

from __future__ import annotations

import json
import random
import stat
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_frames import is_what_was_drawn, next_frame
from sway_desktop import SwayDesktop, enter, sway_desktop
from whole_program import fails

from stylizer.app.cli import main
from stylizer.errors import StylizerError
from stylizer.frame import IDLE, Frame
from stylizer.settings import Settings
from stylizer.source.synthetic import read_age_ms, read_frame_number
from stylizer.stages import SourceEnded

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Wayland"),
]
SIZE = (640, 360)
WINDOW = '[app_id="wayland_window"]'


@pytest.fixture(scope="module")
def desktop() -> Iterator[SwayDesktop]:
    with sway_desktop(SIZE, 'for_window [app_id="wayland_window"] fullscreen enable') as running:
        yield running


@pytest.fixture
def on_sway(desktop: SwayDesktop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SwayDesktop:
    """The desktop, and this process on it."""
    return at_home(desktop, monkeypatch, tmp_path)


@pytest.fixture
def two_outputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SwayDesktop]:
    """A desktop with a second, empty output, and this process on it."""
    with sway_desktop(SIZE, 'for_window [app_id="wayland_window"] fullscreen enable') as running:
        running.tell("create_output")
        running.tell("output", "HEADLESS-2", "resolution", "320x200", "position", "2000", "0")
        yield at_home(running, monkeypatch, tmp_path)


def at_home(desktop: SwayDesktop, monkeypatch: pytest.MonkeyPatch, folder: Path) -> SwayDesktop:
    """On the desktop, in its home, remembering nothing of other tests."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("HOME", str(desktop.home))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    return enter(desktop, monkeypatch)


class Numbered:
    """A window over all of the output, each frame with its number and time burned in."""

    def __init__(self, desktop: SwayDesktop) -> None:
        self.process = desktop.window("Numbered", SIZE)

    def tell(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()


@pytest.fixture(scope="module")
def window(desktop: SwayDesktop) -> Numbered:
    return Numbered(desktop)


@pytest.fixture
def numbered(on_sway: SwayDesktop, window: Numbered) -> Numbered:
    window.tell("draw")
    return window


@contextmanager
def portal_source(**changes: object):
    """A portal source that is closed with the block."""
    from stylizer.source.wayland.source import PortalSource

    made = PortalSource(replace(Settings(source="portal"), **changes))  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def source(on_sway: SwayDesktop):
    """Opens portal sources and closes them."""
    with ExitStack() as opened:
        yield lambda **changes: opened.enter_context(portal_source(**changes))


def numbered_frame(frame: Frame) -> bool:
    return read_frame_number(frame.rgb()) is not None


def number_of(frame: Frame) -> int:
    number = read_frame_number(frame.rgb())
    assert number is not None
    return number


def age_ms(frame: Frame, now_s: float) -> float:
    age = read_age_ms(frame.rgb(), now_s)
    assert age is not None
    return age


def test_frames_are_what_the_window_drew(numbered, source, capsys):
    captured = source()
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


def test_a_still_window_gives_no_frames(numbered, source):
    captured = source()
    next_frame(captured)
    numbered.tell("still")
    time.sleep(0.5)
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        captured.read(IDLE)
    deadline, cpu = time.monotonic() + 1.0, time.process_time()
    while time.monotonic() < deadline:
        assert captured.read(IDLE) is None
    assert time.process_time() - cpu < 0.3, "no busy loop"
    numbered.tell("draw")
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


def test_the_pointer_is_asked_for(on_sway, numbered, source):
    """What the portal is asked; in the picture it is always here: a headless output has no
    hardware pointer, so the compositor draws it itself."""
    log = on_sway.home / "portal-wlr.log"
    for cursor, mode in ((False, 1), (True, 2)):
        before = len(log.read_text())
        source(cursor=cursor).close()
        assert f"option cursor_mode:{mode}" in log.read_text()[before:]


def test_another_resolution_is_followed(on_sway, numbered, source):
    captured = source()
    next_frame(captured, numbered_frame)
    for size in ((480, 270), SIZE):
        on_sway.tell("output", "HEADLESS-1", "resolution", "{}x{}".format(*size))
        frame = next_frame(captured, lambda f, s=size: f.size == s and numbered_frame(f))
        assert is_what_was_drawn(frame)
        assert captured.size == size


def test_a_permission_taken_back_ends_the_source(on_sway, numbered, source, capsys):
    captured = source()
    next_frame(captured)
    end_session(on_sway, captured)
    with pytest.raises(SourceEnded, match="permission"):
        next_frame(captured, lambda _: False)  # some may be under way
    assert "the desktop ended the capture" in capsys.readouterr().err


def end_session(desktop: SwayDesktop, captured) -> None:
    """As when the user takes the permission back: the portal's part for wlroots lets go of it."""
    from jeepney import DBusAddress, new_method_call
    from jeepney.io.blocking import open_dbus_connection

    path = captured._portal._session
    session = DBusAddress(
        path, "org.freedesktop.impl.portal.desktop.wlr", "org.freedesktop.impl.portal.Session"
    )
    with open_dbus_connection() as bus:
        bus.send_and_get_reply(new_method_call(session, "Close"), timeout=10)


def test_pipewire_may_be_restarted(on_sway, numbered, source, capsys):
    captured = source()
    next_frame(captured)
    on_sway.end_part("portal", "portal-wlr", "proxy", "wireplumber", "pipewire")
    on_sway.start_sound_and_pictures()
    on_sway.start_portal()
    next_frame(captured)  # may be one that was under way
    assert is_what_was_drawn(next_frame(captured, numbered_frame, wait_s=60))
    said = capsys.readouterr().err
    assert "connecting again" in said
    assert "connected again" in said


def test_without_pipewire_the_source_breaks_with_one_sentence(
    on_sway, numbered, source, monkeypatch
):
    monkeypatch.setattr("stylizer.source.wayland.source.AGAIN_S", 1.0)
    monkeypatch.setattr("stylizer.source.wayland.source.ANSWER_S", 1.0)
    captured = source()
    next_frame(captured)
    on_sway.end_part("portal", "portal-wlr", "proxy", "wireplumber", "pipewire")
    try:
        with pytest.raises(StylizerError, match="did not come back"):
            next_frame(captured, lambda _: False, wait_s=60)
    finally:
        on_sway.start_sound_and_pictures()
        on_sway.start_portal()


def test_fifty_events_are_survived(on_sway, numbered, source, capsys):
    """Resized, moved to another workspace, closed, opened again, in any order; what comes between
    them is as young as ever."""
    pick = random.Random(21)
    captured, is_open = source(), True
    sizes = ("640x360", "480x270", "560x320")
    ages: list[float] = []
    done: Counter[str] = Counter()
    for _ in range(50):
        here_or_gone = "close" if is_open else "open"
        event = pick.choice(["resize", "away", "back", "move", here_or_gone, "fullscreen"])
        if event == "resize":
            on_sway.tell("output", "HEADLESS-1", "resolution", pick.choice(sizes))
        elif event in ("away", "back"):
            on_sway.tell("workspace", "2" if event == "away" else "1")
        elif event == "move":
            to = pick.choice("12")
            on_sway.tell(WINDOW, "move", "container", "to", "workspace", to, check=False)
        elif event == "fullscreen":
            on_sway.tell(WINDOW, "fullscreen", "toggle", check=False)
        else:
            numbered.tell(event)
            is_open = event == "open"
        done[event] += 1
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            frame = captured.read(IDLE)
            if frame is not None and (age := read_age_ms(frame.rgb(), time.perf_counter())):
                ages.append(age)
    if not is_open:
        numbered.tell("open")
    on_sway.tell("output", "HEADLESS-1", "resolution", "{}x{}".format(*SIZE))
    deadline = time.monotonic() + 20  # it may be opening, on either workspace
    while not on_sway.tell(WINDOW, "focus", check=False)[0]["success"]:
        assert time.monotonic() < deadline
    on_sway.tell(WINDOW, "fullscreen", "enable")
    frame = next_frame(captured, lambda f: f.size == SIZE and numbered_frame(f))
    assert is_what_was_drawn(frame)
    assert min(done[name] for name in ("resize", "move", "close", "open")) >= 3, done
    assert len(ages) > 50
    with capsys.disabled():
        p50, p99 = np.percentile(ages, [50, 99])
        print(f"\n50 events, {len(ages)} pictures between: p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def test_the_whole_program_paints_it(on_sway, numbered, tmp_path):
    report = tmp_path / "r.json"
    argv = ["run", "--source", "portal", "--model", "mosaic-fast", "--provider", "cpu"]
    argv += ["--present", "offscreen", "--frames", "12", "--report", str(report)]
    assert main(argv) == 0
    found = json.loads(report.read_text())
    assert found["source"] == "portal"
    assert "PipeWire" in found["capture_method"]
    assert found["styled_frames"] >= 12
    assert found["size"] == list(SIZE)


def test_no_desktop_no_portal_and_no_choice_are_said(on_sway, capsys, monkeypatch):
    argv = ["run", "--source", "portal", "--model", "none", "--present", "offscreen"]
    config = on_sway.home / ".config" / "xdg-desktop-portal-wlr" / "config"
    before = config.read_text()
    config.write_text("[screencast]\nchooser_type=simple\nchooser_cmd=true\n")
    on_sway.end_part("portal", "portal-wlr", "proxy")
    on_sway.start_portal()
    try:
        fails(capsys, argv, 1, "canceled")
    finally:
        config.write_text(before)
        on_sway.end_part("portal", "portal-wlr", "proxy")
    try:
        fails(capsys, argv, 1, "no ScreenCast portal", "xdg-desktop-portal")
    finally:
        on_sway.start_portal()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    fails(capsys, argv, 1, "D-Bus")


def test_words_that_do_not_fit(capsys):
    fails(capsys, ["run", "--ask", "--source", "demo"], 2, "--ask", "portal")
    fails(capsys, ["run", "--cursor", "--source", "demo"], 2, "--cursor", "portal")
