"""The portal's capture through what happens to it: permissions, PipeWire, the portal, 50 events."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter

import numpy as np
import pytest
from drawn_frames import is_what_was_drawn, next_frame
from portal_window import SIZE, WINDOW, numbered_frame
from sway_desktop import SwayDesktop

from stylizer.errors import StylizerError
from stylizer.frame import IDLE
from stylizer.source.synthetic import read_age_ms
from stylizer.stages import SourceEnded

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Wayland"),
]


def test_a_permission_taken_back_ends_the_source(on_portal, playing, open_portal, capsys):
    captured = open_portal()
    next_frame(captured)
    end_session(on_portal, captured)
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


def test_pipewire_may_be_restarted(on_portal, playing, open_portal, capsys):
    captured = open_portal()
    next_frame(captured)
    on_portal.end_part("portal", "portal-wlr", "proxy", "wireplumber", "pipewire")
    on_portal.start_sound_and_pictures()
    on_portal.start_portal()
    next_frame(captured)  # may be one that was under way
    assert is_what_was_drawn(next_frame(captured, numbered_frame, wait_s=60))
    said = capsys.readouterr().err
    assert "connecting again" in said
    assert "connected again" in said


def test_without_pipewire_the_source_breaks_with_one_sentence(
    on_portal, playing, open_portal, monkeypatch
):
    monkeypatch.setattr("stylizer.source.wayland.source.AGAIN_S", 1.0)
    monkeypatch.setattr("stylizer.source.wayland.source.ANSWER_S", 1.0)
    captured = open_portal()
    next_frame(captured)
    on_portal.end_part("portal", "portal-wlr", "proxy", "wireplumber", "pipewire")
    try:
        with pytest.raises(StylizerError, match="did not come back"):
            next_frame(captured, lambda _: False, wait_s=60)
    finally:
        on_portal.start_sound_and_pictures()
        on_portal.start_portal()


def test_a_portal_that_lost_pipewire_is_named(on_portal, playing, open_portal, monkeypatch):
    """PipeWire alone is restarted: the portal's part for wlroots does not connect to it again."""
    monkeypatch.setattr("stylizer.source.wayland.source.AGAIN_S", 1.0)
    monkeypatch.setattr("stylizer.source.wayland.portal.CALL_S", 5.0)
    captured = open_portal()
    next_frame(captured)
    on_portal.end_part("wireplumber", "pipewire")
    on_portal.start_sound_and_pictures()
    try:
        with pytest.raises(StylizerError, match=r"restart 'xdg-desktop-portal\*'"):
            next_frame(captured, lambda _: False, wait_s=60)
    finally:
        on_portal.end_part("portal", "portal-wlr", "proxy")
        on_portal.start_portal()


def change_desktop(desktop: SwayDesktop, event: str, pick: random.Random) -> None:
    """Another resolution, another workspace, or the window moved or out of fullscreen."""
    if event == "resize":
        size = pick.choice(("640x360", "480x270", "560x320"))
        desktop.tell("output", "HEADLESS-1", "resolution", size)
    elif event in ("away", "back"):
        desktop.tell("workspace", "2" if event == "away" else "1")
    elif event == "move":
        to = pick.choice("12")
        desktop.tell(WINDOW, "move", "container", "to", "workspace", to, check=False)
    else:
        desktop.tell(WINDOW, "fullscreen", "toggle", check=False)


def test_fifty_events_are_survived(on_portal, playing, open_portal, capsys):
    """Resized, moved to another workspace, closed, opened again, in any order; what comes between
    them is as young as ever."""
    pick = random.Random(21)
    captured, is_open = open_portal(), True
    ages: list[float] = []
    done: Counter[str] = Counter()
    for _ in range(50):
        here_or_gone = "close" if is_open else "open"
        event = pick.choice(["resize", "away", "back", "move", here_or_gone, "fullscreen"])
        if event == here_or_gone:
            playing.tell(event)
            is_open = event == "open"
        else:
            change_desktop(on_portal, event, pick)
        done[event] += 1
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            frame = captured.read(IDLE)
            if frame is not None and (age := read_age_ms(frame.rgb(), time.perf_counter())):
                ages.append(age)
    if not is_open:
        playing.tell("open")
    on_portal.tell("output", "HEADLESS-1", "resolution", "{}x{}".format(*SIZE))
    deadline = time.monotonic() + 20  # it may be opening, on either workspace
    while not on_portal.tell(WINDOW, "focus", check=False)[0]["success"]:
        assert time.monotonic() < deadline
    on_portal.tell(WINDOW, "fullscreen", "enable")
    frame = next_frame(captured, lambda f: f.size == SIZE and numbered_frame(f))
    assert is_what_was_drawn(frame)
    assert min(done[name] for name in ("resize", "move", "close", "open")) >= 3, done
    assert ages
    with capsys.disabled():
        p50, p99 = np.percentile(ages, [50, 99])
        print(f"\n50 events, {len(ages)} pictures between: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
