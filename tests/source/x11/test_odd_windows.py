"""Windows that are not as modern toolkits open them: captured right, or named by what they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from whole_program import ROOT, fails
from x_display import wait_for_manager, x_server

from stylizer.app.cli import main
from stylizer.errors import BadInput
from stylizer.source.x11.window_list import find_window, is_id
from stylizer.system.x11 import Display

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 only")
SCRIPT = Path(__file__).parents[2] / "odd_window.py"
QUARTERS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)]
Open = Callable[..., str]


@pytest.fixture
def odd(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens odd windows on a display of the tests' own; gives their ids."""
    monkeypatch.setenv("DISPLAY", xvfb)
    yield from opener()


def opener() -> Generator[Open, None, None]:
    opened: list[subprocess.Popen] = []

    def open_window(**words: object) -> str:
        argv = [sys.executable, str(SCRIPT), json.dumps(words)]
        opened.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        out = opened[-1].stdout
        assert out is not None
        window = out.readline().strip()
        assert is_id(window)
        time.sleep(0.2)
        return window

    yield open_window
    for process in opened:
        process.kill()
        process.communicate()


def shot(tmp_path: Path, window: str) -> np.ndarray:
    """What a run captures of the window."""
    path = tmp_path / "shot.png"
    argv = ["run", "--window", window, "--model", "none", "--present", "offscreen"]
    argv += ["--sync", "--warmup", "0", "--frames", "1", "--screenshot", str(path)]
    assert main(argv) == 0
    with Image.open(path) as picture:
        return np.asarray(picture)


def check(picture: np.ndarray) -> None:
    assert picture.shape == (200, 320, 3)
    for row in (0, -1):
        assert (picture[row] == 255).all(), "the white line along the edge"
        assert (picture[:, row] == 255).all()
    places = [(50, 80), (50, 240), (150, 80), (150, 240)]
    assert [tuple(map(int, picture[p])) for p in places] == QUARTERS


@pytest.mark.parametrize("border", [0, 1, 10])
def test_a_border_is_no_part_of_it(odd: Open, tmp_path, border: int):
    odd(title="bordered", border=border)
    check(shot(tmp_path, "bordered"))


FOUR = [[0, 0, 166, 38], [166, 0, 167, 38], [0, 38, 166, 39], [166, 38, 167, 39]]


def test_a_covered_window_that_draws_in_pieces(odd: Open, tmp_path):
    """Every piece counts to the pixel, wherever their seams are."""
    odd(title="under", size=[333, 77], pieces=FOUR)
    odd(title="cover", size=[400, 300])
    assert (shot(tmp_path, "under") == QUARTERS[0]).all()


def test_a_covered_window_that_never_draws_all_of_itself(odd: Open, tmp_path, capsys):
    odd(title="under", size=[333, 77], pieces=FOUR[:3])
    odd(title="cover", size=[400, 300])
    picture = shot(tmp_path, "under")
    assert (picture[:, :166] == QUARTERS[0]).all()
    assert "draws only parts of itself" in capsys.readouterr().err


def test_a_covered_window_that_draws_nothing_is_waited_for_and_said(odd: Open, tmp_path):
    odd(title="under", pieces=[])
    odd(title="cover", size=[400, 300])
    argv = ["run", "--window", "under", "--model", "none", "--present", "offscreen"]
    process = subprocess.Popen(
        [sys.executable, "main.py", *argv], cwd=ROOT, stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert any("waiting for the window to draw" in line for line in process.stderr)
    finally:
        process.kill()
        process.communicate()


def test_a_30_bit_display(tmp_path, monkeypatch):
    with x_server("-screen", "0", "640x480x30") as display:
        monkeypatch.setenv("DISPLAY", display)
        windows = opener()
        next(windows)(title="deep")
        try:
            check(shot(tmp_path, "deep"))
        finally:
            windows.close()


def found(wanted: str) -> tuple[str, str]:
    """(id, why) of the window that a name means now."""
    display = Display()
    try:
        info, why = find_window(display, wanted)
        return f"{info.id:#x}", why
    finally:
        display.close()


def test_the_terminal_that_shows_our_own_command_is_not_meant(odd: Open):
    game = odd(title="SuperTux 0.6")
    terminal = odd(title="stylizer run --window supertux", pid=os.getppid())
    assert found("supertux")[0] == game
    assert found(terminal)[0] == terminal, "by its id it is"
    assert found(f"pid:{os.getppid()}")[0] == terminal
    with pytest.raises(BadInput, match="no window matches 'stylizer run'"):
        found("stylizer run")


def test_of_several_the_choice_is_said(odd: Open, tmp_path, capsys):
    first, second = odd(title="Twin one"), odd(title="Twin two")
    shot(tmp_path, "twin")
    error = capsys.readouterr().err
    assert "several windows match, taken is" in error
    assert first in error
    assert second in error
    shot(tmp_path, "twin one")
    assert "several" not in capsys.readouterr().err


def test_titles_of_every_kind(odd: Open, capsys):
    latin = odd(title="Möwe über Köln", latin1=True)
    greek = odd(compound=(b"\x1b-F" + "Αθηνα".encode("iso8859-7")).hex())  # ISO 8859-7 on the right
    assert found("αθηνα")[0] == greek
    hexed, face = odd(title="0x10c beta"), odd(title="0xface")
    assert found("möwe")[0] == latin
    assert found("0x10c beta")[0] == hexed
    assert found("0xFACE")[0] == face
    odd(title="a\033[31mred\033[0m\u202e", pid=11111)
    assert main(["windows"]) == 0
    out = capsys.readouterr().out
    assert "\033" not in out
    assert "\u202e" not in out
    assert "11111" in out
    assert "11,111" not in out
    assert "Möwe über Köln" in out


@pytest.mark.parametrize("name", ["", "  ", "class:", "pid:"])
def test_an_empty_name_means_no_window(odd: Open, capsys, name: str):
    odd(title="any")
    argv = ["run", "--window", name, "--model", "none", "--present", "offscreen"]
    fails(capsys, argv, 2, "names no window" if name.strip() else "--window: it is empty")


def test_a_window_past_the_manager_is_found_beside_managed_ones(tmp_path, monkeypatch):
    if shutil.which("openbox") is None:
        pytest.skip("openbox is not installed")
    with x_server() as display:
        monkeypatch.setenv("DISPLAY", display)
        manager = subprocess.Popen(["openbox", "--sm-disable"], stderr=subprocess.DEVNULL)
        windows = opener()
        try:
            wait_for_manager()
            open_window = next(windows)
            managed, old = (
                open_window(title="managed"),
                open_window(title="old game", override=True),
            )
            assert found("managed")[0] == managed
            assert found("old game")[0] == old
            check(shot(tmp_path, "old game"))
        finally:
            windows.close()
            manager.kill()
            manager.wait()
