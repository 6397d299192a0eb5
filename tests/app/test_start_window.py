"""The start window: `stylizer` alone, with real clicks, and what is painted after them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from flat_clips import Clip
from PIL import Image
from whole_program import OnScreen, until, xdotool
from x_display import managed
from x_game import RED

from stylizer.app import start_window

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed"),
]
SECOND_TILE, PATH = (480, 177), (400, 625)  # x, y in the start window; the first tile is the demo


@pytest.fixture(scope="module")
def xvfb() -> Iterator[str]:
    """A display of this file's own, with a window manager."""
    with managed("openbox") as display:
        yield display


class Start(OnScreen):
    """`stylizer`, without a word more."""

    def __init__(self, display: str, cwd: Path) -> None:
        settings = cwd / "settings.toml"
        settings.write_text('provider = "cpu"\nmodel = "mosaic-fast"\nhud = "off"\n')
        own = {"STYLIZER_SETTINGS": str(settings), "STYLIZER_STYLES": str(cwd)}
        super().__init__(display, "stylizer", cwd, **own)


@pytest.fixture
def start(xvfb: str, tmp_path: Path, game: Callable) -> Iterator[Start]:
    one = Start(xvfb, tmp_path)
    yield one
    one.close()


def test_a_click_on_a_windows_picture_paints_that_window(game: Callable, start: Start) -> None:
    game(place=(60, 560, 500, 200))
    until(lambda: start.window())
    until(lambda: abs(start.spot(*SECOND_TILE) - RED).max() < 12)
    start.click(*SECOND_TILE)
    until(lambda: start.window() == 0)

    def is_painted() -> bool:
        spots = [start.spot(x, 100, "Red Game") for x in range(20, 480, 23)]
        return np.std(spots, axis=0).max() > 4 or abs(np.mean(spots, axis=0) - RED).max() > 25

    until(is_painted)
    assert start.process.poll() is None


def test_a_typed_path_is_painted_and_a_wrong_one_said(start: Start, clip: Clip) -> None:
    until(lambda: start.window())
    ground = start.spot(940, 660)
    until(lambda: start.spot(480, 625).sum() > ground.sum() + 20)  # it is drawn
    xdotool("windowfocus", "--sync", start.window())
    start.click(*PATH)
    time.sleep(1)
    xdotool("type", "--delay", 40, "nowhere.mp4")
    xdotool("key", "Return")
    time.sleep(1)
    assert start.window()
    start.click(*PATH)
    time.sleep(1)
    xdotool("key", "--delay", 40, *["BackSpace"] * len("nowhere.mp4"))
    xdotool("type", "--delay", 40, str(clip.path))
    xdotool("key", "Return")
    _, said = start.process.communicate(timeout=100)  # the clip is short
    assert start.process.returncode == 0, said
    assert f"stylizer: run --input {clip.path}" in said


def test_a_picture_is_what_is_painted_with(start: Start, tmp_path: Path) -> None:
    """Typed, it becomes a tile; the demo is then painted in its colors."""
    painting = tmp_path / "Green Dabs.png"
    dabs = np.random.default_rng(0).integers(0, 50, (24, 32, 3)) + np.array([10, 150, 30])
    Image.fromarray(np.repeat(np.repeat(dabs, 8, 0), 8, 1).astype(np.uint8)).save(painting)
    until(lambda: start.window())
    ground = start.spot(940, 660)
    until(lambda: start.spot(480, 625).sum() > ground.sum() + 20)
    xdotool("windowfocus", "--sync", start.window())
    start.click(*PATH)
    time.sleep(1)
    xdotool("type", "--delay", 40, str(painting))
    xdotool("key", "Return")

    def is_shown() -> bool:
        red, green, blue = start.spot(*SECOND_TILE)
        return green > 120 and max(red, blue) < 100

    until(is_shown)
    start.click(160, 177)  # the demo
    until(lambda: start.window("green dabs"))
    assert start.process.poll() is None


def test_words_of_what_is_clicked(tmp_path: Path) -> None:
    painting = tmp_path / "a.png"
    assert start_window.words_of("demo", None) == ["run"]
    assert start_window.words_of("0x5", None) == ["play", "0x5"]
    assert start_window.words_of("demo", painting) == ["paint", str(painting)]
    over = ["--window", "0x5", "--present", "overlay"]
    assert start_window.words_of("0x5", painting) == ["paint", str(painting), *over]
    assert start_window.words_of("picture", painting) == ["run", "--input", str(painting)]


def test_escape_ends_it(start: Start) -> None:
    until(lambda: start.window())
    time.sleep(1)
    xdotool("windowfocus", "--sync", start.window())
    until(lambda: xdotool("key", "Escape") or start.process.poll() is not None)
    assert start.process.returncode == 0


def test_without_a_display_there_is_no_start_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not start_window.has_display()
