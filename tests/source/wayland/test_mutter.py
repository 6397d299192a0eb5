"""A window and a monitor of mutter's, headless, through its own ScreenCast interface: what GNOME's
portal stands on. Its windows come as the used part of a larger buffer."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil
import pytest
from drawn_frames import is_what_was_drawn, shows_what_was_drawn
from jeepney import DBusAddress, MatchRule, MessageType, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, Proxy, prep_socket
from mutter_input import hands
from parts_of_desktops import mutter_desktop
from sway_desktop import HERE, SwayDesktop, end

from stylizer.frame import IDLE
from stylizer.settings import Settings

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Wayland"),
]
NAME, PATH = "org.gnome.Mutter.ScreenCast", "/org/gnome/Mutter/ScreenCast"
SIZE = (320, 180)


@pytest.fixture(scope="module")
def desktop() -> Iterator[SwayDesktop]:
    with mutter_desktop() as running:
        yield running


@contextmanager
def recorded(desktop: SwayDesktop, method: str, signature: str, *body: Any):
    """A `VideoStream` of mutter's Record method."""
    from stylizer.source.wayland.pipewire import VideoStream

    with DBusConnection(prep_socket(str(desktop.runtime / "bus"))) as bus:

        def call(path: str, kind: str, method: str, signature: str = "", body: Any = ()) -> Any:
            message = new_method_call(DBusAddress(path, NAME, kind), method, signature, body)
            deadline = time.monotonic() + 20
            while True:
                reply = bus.send_and_get_reply(message, timeout=20)
                if reply.header.message_type is not MessageType.error:
                    return reply.body
                # A window that was shown just now may not have the focus yet.
                assert reply.body == ("Window not found",), reply.body
                assert time.monotonic() < deadline, reply.body

        (session,) = call(PATH, NAME, "CreateSession", "a{sv}", ({},))
        (stream,) = call(session, f"{NAME}.Session", method, signature, body)
        rule = MatchRule(type="signal", interface=f"{NAME}.Stream", path=stream)
        Proxy(message_bus, bus).AddMatch(rule)
        with bus.filter(rule) as added:
            call(session, f"{NAME}.Session", "Start")
            (node,) = bus.recv_until_filtered(added, timeout=20).body
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(desktop.runtime / "pipewire-0"))
        video = VideoStream(connection.detach(), node)
        try:
            yield video
        finally:
            video.close()


def until(take: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """The first good one."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        one = take()
        if one is not None and good(one):
            return one
    raise AssertionError("no such picture within 30 s")


def test_a_window_and_a_monitor(desktop):
    window = desktop.window("Numbered", SIZE)
    try:
        with recorded(desktop, "RecordWindow", "a{sv}", {}) as stream:  # the one with the focus
            picture = until(lambda: stream.take(0.1), lambda p: p.pixels.shape[:2] == SIZE[::-1])
            assert stream.size == (640, 360), "the window is a part of the buffer"
            assert shows_what_was_drawn(picture.pixels[:, :, 2::-1])
            assert 0 <= time.perf_counter() - picture.at_s < 5
        with recorded(desktop, "RecordMonitor", "sa{sv}", "Meta-0", {}) as stream:
            picture = until(lambda: stream.take(0.1), lambda p: True)
            assert picture.pixels.shape == (360, 640, 4)
            end(window)
            until(lambda: stream.take(0.1), lambda p: not p.pixels[150:200, 300:340, :3].std() > 60)
    finally:
        end(window)


def x_display(desktop: SwayDesktop) -> dict[str, str]:
    """DISPLAY and XAUTHORITY of mutter's XWayland, from its command line."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(str(desktop.runtime) in word for word in words) and "Xwayland" in words[0]:
            return {"DISPLAY": words[1], "XAUTHORITY": words[words.index("-auth") + 1]}
    pytest.skip("mutter runs without XWayland (apt-get install xwayland)")


def test_an_x11_game_by_its_own_window(desktop, monkeypatch):
    from stylizer.source.x11.window import WindowSource

    place = x_display(desktop)
    process: subprocess.Popen[str] = desktop.open(
        sys.executable, str(HERE / "synthetic_window.py"), "X Game", "0", "0", *map(str, SIZE),
        "60", SDL_VIDEODRIVER="x11", **place,
    )  # fmt: skip
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    source = WindowSource(Settings(source="window", window="X Game"))
    try:
        assert source.size == SIZE
        until(lambda: source.read(IDLE), is_what_was_drawn)
    finally:
        source.close()
        end(process)
    assert os.environ["DISPLAY"] == place["DISPLAY"]


def said_by(game: subprocess.Popen[str]) -> str:
    """What it has printed since; waits a moment for more."""
    assert game.stdout is not None
    fd, found = game.stdout.fileno(), ""
    while select.select([fd], [], [], 0.5)[0]:
        found += os.read(fd, 4096).decode()
    return found


def test_the_overlay_covers_an_x11_game_and_lets_clicks_and_keys_through(desktop):
    place = x_display(desktop) | {"SDL_VIDEODRIVER": "x11"}
    script, red = str(HERE / "painted_window.py"), (200, 30, 40)
    where = [str(number) for number in (100, 60, *SIZE, *red)]
    game = desktop.open(sys.executable, script, "Red Game", *where, **place)

    def share(picture: Any) -> float:
        """How much of the game's size is seen as it draws it."""
        seen = (picture.pixels[:, :, 2::-1] == np.array(red)).all(axis=2).sum()
        return float(seen / (SIZE[0] * SIZE[1]))

    try:
        with recorded(desktop, "RecordMonitor", "sa{sv}", "Meta-0", {}) as stream:
            seen = until(lambda: stream.take(0.1), lambda p: share(p) > 0.9).pixels[:, :, 2::-1]
            rows, columns = np.nonzero((seen == np.array(red)).all(axis=2))
            painter = desktop.open(
                sys.executable, str(HERE.parent / "main.py"), "run", "--window", "Red Game",
                "--present", "overlay", "--model", "mosaic-fast", "--provider", "cpu", "--hud",
                "graph", ready="", XDG_CURRENT_DESKTOP="GNOME", **place,
            )  # fmt: skip
            try:
                until(lambda: stream.take(0.1), lambda p: share(p) < 0.02)
                with hands(desktop.runtime / "bus") as player:
                    player.move(int(columns.mean()), int(rows.mean()))
                    told, deadline = "", time.monotonic() + 30
                    while not ("click" in told and "key x" in told):
                        assert time.monotonic() < deadline, told
                        player.click()
                        player.press("x")
                        told += said_by(game)
                    player.press("ctrl+shift+escape")  # Ctrl+Alt+Escape is the desktop's
                    assert painter.wait(60) == 0
                assert "escape" not in told + said_by(game)
            finally:
                end(painter)
            until(lambda: stream.take(0.1), lambda p: share(p) > 0.9)
    finally:
        end(game)
