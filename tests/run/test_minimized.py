"""A window of our own that nobody sees costs next to nothing, and goes on when it is back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import psutil
import pytest
from whole_program import ROOT, until
from x_display import wait_for_manager, x_server

from stylizer.source.x11.window_list import list_windows
from stylizer.system.x11 import Display

TOOLS = [tool for tool in ("xdotool", "openbox") if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 only"),
    pytest.mark.skipif(bool(TOOLS), reason=f"not installed: {TOOLS}"),
]


def busy_s(process: psutil.Process, seconds: float) -> float:
    """Processor time that it takes in so many seconds."""
    before = process.cpu_times()
    time.sleep(seconds)
    after = process.cpu_times()
    return after.user + after.system - before.user - before.system


def found(title: str, display: str) -> str:
    """Id of the window whose title ends so, once it is there: the style stands before it."""
    connection, deadline = Display(display), time.monotonic() + 40
    try:
        while True:
            windows = [w for w in list_windows(connection) if w.title.endswith(title)]
            if windows:
                return str(windows[0].id)
            assert time.monotonic() < deadline, "no window appeared"
            time.sleep(0.2)
    finally:
        connection.close()


def test_a_minimized_window_idles():
    with x_server() as display:
        env = os.environ | {"DISPLAY": display}
        manager = subprocess.Popen(["openbox", "--sm-disable"], env=env, stderr=subprocess.DEVNULL)
        try:
            wait_for_manager(display)
            words = ["--source", "demo", "--size", "320x180", "--model", "mosaic-fast"]
            run = subprocess.Popen([sys.executable, str(ROOT / "main.py"), "run", *words], env=env)
            window = found("mosaic – stylizer", display)  # the style, once it paints
            process = psutil.Process(run.pid)
            shown = busy_s(process, 1.0)  # shares of one run, on whatever machine
            subprocess.run(["xdotool", "windowminimize", window], env=env, check=True)
            until(lambda: busy_s(process, 1.0) < shown / 3, seconds=20)
            subprocess.run(["xdotool", "windowmap", window], env=env, check=True)
            until(lambda: busy_s(process, 0.5) > shown / 4, "it does not go on", seconds=20)
            run.terminate()
            assert run.wait(30) == 130
        finally:
            manager.kill()
            manager.wait()
