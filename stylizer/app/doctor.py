"""doctor: tries GL, the window, providers, capture and the encoder for real."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stylizer.errors import StylizerError, one_sentence
from stylizer.settings import PROVIDERS, Settings
from stylizer.stages import PRESENTERS, open_backend
from stylizer.system.installed import GL_LIBRARIES, fitting

UNIFORM_BYTES = 65536  # what most drivers take; with OpenGL's least, 16384, the count is no other
# The line at a message's end that mends it.
FIX = re.compile(r"(?:[:;,]| on Debian| to fix it:| run:)+ ((?:apt-get|pip) [^;]+)$")


@dataclass(frozen=True)
class Finding:
    """One thing tried: does it work, what was found, and the line that mends it."""

    what: str
    works: bool
    found: str
    fix: str = ""
    needed: bool = False  # without it nothing runs at all

    def as_dict(self) -> dict[str, Any]:
        return vars(self)


def examine() -> list[Finding]:
    """Try everything; never raises."""
    findings = [
        Finding("python", sys.version_info >= (3, 11), sys.version.split()[0], needed=True),
        attempt("offscreen GL", _offscreen, GL_LIBRARIES, needed=True),
        attempt("window", _window, "set DISPLAY, or use --present offscreen"),
        *_nvidia(),
        *_providers(),
        attempt("shaders of mosaic-fast", _shaders, "--provider cpu"),
        _one_onnxruntime(),
        attempt("screen capture (mss)", _screen, "set DISPLAY to an X11 display"),
        *_linux_capture(),
        attempt("video encoder (libx264)", _encoder, "pip install --force-reinstall av"),
        attempt("lab (torch)", _lab, "pip install 'stylizer[lab]'"),
    ]
    return [
        replace(finding, found=fitting(finding.found), fix=fitting(finding.fix))
        for finding in findings
    ]


def attempt(what: str, trial: Callable[[], str], fix: str, needed: bool = False) -> Finding:
    """Run the trial; its result or its error in words."""
    try:
        return Finding(what, True, trial(), needed=needed)
    except Exception as error:
        return failed(what, one_sentence(error), fix, needed)


def failed(what: str, why: str, fix: str = "", needed: bool = False) -> Finding:
    """A finding that did not work; the line in its reason that mends it goes before `fix`."""
    line = FIX.search(why)
    found = why[: line.start()] if line else why
    return Finding(what, False, found, line[1] if line else fix, needed)


def _present(name: str) -> str:
    settings = Settings(present=name, size=(320, 180))
    presenter = open_backend(PRESENTERS, "presenter", name, settings, settings.size)
    try:
        presenter.present()
        info = presenter.context.info
        return f"{info['GL_RENDERER']}; {info['GL_VERSION']}; {presenter.reason}"
    finally:
        presenter.close()


def _offscreen() -> str:
    return _present("offscreen")


def _window() -> str:
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise StylizerError("no display: neither DISPLAY nor WAYLAND_DISPLAY is set")
    return _present("window")


def _nvidia() -> list[Finding]:
    """The driver, where there is one."""
    from stylizer.system.nvidia import nvidia_driver

    driver = nvidia_driver()
    if driver is None:
        return []
    found = f"{driver}; {driver.unfit}" if driver.unfit else str(driver)
    return [Finding("NVIDIA driver", not driver.unfit, found, driver.fix if driver.unfit else "")]


def _providers() -> list[Finding]:
    from stylizer.style import providers
    from stylizer.style.inspection import prove_provider

    findings = []
    for name in PROVIDERS[1:]:
        if sys.platform not in providers.PROVIDERS[name].platforms:
            continue  # nothing that anybody could mend
        works, text = prove_provider(name)
        found, _, fix = text.removeprefix(f"{name}: ").partition("; to fix it: ")
        what, needed = f"provider {name}", name == "cpu"
        findings.append(
            Finding(what, True, found, "", needed) if works else failed(what, found, fix, needed)
        )
    return findings


def _shaders() -> str:
    """How a real network is drawn, which tells more than the tiny one of `provider gl`."""
    from stylizer.style import catalog
    from stylizer.style.gl.arithmetic import arithmetic
    from stylizer.style.opening import open_style
    from stylizer.style.probe import load_model

    style = open_style(Settings(provider="gl"), "mosaic-fast", (640, 360))
    timing = style.provider_reason.partition(" with ")[2]
    style.close()
    path = catalog.resolve("mosaic-fast", "gl").path
    assert path is not None
    mine, graphs = arithmetic(*load_model(path, 0), (1280, 720), UNIFORM_BYTES)
    times = f" ({mine / graphs:.2f} times the graph's own)" if graphs else ""
    return f"{timing}; {mine / 1e9:.2f} billion multiplications{times} at 1280x720"


def _one_onnxruntime() -> Finding:
    from stylizer.style.providers import package_conflict

    conflict = package_conflict()
    if conflict is None:
        return Finding("one onnxruntime package", True, "no second one is installed")
    return failed("one onnxruntime package", conflict)


def _screen() -> str:
    from stylizer.source.screen import open_screen

    with open_screen() as grabber:
        monitor = grabber.monitors[0]
        shot = grabber.grab(monitor)
        return f"{shot.width}x{shot.height} pixels grabbed"


def _linux_capture() -> list[Finding]:
    if not sys.platform.startswith("linux"):
        return []
    keys = "--sway" if os.environ.get("SWAYSOCK") else "--help"
    over_native = (
        []
        if not os.environ.get("WAYLAND_DISPLAY")
        else [
            attempt("layer over a monitor (Wayland)", lambda: _present("layer"), ""),
            attempt("keys over a native game (Wayland)", _portal_keys, f"stylizer key {keys}"),
        ]
    )
    return [
        *over_native,
        attempt("window capture (X11)", _x11, "start the game as an X11 program (XWayland)"),
        attempt("portal capture (Wayland)", _portal, "apt-get install xdg-desktop-portal"),
        attempt("camera (PipeWire)", _camera, "apt-get install pipewire wireplumber, log in again"),
    ]


def _x11() -> str:
    from stylizer.source.x11.window_list import list_windows
    from stylizer.system.x11 import Display
    from stylizer.system.xlib import library

    display = Display()
    try:
        for name in ("Xcomposite", "Xdamage", "Xext"):
            library(name)
        return f"{len(list_windows(display))} windows"
    finally:
        display.close()


def _portal() -> str:
    from stylizer.source.wayland.portal import MONITOR, WINDOW, ScreenCast
    from stylizer.system.libpipewire import library

    portal = ScreenCast()
    try:
        library()
        kinds = [n for bit, n in ((MONITOR, "monitors"), (WINDOW, "windows")) if portal.kinds & bit]
        return f"ScreenCast version {portal.version}: {', '.join(kinds)}"
    finally:
        portal.close()


def _portal_keys() -> str:
    from stylizer.present.portal_keys import offered_version

    return f"GlobalShortcuts version {offered_version()}"


def _camera() -> str:
    from stylizer.system.pipewire import Stream

    Stream(None).close()
    return "PipeWire runs: --camera"


def _encoder() -> str:
    import numpy as np

    from stylizer.present.record import Recorder

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "doctor.mp4"
        with Recorder(path, (320, 180), 30.0) as recorder:
            for shade in (0, 128, 255):
                recorder.add(np.full((180, 320, 3), shade, np.uint8), 0.0)
        return f"3 frames encoded, {path.stat().st_size} bytes"


def _lab() -> str:
    import torch

    kind = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU only"
    return f"torch {torch.__version__}, {kind}"
