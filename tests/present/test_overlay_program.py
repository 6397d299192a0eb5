"""The whole program over a real window of another process, and where an overlay cannot be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mss
import numpy as np
import pytest
import tiny_models
from flat_clips import flat
from whole_program import until, xdotool
from x_game import RED, heard
from x_overlay import PLACE

from stylizer.app.cli import main
from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")


@pytest.fixture(scope="module")
def xvfb(each_manager: str) -> str:
    return each_manager


class Program:
    """The stylizer as a user starts it, over the red game."""

    def __init__(self, cwd: Path, *argv: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), "run", "--window", "Red Game", *argv],
            cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def end(self) -> tuple[int, str]:
        _, error = self.process.communicate(timeout=60)
        return self.process.returncode, error


@pytest.mark.parametrize("each_manager", ["openbox"], indirect=True)
def test_the_whole_program_paints_the_game_under_the_mouse(game, xvfb, tmp_path):
    """Painted exactly once, frame after frame: what is shown is not captured again."""
    one = game(place=PLACE)
    model = tiny_models.painter(tmp_path / "painter.onnx")
    painted = tiny_models.mixed(flat((1, 1), RED))[0, 0]
    eye, grabber = Display(xvfb), mss.MSS(display=xvfb)
    window = find_window(eye, "Red Game")[0].id
    x, y = eye.place(window)
    box = {"left": x, "top": y + 6, "width": PLACE[2], "height": PLACE[3] - 6}

    def colors() -> np.ndarray:
        return np.asarray(grabber.grab(box))[:, :, 2::-1].astype(int)

    def is_painted(part: slice = slice(None)) -> bool:
        return bool((abs(colors()[:, part] - painted) <= 1).all())

    assert abs(painted.astype(int) - RED).max() > 20
    program = Program(
        tmp_path, "--present", "overlay", "--model", str(model), "--provider", "cpu",
        "--hud", "off", "--report", "r.json", "--strength", "0.9",
    )  # fmt: skip
    try:
        until(lambda: (abs(colors() - RED) > 10).any(), seconds=60)  # it is there
        xdotool("mousemove", x + 200, y + 150, "click", 1)
        until(lambda: "click 200 150" in heard(one))
        xdotool("key", "ctrl+alt+bracketright")  # 90 % -> 100 %
        until(is_painted, seconds=30)
        xdotool("key", "ctrl+alt+b")  # before/after: the left half is the game's
        until(lambda: (colors()[:, :150] == np.array(RED)).all() and is_painted(slice(250, 400)))
        one.tell("quit")
        code, error = program.end()
    finally:
        program.process.kill()
        grabber.close()
        eye.close()
    assert (code, "Traceback" in error) == (0, False), error
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["present"] == "overlay"
    assert report["styled_frames"] > 2
    assert not [word for word in heard(one) if word.startswith("key ") and word[4:] in "b]"]


# --- without a display of any kind --------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--present", "overlay"], ["overlay needs --window NAME"]),
        (["--present", "overlay", "--input", "a.mp4"], ["overlay needs --window NAME"]),
        (
            ["--present", "overlay", "--source", "screen"],
            ["overlay needs --window NAME", "whatever lies over the game"],
        ),
        (["--present", "offscreen", "--grab-keys"], ["--grab-keys", "offscreen"]),
    ],
)
def test_where_an_overlay_cannot_be(capsys, argv, words):
    assert main(["run", *argv]) == 2
    error = capsys.readouterr().err.strip()
    assert error.count("\n") == 0
    assert all(word in error for word in words), error


def test_a_foreign_x_error_still_ends_at_xlib(xvfb):
    """SDL's error handler between two of ours passes errors back to us: no endless circle."""
    code = (
        "import ctypes, pygame\n"
        "from stylizer.system.x11 import Display\n"
        "first = Display()\n"
        "pygame.display.init()\n"
        "second = Display()\n"
        "x = first.x\n"
        "foreign = x.XOpenDisplay(None)\n"
        "with second.trying() as errors: x.XMapWindow(second.pointer, 1)\n"
        "print(errors, flush=True)\n"
        "x.XMapWindow(foreign, 1)\n"
        "x.XSync(foreign, 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env=os.environ | {"DISPLAY": xvfb, "SDL_VIDEODRIVER": "x11"},
    )  # fmt: skip
    assert "[3]" in done.stdout  # BadWindow, ours: told to us
    assert done.returncode == 1
    assert "BadWindow" in done.stderr
