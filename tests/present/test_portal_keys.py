"""Global keys by the GlobalShortcuts portal: the real xdg-desktop-portal on a real bus, and below
it a desktop of ours."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import pytest
from desktop_shortcuts import shortcuts
from parts_of_desktops import pipewire_alone
from sway_desktop import PORTAL, SwayDesktop, skip_without

from stylizer.errors import StylizerError
from stylizer.hotkeys import DEFAULT_KEYS, Action

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="D-Bus"),
]


@pytest.fixture(scope="module")
def bus() -> Iterator[SwayDesktop]:
    skip_without({PORTAL: "xdg-desktop-portal"})
    with pipewire_alone() as running:
        yield running


@pytest.fixture
def on_bus(bus: SwayDesktop, monkeypatch: pytest.MonkeyPatch) -> SwayDesktop:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.env["DBUS_SESSION_BUS_ADDRESS"])
    return bus


class Heard:
    """PortalKeys, polled as a presenter does, and what came."""

    def __init__(self, overrides: dict[str, str] | None = None) -> None:
        from stylizer.present.portal_keys import PortalKeys

        self.keys = PortalKeys(overrides or {})
        self.actions: list[Action] = []
        self.notices: list[str] = []

    def until(self, there: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not there():
            assert time.monotonic() < deadline, (self.keys.why, self.actions, self.notices)
            began = time.monotonic()
            self.actions += self.keys.actions()
            assert time.monotonic() - began < 1, "it waits for nobody"
            self.notices += self.keys.take_notices()
            time.sleep(0.01)


@pytest.fixture
def hear() -> Iterator[Callable[..., Heard]]:
    opened: list[Heard] = []

    def open_keys(**changes: str) -> Heard:
        opened.append(Heard(changes))
        return opened[-1]

    yield open_keys
    for one in opened:
        one.keys.close()
        one.keys.close()


def test_keys_are_asked_for_pressed_and_given_back(on_bus, hear):
    from stylizer.present.portal_keys import offered_version

    with shortcuts(on_bus) as desktop:
        assert offered_version() == 1
        desktop.answers.clear()
        heard = hear(hud="super+shift+[", screenshot="")
        heard.until(lambda: desktop.session)
        time.sleep(0.2)
        heard.until(lambda: heard.keys.waits)
        desktop.answers.set()
        heard.until(lambda: heard.notices)
        assert not heard.keys.waits
        assert set(desktop.asked) == set(DEFAULT_KEYS) - {"screenshot"}
        facts = desktop.asked["hud"]
        assert facts["preferred_trigger"] == ("s", "SHIFT+LOGO+bracketleft")
        assert facts["description"] == ("s", "HUD: off, fps, graph")
        assert heard.keys.names["quit"] == "CTRL+ALT+Escape"
        assert heard.notices == [
            "keys from the desktop: Ctrl+Alt+Escape: quit; Ctrl+Alt+K: all keys"
        ]
        for action, member in (
            ("hud", "Activated"), ("hud", "Deactivated"), ("show_source", "Activated"),
            ("show_source", "Deactivated"), ("nothing", "Activated"), ("quit", "Activated"),
        ):  # fmt: skip
            desktop.press(action, member)
        heard.until(lambda: len(heard.actions) == 4)
        held = [Action("show_source", 1.0), Action("show_source", 0.0)]
        assert heard.actions == [Action("hud"), *held, Action("quit")]
        heard.keys.close()
        heard.until(lambda: desktop.ended)


def test_keys_that_the_user_changes_are_told(on_bus, hear):
    with shortcuts(on_bus, {"hud": "Meta+H", "quit": ""}) as desktop:
        heard = hear()
        heard.until(lambda: heard.notices)
        assert heard.keys.names == {"hud": "Meta+H"}
        assert "no keys for" in heard.notices[1]
        assert heard.notices[0] == "keys from the desktop: `stylizer key quit` ends it"
        desktop.change({"hud": "Meta+J", "quit": "Meta+Q"})
        heard.until(lambda: "keys from the desktop: Meta+Q: quit" in heard.notices)
        assert heard.keys.names == {"hud": "Meta+J", "quit": "Meta+Q"}
        desktop.take_back()
        heard.until(lambda: heard.keys.why)
        assert "taken the keys back" in heard.keys.why
        assert not heard.keys.names


def test_why_there_are_none_is_said(on_bus, hear, monkeypatch):
    from stylizer.present.portal_keys import offered_version

    with shortcuts(on_bus, answer=1):
        heard = hear()
        heard.until(lambda: heard.keys.why)
        assert "canceled" in heard.keys.why
    heard = hear()
    heard.until(lambda: heard.keys.why)
    assert heard.keys.why == "the desktop has no GlobalShortcuts portal"
    with on_bus.other_portal(XDG_DESKTOP_PORTAL_DIR="/nonexistent"):  # as below sway
        with pytest.raises(StylizerError, match="no GlobalShortcuts portal"):
            offered_version()
        heard = hear()
        heard.until(lambda: heard.keys.why)
        assert "no GlobalShortcuts portal" in heard.keys.why
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    assert "no D-Bus session" in hear().keys.why


def test_a_window_takes_them_and_says_where_keys_work_without_them(on_bus, xvfb, monkeypatch):
    from stylizer.present.session_keys import SessionKeys

    def heard_by(x11: bool) -> Heard:
        heard = Heard()
        heard.keys.close()
        heard.keys = SessionKeys({}, x11)  # type: ignore[assignment]
        return heard

    monkeypatch.setenv("DISPLAY", xvfb)
    with shortcuts(on_bus) as desktop:
        heard = heard_by(x11=True)
        heard.until(lambda: heard.notices)
        assert heard.keys.names["quit"] == "CTRL+ALT+Escape"
        desktop.press("hud")
        heard.until(lambda: heard.actions == [Action("hud")])
        heard.keys.close()
        heard.until(lambda: desktop.ended)
    for x11, where in ((True, "while an X11 program has"), (False, "in our own window only")):
        heard = heard_by(x11)
        heard.until(lambda h=heard: h.notices)
        assert where in heard.notices[0]
        assert "stylizer key NAME" in heard.notices[0]
        assert ("quit" in heard.keys.names) == x11
        heard.keys.close()


def test_a_bus_that_ends_is_said(hear, monkeypatch):
    with pipewire_alone() as desktop:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", desktop.env["DBUS_SESSION_BUS_ADDRESS"])
        with shortcuts(desktop):
            heard = hear()
            heard.until(lambda: heard.notices)
            desktop.end_part("bus")
            heard.until(lambda: "D-Bus session ended" in heard.keys.why)
