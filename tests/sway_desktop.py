"""A Wayland desktop of our own, without a screen or a GPU: sway on wlroots' headless backend with
the software renderer, D-Bus, PipeWire, WirePlumber and the ScreenCast portal with its chooser off.

All of it lives in a private folder, ends with the block, and sees nothing of the user's session.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PORTAL, PORTAL_WLR = "/usr/libexec/xdg-desktop-portal", "/usr/libexec/xdg-desktop-portal-wlr"
PERMISSIONS = "/usr/libexec/xdg-permission-store"
PROGRAMS = {  # program -> Debian's package
    "sway": "sway", "swaymsg": "sway", "dbus-daemon": "dbus-daemon", "pipewire": "pipewire",
    "wireplumber": "wireplumber", PORTAL: "xdg-desktop-portal", PERMISSIONS: "xdg-desktop-portal",
    PORTAL_WLR: "xdg-desktop-portal-wlr",
}  # fmt: skip
START_S = 30.0  # on a busy machine; everything is there after 3 s on an idle one
# No activation but of the store of permissions: the desktop's others would come along.
BUS = """<busconfig><type>session</type><listen>unix:path={runtime}/bus</listen>
<auth>EXTERNAL</auth><servicedir>{home}/services</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"""
CONFIG = """output HEADLESS-1 resolution {width}x{height} position 0 0
default_border none
focus_follows_mouse no
{more}"""


class SwayDesktop:
    """The running desktop. env: what a program on it needs in its environment."""

    def __init__(self, folder: Path, size: tuple[int, int], more: str) -> None:
        self.runtime, self.home = folder / "run", folder / "home"
        for path in (self.runtime, self.home / "services", self.home / ".config"):
            path.mkdir(parents=True, mode=0o700)
        self._parts: dict[str, subprocess.Popen] = {}
        self._programs: list[subprocess.Popen] = []
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "DBUS_"))}
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "SWAYSOCK", "I3SOCK"):
            self.env.pop(name, None)
        self.env |= {
            "XDG_RUNTIME_DIR": str(self.runtime), "HOME": str(self.home),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.runtime}/bus",
            "XDG_CURRENT_DESKTOP": "sway", "XDG_SESSION_TYPE": "wayland",
            "PYTHONPATH": str(HERE.parent),
        }  # fmt: skip
        self._write_configuration(size, more)

    def start(self) -> None:
        self.start_part("bus", "dbus-daemon", "--nofork", f"--config-file={self.home}/bus.conf")
        self._until("the bus", (self.runtime / "bus").exists)
        self._start_compositor()
        self.start_sound_and_pictures()
        self.start_portal()

    def start_sound_and_pictures(self) -> None:
        """PipeWire and what connects its streams."""
        self.start_part("pipewire", "pipewire")
        self._until("PipeWire", (self.runtime / "pipewire-0").exists)
        self.start_part("wireplumber", "wireplumber")

    def start_portal(self) -> None:
        """The portal's part for wlroots, behind portal_proxy.py, and the portal."""
        (self.runtime / "portal-proxy").unlink(missing_ok=True)
        wayland = str(self.runtime / self.env["WAYLAND_DISPLAY"])
        proxied = str(self.runtime / "portal-proxy")
        self.start_part("proxy", sys.executable, str(HERE / "portal_proxy.py"), proxied, wayland)
        self._until("the portal's proxy", Path(proxied).exists)
        self.start_part(
            "portal-wlr", PORTAL_WLR, "-l", "INFO",
            WAYLAND_DISPLAY="portal-proxy", XDPW_PERSIST_MODE="permanent",
        )  # fmt: skip
        self._until("the portal's part for wlroots", lambda: self._owned(WLR_NAME))
        self.start_part("portal", PORTAL)
        self._until("the portal", lambda: self._owned(PORTAL_NAME))

    @contextmanager
    def other_portal(self, **env: str) -> Iterator[None]:
        """Only the portal itself, started anew with this in its environment."""
        ran = "portal" in self._parts
        if ran:
            self.end_part("portal")
        self.start_part("portal", PORTAL, **env)
        self._until("the portal", lambda: self._owned(PORTAL_NAME))
        try:
            yield
        finally:
            self.end_part("portal")
            if ran:
                self.start_part("portal", PORTAL)
                self._until("the portal", lambda: self._owned(PORTAL_NAME))

    def start_part(self, name: str, *command: str, **env: str) -> None:
        with open(self.home / f"{name}.log", "ab") as log:
            self._parts[name] = subprocess.Popen(
                command, env=self.env | env, cwd=self.home, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip

    def end_part(self, *names: str) -> None:
        for name in names:
            end(self._parts.pop(name))

    def open(self, *command: str, ready: str = "ready", **env: str) -> subprocess.Popen[str]:
        """Start a program on the desktop; ready: what it says once its window is there."""
        process = subprocess.Popen(
            command, env=self.env | env, cwd=self.home, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._programs.append(process)
        if ready:
            assert process.stdout is not None
            assert process.stdout.readline() == f"{ready}\n", command
        return process

    def window(self, title: str, size: tuple[int, int], rate: int = 60) -> subprocess.Popen[str]:
        """wayland_window.py, on the screen."""
        script = str(HERE / "wayland_window.py")
        return self.open(sys.executable, script, title, *map(str, size), str(rate))

    def x_display(self) -> str:
        """The DISPLAY of sway's XWayland, which starts with the first program that uses it."""
        place = self.home / "display"
        self.tell("exec", f"sh -c 'echo $DISPLAY > {place}.new && mv {place}.new {place}'")
        self._until("XWayland's name", place.exists)
        name = place.read_text().strip()
        if not name:
            pytest.skip("sway runs without XWayland (apt-get install xwayland)")
        return name

    def tell(self, *words: str, check: bool = True) -> Any:
        """A command or a query of swaymsg; its answer. check: it may not fail."""
        done = subprocess.run(
            ["swaymsg", "-r", *words], env=self.env, capture_output=True, text=True, timeout=20
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def close(self) -> None:
        for process in (*self._programs, *reversed(self._parts.values())):
            end(process)

    def _start_compositor(self) -> None:
        command = ["sway", "-c", str(self.home / "sway.conf")]
        if os.getuid() == 0:  # sway refuses root; there it is told that it is somebody else
            command = ["unshare", "--user", "--map-user=1000", "--map-group=1000", *command]
        self.start_part(
            "sway", *command,
            WLR_BACKENDS="headless", WLR_RENDERER="pixman", WLR_LIBINPUT_NO_DEVICES="1",
        )  # fmt: skip
        self._until("sway", lambda: list(self.runtime.glob("sway-ipc.*.sock")))
        self.env["SWAYSOCK"] = str(next(self.runtime.glob("sway-ipc.*.sock")))
        self.env["WAYLAND_DISPLAY"] = next(
            path.name for path in self.runtime.glob("wayland-*") if path.suffix != ".lock"
        )

    def _owned(self, name: str) -> bool:
        """Whether somebody on the bus has this name."""
        from jeepney import message_bus
        from jeepney.io.blocking import DBusConnection, Proxy, prep_socket

        with DBusConnection(prep_socket(str(self.runtime / "bus"))) as bus:
            return bool(Proxy(message_bus, bus).NameHasOwner(name)[0])

    def _until(self, what: str, there: Callable[[], Any]) -> None:
        deadline = time.monotonic() + START_S
        while not there():
            ended = [name for name, part in self._parts.items() if part.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = "".join((self.home / f"{name}.log").read_text()[-800:] for name in ended)
                pytest.fail(f"{what} did not come up; ended: {ended}\n{logs}")
            time.sleep(0.02)

    def _write_configuration(self, size: tuple[int, int], more: str) -> None:
        width, height = size
        config = CONFIG.format(width=width, height=height, more=more)
        (self.home / "sway.conf").write_text(config)
        (self.home / "bus.conf").write_text(BUS.format(runtime=self.runtime, home=self.home))
        (self.home / "services" / "permissions.service").write_text(
            f"[D-BUS Service]\nName={STORE_NAME}\nExec={PERMISSIONS}\n"
        )
        portal = self.home / ".config" / "xdg-desktop-portal-wlr" / "config"
        portal.parent.mkdir()
        portal.write_text("[screencast]\nmax_fps=60\nchooser_type=none\noutput_name=HEADLESS-1\n")


WLR_NAME = "org.freedesktop.impl.portal.desktop.wlr"
PORTAL_NAME = "org.freedesktop.portal.Desktop"
STORE_NAME = "org.freedesktop.impl.portal.PermissionStore"


def end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def enter(desktop: SwayDesktop, monkeypatch: pytest.MonkeyPatch) -> SwayDesktop:
    """Put this process on the desktop, with a home of its own."""
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    for name, value in desktop.env.items():
        if name != "HOME":
            monkeypatch.setenv(name, value)
    return desktop


@contextmanager
def sway_desktop(size: tuple[int, int] = (1280, 720), more: str = "") -> Iterator[SwayDesktop]:
    """A desktop of one output, HEADLESS-1; more: lines of sway's configuration.

    Skips, by name, where a package is missing or sway cannot start as root.
    """
    skip_without(PROGRAMS)
    if (
        os.getuid() == 0
        and subprocess.run(
            ["unshare", "--user", "--map-user=1000", "true"], capture_output=True
        ).returncode
    ):
        pytest.skip("sway does not start as root, and there are no user namespaces here")
    with running_desktop(SwayDesktop, size, more) as desktop:
        yield desktop


def skip_without(programs: dict[str, str]) -> None:
    missing = sorted({package for name, package in programs.items() if not shutil.which(name)})
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@contextmanager
def running_desktop(
    kind: type[SwayDesktop], size: tuple[int, int], more: str
) -> Iterator[SwayDesktop]:
    folder = Path(tempfile.mkdtemp(prefix="sway-"))  # short: names of sockets have 107 bytes
    desktop = kind(folder, size, more)
    try:
        desktop.start()
        yield desktop
    finally:
        desktop.close()
        shutil.rmtree(folder, ignore_errors=True)
