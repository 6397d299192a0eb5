"""A game that is an X11 client of sway's XWayland: captured by the X11 window source, covered by
the overlay, played through it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from drawn_frames import is_what_was_drawn, next_frame
from sway_desktop import HERE, SwayDesktop, end, sway_desktop
from sway_game import FULL_SCREEN, SIZE, RedGame, has_hud, is_covered, picture
from virtual_input import hands
from whole_program import fails, until

from stylizer.app.cli import main
from stylizer.settings import Settings
from stylizer.source.synthetic import read_frame_number
from stylizer.stages import SourceEnded

TOOLS = {"grim": "grim", "Xwayland": "xwayland"}
MISSING = [
    package
    for program, package in TOOLS.items()
    if subprocess.run(["which", program], capture_output=True).returncode
]
pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Wayland"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


@pytest.fixture(scope="module")
def desktop() -> Iterator[SwayDesktop]:
    with sway_desktop(SIZE, FULL_SCREEN) as running:
        running.env["DISPLAY"] = running.x_display()
        yield running


@pytest.fixture
def numbered(on_sway: SwayDesktop) -> Iterator[subprocess.Popen[str]]:
    script = str(HERE / "synthetic_window.py")
    size = [str(side) for side in (320, 180)]
    process = on_sway.open(
        sys.executable, script, "Numbered", "0", "0", *size, "60", SDL_VIDEODRIVER="x11"
    )
    yield process
    end(process)


@pytest.fixture
def red_game(on_sway: SwayDesktop) -> Iterator[RedGame]:
    game = RedGame(on_sway, "x11")
    yield game
    game.close()


def test_its_own_pixels_also_on_another_workspace_until_it_closes(on_sway, numbered):
    from stylizer.source.x11.window import WindowSource

    source = WindowSource(Settings(source="window", window="Numbered"))
    try:
        assert source.size == (320, 180)
        first = read_frame_number(next_frame(source, is_what_was_drawn).rgb())
        on_sway.tell("workspace", "2")
        hidden = read_frame_number(next_frame(source, is_what_was_drawn).rgb())
        on_sway.tell("workspace", "1")
        assert None not in (first, hidden)
        on_sway.tell('[title="Numbered"]', "kill")
        with pytest.raises(SourceEnded):
            next_frame(source, lambda _: False)
    finally:
        source.close()


def test_native_windows_are_named_with_their_way(on_sway, capsys, monkeypatch):
    argv = ["run", "--window", "native game", "--present", "offscreen", "--model", "none"]
    window = on_sway.window("Native Game", (320, 180))
    try:
        fails(capsys, argv, 2, "no window matches", "'Native Game'", "--source wlroots")
        assert main(["windows"]) == 0
        told = capsys.readouterr()
        assert "no X11 window" in told.out
        assert "'Native Game'" in told.err
        assert main(["windows", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == []
        monkeypatch.delenv("SWAYSOCK")
        fails(capsys, argv, 2, "no window matches", "--source portal")
    finally:
        end(window)


def test_a_native_game_that_is_played_is_said_at_once(on_sway, tmp_path, capsys):
    script = str(HERE / "wayland_window.py")
    kept = tmp_path / "pid"
    game = ["sh", "-c", f"echo $$ > {kept}; sleep 99 | {sys.executable} {script} Native 320 180 60"]
    argv = ["play", "--model", "none", "--", *game]
    assert main(argv) == 1
    assert "native Wayland window" in capsys.readouterr().err
    os.killpg(int(kept.read_text()), signal.SIGTERM)  # a session of its own


def test_the_overlay_covers_it_and_lets_clicks_and_keys_through(on_sway, red_game, tmp_path):
    shown = tmp_path / "screen.png"
    process = on_sway.open(
        sys.executable, str(HERE.parent / "main.py"), "run", "--window", "Red Game", "--hud", "off",
        "--present", "overlay", "--model", "mosaic-fast", "--provider", "cpu", ready="",
        STYLIZER_SETTINGS=os.environ["STYLIZER_SETTINGS"],
    )  # fmt: skip

    def covers() -> bool:
        """All of the game lies under the painted picture."""
        assert process.poll() is None
        return is_covered(picture(on_sway, shown))

    try:
        until(covers, "the game was never covered")
        with hands(on_sway.env["WAYLAND_DISPLAY"]) as player:
            until(lambda: red_game.is_played(player), "no click or key reached the game")
            red_game.got.clear()
            player.press("ctrl+alt+h")
            until(lambda: has_hud(picture(on_sway, shown)), "the global key did nothing")
            assert "key h" not in red_game.got, "the game does not see our keys"
            assert main(["key", "hud"]) == 0  # fps -> graph
            until(lambda: _has_graph(picture(on_sway, shown)), "`stylizer key` did nothing")
            on_sway.tell("workspace", "2")
            until(lambda: is_empty(picture(on_sway, shown)), "it lies over another workspace")
            on_sway.tell("workspace", "1")
            until(covers, "it did not come back with the game")
            on_sway.tell('[title="Red Game"]', "move", "scratchpad")
            until(lambda: is_empty(picture(on_sway, shown)), "it stays without its minimized game")
            on_sway.tell("scratchpad", "show")
            until(covers, "it did not come back from the scratchpad")
            assert main(["key", "quit"]) == 0
            process.wait(30)
            assert process.returncode == 0
    finally:
        end(process)


def is_empty(screen: np.ndarray) -> bool:
    """A workspace without a window: one color, but for the mouse pointer."""
    return bool((screen == screen[-1, -1]).all(axis=2).mean() > 0.98)


def _has_graph(screen: np.ndarray) -> bool:
    """The panel reaches further down with it."""
    return bool(screen[80:90, 60:180].max(axis=2).mean() < 100)


def test_a_key_without_a_window_is_said(on_sway, capsys):
    fails(capsys, ["key", "hud"], 1, "no window", "stylizer run")
    fails(capsys, ["key", "nothing"], 2, "nothing")
    fails(capsys, ["key", "hud", "--release"], 2, "--release", "show_source")
