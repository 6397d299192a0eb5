"""Less than a desktop, in a private folder as in sway_desktop.py: GNOME's compositor alone, and
PipeWire alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sway_desktop import PROGRAMS, SwayDesktop, running_desktop, skip_without


class MutterDesktop(SwayDesktop):
    """GNOME's compositor alone, headless, with one virtual monitor; no portal, no shell."""

    def start_portal(self) -> None:
        """Nothing: GNOME's portal wants its shell; mutter's own interface lies below it."""

    def _start_compositor(self) -> None:
        self.start_part(
            "mutter", "mutter", "--headless", "--wayland", "--virtual-monitor", "640x360",
            XDG_CURRENT_DESKTOP="GNOME", LIBGL_ALWAYS_SOFTWARE="1",
        )  # fmt: skip
        self._until("mutter", (self.runtime / "wayland-0").exists)
        self._until("mutter's interface", lambda: self._owned("org.gnome.Mutter.ScreenCast"))
        self.env["WAYLAND_DISPLAY"] = "wayland-0"


class PipeWireAlone(SwayDesktop):
    """PipeWire, WirePlumber and a bus, without a desktop."""

    def start_portal(self) -> None:
        """Nothing."""

    def _start_compositor(self) -> None:
        """Nothing."""


@contextmanager
def mutter_desktop() -> Iterator[SwayDesktop]:
    """A desktop of mutter's, one monitor of 640x360; skips, by name, where a package is missing."""
    needed = ("dbus-daemon", "pipewire", "wireplumber")
    skip_without({name: PROGRAMS[name] for name in needed} | {"mutter": "mutter"})
    with running_desktop(MutterDesktop, (640, 360), "") as desktop:
        yield desktop


@contextmanager
def pipewire_alone() -> Iterator[SwayDesktop]:
    """No desktop, but PipeWire; skips, by name, where a package is missing."""
    skip_without({name: PROGRAMS[name] for name in ("dbus-daemon", "pipewire", "wireplumber")})
    with running_desktop(PipeWireAlone, (1, 1), "") as desktop:
        yield desktop
