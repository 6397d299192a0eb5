"""The layer over a monitor, on sway: a native Wayland game below it is covered and played."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from desktop_shortcuts import shortcuts
from parts_of_desktops import mutter_desktop
from sway_desktop import HERE, SwayDesktop, end, enter, sway_desktop
from sway_game import FULL_SCREEN, SIZE, RedGame, has_hud, is_covered, picture
from virtual_input import hands
from whole_program import fails, until
from x_game import RED

from stylizer.app.cli import main
from stylizer.errors import BadInput
from stylizer.frame import IDLE, Rect
from stylizer.settings import Settings
from stylizer.stages import PRESENTERS, Presenter, open_backend

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Wayland"),
    pytest.mark.skipif(not shutil.which("grim"), reason="not installed: grim"),
]
GREEN = (0, 255, 0)
MAIN = str(HERE.parent / "main.py")


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwayDesktop]:
    """Our keys lie in a file that an included one includes, as users keep them."""
    printed = subprocess.run(
        [sys.executable, MAIN, "key", "--sway"], capture_output=True, text=True
    )
    assert printed.returncode == 0, printed.stderr
    folder = tmp_path_factory.mktemp("sway")
    (folder / "own.conf").write_text("include deeper/keys")
    (folder / "deeper").mkdir()
    (folder / "deeper" / "keys").write_text(printed.stdout)
    with sway_desktop(SIZE, f"{FULL_SCREEN}\ninclude {folder}/*.conf") as running:
        yield running


@pytest.fixture
def red_game(on_sway: SwayDesktop) -> Iterator[RedGame]:
    game = RedGame(on_sway, "wayland")
    yield game
    game.close()


@pytest.fixture
def layer(red_game: RedGame) -> Iterator[Presenter]:
    presenter = open_backend(PRESENTERS, "presenter", "layer", Settings(present="layer"), (64, 48))
    yield presenter
    presenter.close()
    presenter.close()
    assert not presenter.is_open


def paint(presenter: Presenter) -> None:
    """A picture without any opacity of its own."""
    presenter.poll()
    presenter.framebuffer.use()
    presenter.context.clear(0.0, 1.0, 0.0, 0.0)
    presenter.present()


def is_green(screen: np.ndarray) -> bool:
    return bool((screen == np.array(GREEN)).all(axis=2).mean() > 0.98)


def test_it_is_opaque_as_big_as_the_monitor_and_follows_its_scale(layer, on_sway, tmp_path):
    def shown() -> bool:
        paint(layer)
        return is_green(picture(on_sway, tmp_path / "screen.png"))

    assert layer.size == SIZE, "whatever was asked for"
    assert layer.inputs() == IDLE
    until(shown, "the picture was never shown")
    assert layer.read_back().shape == (SIZE[1], SIZE[0], 3)
    on_sway.tell("output", "HEADLESS-1", "resolution", "800x480")
    until(lambda: shown() and layer.size == (800, 480), "another resolution")
    on_sway.tell("output", "HEADLESS-1", "scale", "2")
    until(lambda: shown() and layer.size == (800, 480) and layer.scale == 2, "another scale")
    on_sway.tell("output", "HEADLESS-1", "scale", "1")
    on_sway.tell("output", "HEADLESS-1", "resolution", "{}x{}".format(*SIZE))


def test_the_game_is_seen_beside_the_parts_that_are_shown(layer, on_sway, tmp_path):
    """While a style loads only the HUD lies over the game."""

    def is_seen(*parts: Rect) -> bool:
        paint(layer)
        wanted = np.full((SIZE[1], SIZE[0], 3), RED)
        for part in parts:
            wanted[part.y : part.y + part.height, part.x : part.x + part.width] = GREEN
        same = (picture(on_sway, tmp_path / "screen.png") == wanted).all(axis=2)
        return bool(same.mean() > 0.999)  # the mouse pointer is not

    hud, panel = Rect(-5, 10, 80, 30), Rect(60, 20, 600, 200)  # they overlap, and leave the screen
    for parts in ((hud, panel), (panel,), ()):
        layer.show_parts(parts)
        seen = [replace(part, x=0, width=75) if part is hud else part for part in parts]
        until(lambda seen=seen: is_seen(*seen), f"the game is not seen beside {parts}")
    layer.show_parts(None)
    until(lambda: is_seen(Rect(0, 0, *SIZE)), "the game is still seen")


def test_the_mouse_is_its_own_over_the_panel_only(layer, red_game, on_sway):
    def clicks_at(x: int, y: int) -> list[str]:
        """What came to us."""
        paint(layer)
        player.move(x, y, SIZE)
        player.click()
        on_sway.tell("-t", "get_version")  # what was sent before is done
        layer.poll()
        return [event.kind for event in layer.take_ui_events()]

    with hands(on_sway.env["WAYLAND_DISPLAY"]) as player:
        until(lambda: not clicks_at(50, 40) and "click 50 40" in red_game.got, "a click is kept")
        layer.show_panel(Rect(0, 0, 100, 100), False, False)
        until(lambda: "button" in clicks_at(60, 40), "the panel gets no click")
        red_game.got.clear()
        assert "button" in clicks_at(60, 40)
        until(lambda: not clicks_at(200, 200) and "click 200 200" in red_game.got, "beside it")
        assert "click 60 40" not in red_game.got
        layer.show_panel(None, False, False)
        until(lambda: not clicks_at(60, 40) and "click 60 40" in red_game.got, "still kept")


@contextmanager
def painter(desktop: SwayDesktop) -> Iterator[subprocess.Popen[str]]:
    """The whole program over the monitor, which it covers with what is not red."""
    process = desktop.open(
        sys.executable, MAIN, "run", "--source", "synthetic", "--size", "320x180", "--present",
        "layer", "--model", "none", "--hud", "off", ready="",
    )  # fmt: skip
    try:
        yield process
    finally:
        end(process)


def test_the_whole_program_over_a_native_game(on_sway, red_game, tmp_path):
    shown = tmp_path / "screen.png"
    until(lambda: not is_covered(picture(on_sway, shown)), "the game itself was never seen")
    with painter(on_sway) as process:
        until(lambda: is_covered(picture(on_sway, shown)), "the game was never covered")
        with hands(on_sway.env["WAYLAND_DISPLAY"]) as player:
            until(lambda: red_game.is_played(player), "no click or key reached the game")
        assert main(["key", "quit"]) == 0
        process.wait(30)
        assert process.returncode == 0
        until(lambda: not is_covered(picture(on_sway, shown)), "it stayed on the screen")


def test_sways_bindings_work_over_a_native_game(on_sway, red_game, tmp_path):
    """The lines of `stylizer key --sway`, as they were printed."""
    shown = tmp_path / "screen.png"
    with painter(on_sway) as process:
        until(lambda: is_covered(picture(on_sway, shown)), "the game was never covered")
        with hands(on_sway.env["WAYLAND_DISPLAY"]) as player:
            player.press("ctrl+alt+h")
            until(lambda: has_hud(picture(on_sway, shown)), "the key did nothing")
            assert "key h" not in red_game.got, "the game does not see our keys"
            player.press("ctrl+alt+escape")
        process.wait(30)
        assert process.returncode == 0


def test_the_desktops_shortcuts_work_and_its_dialog_is_not_covered(on_sway, red_game, tmp_path):
    shown = tmp_path / "screen.png"
    with shortcuts(on_sway, {"hud": "Meta+H", "quit": "Meta+Q"}) as desktop:
        desktop.answers.clear()
        with painter(on_sway) as process:
            until(lambda: desktop.session, "the desktop was not asked")
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                assert not is_covered(picture(on_sway, shown)), "the dialog would be covered"
            desktop.answers.set()
            until(lambda: is_covered(picture(on_sway, shown)), "the game was never covered")
            desktop.press("hud")
            until(lambda: has_hud(picture(on_sway, shown)), "the shortcut did nothing")
            desktop.press("quit")
            process.wait(30)
            assert process.returncode == 0


def test_what_is_said_of_keys_is_true(layer, on_sway, monkeypatch):
    def said() -> str:
        notices: list[str] = []
        deadline = time.monotonic() + 20
        while not any("key" in notice for notice in notices):
            assert time.monotonic() < deadline
            layer.poll()
            notices += layer.take_notices()
        return " ".join(notices)

    assert "keys by sway's bindings: Ctrl+Alt+Esc: quit; Ctrl+Alt+K: all" in said()
    assert layer.key_names["strength_down"] == "ctrl+alt+["
    monkeypatch.setattr("stylizer.system.sway.bindings", lambda: [("Mod4+t", "exec foot")])
    layer.rebind({}, {})
    told = said()
    assert "no key reaches" in told
    assert "stylizer key --sway" in told
    assert layer.key_names["quit"] == "stylizer key quit"
    monkeypatch.delenv("SWAYSOCK")
    layer.rebind({}, {})
    told = said()
    assert "no GlobalShortcuts portal" in told
    assert "stylizer key quit" in told


@pytest.mark.parametrize("source", [["wlroots", "--window", "Red Game"], ["portal"]])
def test_a_captured_monitor_is_refused(on_sway, red_game, capsys, source):
    argv = ["run", "--source", *source, "--present", "layer", "--model", "none"]
    fails(capsys, argv, 2, "again and again", "--window NAME")


def test_gnome_has_no_layers(monkeypatch: pytest.MonkeyPatch):
    with mutter_desktop() as gnome:
        enter(gnome, monkeypatch)
        with pytest.raises(BadInput, match=r"GNOME has none.*X11 program"):
            open_backend(PRESENTERS, "presenter", "layer", Settings(present="layer"), (64, 48))


def test_no_compositor_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    argv = ["run", "--source", "synthetic", "--present", "layer", "--model", "none"]
    fails(capsys, argv, 1, "no Wayland compositor")
