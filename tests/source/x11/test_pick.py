"""`--pick` with real clicks, with and without a window manager."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from x_display import wait_for_manager, x_server
from x_game import Game

from stylizer.app.cli import main

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")


@pytest.fixture(scope="module", params=["no manager", "openbox"])
def desktop(request: pytest.FixtureRequest) -> Iterator[str]:
    """DISPLAY with one red game at (200, 150) and one green one at (600, 400), 300x200 each."""
    manager, games = None, []
    if request.param == "openbox" and not shutil.which("openbox"):
        pytest.skip("openbox is not installed")
    before = os.environ.get("DISPLAY")
    with x_server() as display:
        os.environ["DISPLAY"] = display
        try:
            if request.param == "openbox":
                manager = subprocess.Popen(["openbox", "--sm-disable"])
                wait_for_manager()
            games = [
                Game("Red Game", (200, 150, 300, 200), (200, 30, 40)),
                Game("Green Game", (600, 400, 300, 200), (20, 180, 60)),
            ]
            yield display
        finally:
            for game in games:
                game.close()
            if manager:
                manager.kill()
                manager.wait()
            os.environ.pop("DISPLAY")
            if before:
                os.environ["DISPLAY"] = before


def pick(*actions: str, at: tuple[int, int] = (750, 500)) -> tuple[int, str, str]:
    """Exit code, output and errors of `windows --pick` while xdotool acts at a place."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "windows", "--pick", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert "click the window" in said
        subprocess.run(["xdotool", "mousemove", *map(str, at), *actions], check=True, timeout=20)
        out, error = process.communicate(timeout=20)
        return process.returncode, out, error
    finally:
        process.kill()
        process.wait()


def test_the_window_clicked_is_the_one(desktop):
    for title, at in (("Red Game", (350, 250)), ("Green Game", (750, 500))):
        code, out, error = pick("click", "1", at=at)
        assert code == 0, error
        (found,) = json.loads(out)
        assert found["title"] == title
        assert found["size"] == [300, 200], "the program's window, not the manager's frame"
    assert main(["windows", "--json"]) == 0


def test_escape_and_right_click_cancel(desktop):
    code, out, error = pick("key", "Escape")
    assert (code, out) == (1, "")
    assert "canceled with Escape" in error
    code, out, error = pick("click", "3")
    assert (code, out) == (1, "")
    assert "canceled with the mouse" in error
    assert error.count("\n") == 1


def test_the_desktop_is_no_window(desktop):
    code, _, error = pick("click", "1", at=(1250, 20))
    assert code == 1
    assert "the desktop was clicked" in error


def test_the_mouse_is_free_again_and_run_takes_the_pick(desktop, tmp_path):
    report = tmp_path / "r.json"
    argv = ["run", "--pick", "--present", "offscreen", "--model", "none", "--frames", "5"]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *argv, "--report", str(report)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        process.stderr.readline()
        click = ["xdotool", "mousemove", "350", "250", "click", "1"]
        subprocess.run(click, check=True, timeout=20)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
    finally:
        process.kill()
        process.wait()
    assert "Red Game" in json.loads(report.read_text())["capture_method"]


def test_a_mouse_that_another_program_holds_is_said(desktop):
    from stylizer.errors import StylizerError
    from stylizer.source.x11 import pick as picking
    from stylizer.system.x11 import Display

    holder, late = Display(), Display()
    picking.declare(holder.x, picking._SIGNATURES)
    try:
        picking._grab(holder, 0)
        with pytest.raises(StylizerError, match="another program holds the mouse"):
            picking.pick_window(late, lambda: None)
    finally:
        holder.close()
        late.close()


def test_pick_stands_alone(capsys):
    assert main(["run", "--pick", "--window", "x"]) == 2
    assert "--pick chooses the window itself" in capsys.readouterr().err
