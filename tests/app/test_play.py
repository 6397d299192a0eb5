"""`stylizer play -- PROGRAM`: the game is started, found by its window, and painted over."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest
from whole_program import ROOT, fails

from stylizer.app import start_game

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11")
GAME = [sys.executable, str(ROOT / "tests" / "painted_window.py"), "Started Game"]


@pytest.fixture
def display(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("DISPLAY", xvfb)
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    yield xvfb
    for process in psutil.process_iter(["cmdline"]):  # what a test has started, and left
        if (process.info["cmdline"] or [])[: len(GAME)] == GAME:
            process.kill()


def test_a_launcher_starts_the_game_which_is_painted_and_goes_on(display, tmp_path):
    """The window belongs to a grandchild, as gamescope's and Steam's games do."""
    report, words = tmp_path / "r.json", [*GAME, "40", "30", "320", "180", "200", "30", "40"]
    # The game reads commands, and ends with them: they have to stay open.
    launcher = ["sh", "-c", f"tail -f /dev/null | {shlex.join(words)}; true"]
    env = {k: v for k, v in os.environ.items() if k != "SDL_VIDEODRIVER"}
    told = tmp_path / "told.txt"  # no pipe: the game would hold it open
    with told.open("w") as out:
        done = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), "play", "--model", "none", "--seconds", "1",
             "--report", str(report), "--", *launcher],
            env=env | {"PYTHONPATH": str(ROOT)}, stdout=out, stderr=out, timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, told.read_text()
    found = json.loads(report.read_text())
    assert found["present"] == "overlay"
    assert found["size"] == [320, 180]
    games = [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == words]
    assert len(games) == 1, "the game goes on"


def test_what_cannot_be_played_is_said_and_nothing_is_started(display, capsys, monkeypatch):
    fails(capsys, ["play"], 2, "which game?", "-- PROGRAM")
    fails(capsys, ["play", "--"], 2, "which program?")
    fails(capsys, ["play", "name", "--", "true"], 2, "which game?")
    fails(capsys, ["play", "--", "no-such-program"], 2, "no program 'no-such-program'")
    fails(capsys, ["play", "--monitor", "1", "--", *GAME], 2, "--monitor")
    monkeypatch.setattr(start_game, "WINDOW_S", 2.0)
    assert said(capsys, ["play", "--", "true"], "ended before it opened a window")
    began = time.monotonic()
    assert said(capsys, ["play", "--", "sleep", "5"], "opened no window within 2 s")
    assert time.monotonic() - began < 5


def said(capsys, argv: list[str], words: str) -> bool:
    """It fails with these words in its last sentence."""
    from stylizer.app.cli import main

    assert main(argv) == 1
    return words in capsys.readouterr().err.strip().splitlines()[-1]
