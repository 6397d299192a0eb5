"""Capturing a real window of another process under Xvfb, without a window manager."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from x_game import RED

from stylizer.app.cli import main
from stylizer.errors import BadInput
from stylizer.frame import IDLE, Frame
from stylizer.settings import Settings
from stylizer.source.x11.coverage import Coverage
from stylizer.stages import SOURCES, WINDOWS, SourceEnded, open_backend

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 only")
GREEN = (20, 180, 60)


@pytest.fixture
def source(game) -> Iterator[Callable[..., object]]:
    """Opens window sources and closes them."""
    from stylizer.source.x11.window import WindowSource

    opened: list[WindowSource] = []

    def open_source(window: str, **changes: object) -> WindowSource:
        settings = replace(Settings(source="window", window=window), **changes)  # type: ignore[arg-type]
        opened.append(WindowSource(settings))
        return opened[-1]

    yield open_source
    for one in opened:
        one.close()


def next_frame(source, wait_s: float = 5.0) -> Frame:
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        frame = source.read(IDLE)
        if frame is not None:
            return frame
    raise AssertionError(f"no frame within {wait_s} s")


def read_for(source, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        source.read(IDLE)


def is_all(frame: Frame, color: tuple) -> bool:
    """Everything below the moving stripe has the color."""
    return bool((frame.rgb()[6:] == np.array(color)).all())


def test_a_window_is_listed_with_what_one_needs_to_name_it(game, capsys):
    one = game()
    assert main(["windows", "--json"]) == 0
    found = [w for w in json.loads(capsys.readouterr().out) if w["title"] == "Red Game"]
    assert len(found) == 1
    assert found[0]["size"] == [200, 120]
    assert found[0]["state"] == "visible"
    assert found[0]["pid"] in (one.process.pid, None)
    assert found[0]["id"].startswith("0x")
    assert main(["windows"]) == 0
    assert "Red Game" in capsys.readouterr().out


def test_its_own_pixels_and_only_new_ones(game, source):
    game()
    captured = source("red game")
    assert captured.size == (200, 120)
    assert "XComposite" in captured.capture_method
    frames = [next_frame(captured) for _ in range(8)]
    assert all(is_all(f, RED) and f.channel_order == "BGRA" for f in frames)
    assert [f.number for f in frames] == list(range(8))
    stripes = {int(np.argmin(f.rgb()[0].sum(axis=1))) for f in frames}
    assert len(stripes) > 3, "the stripe moves on"


def test_a_still_window_gives_one_frame_and_then_none(game, source):
    one = game()
    one.tell("still")
    time.sleep(0.2)
    captured = source("Red Game")
    assert is_all(next_frame(captured), RED)
    started, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - started < 0.5:
        assert captured.read(IDLE) is None
    assert time.process_time() - cpu < 0.1, "no busy loop"


def test_the_same_picture_drawn_again_is_no_frame(game, source):
    one = game()
    captured = source("Red Game")
    next_frame(captured)
    one.tell("same")
    time.sleep(0.2)
    last = next_frame(captured).number  # drawn before the command came
    started, newer = time.monotonic(), []
    while time.monotonic() - started < 1.5:
        frame = captured.read(IDLE)
        newer += [frame.number] if frame else []
    assert len(newer) <= 1, "one that was under way"
    one.tell("draw")
    assert next_frame(captured).number == (newer or [last])[-1] + 1


@pytest.mark.parametrize("still", [False, True], ids=["drawing", "still"])
def test_what_covers_it_never_shows(game, source, still):
    one = game()
    if still:
        one.tell("still")
        time.sleep(0.2)
    game("Green Cover", (0, 0, 300, 200), GREEN)
    captured = source("Red Game")
    frames = [next_frame(captured) for _ in range(1 if still else 8)]
    assert all(is_all(frame, RED) for frame in frames)


def test_a_window_half_off_the_screen_is_whole(game, source):
    game("Red Game", (-100, -50, 200, 120), RED)
    frame = next_frame(source("Red Game"))
    assert frame.size == (200, 120)
    assert is_all(frame, RED)


def test_a_resize_is_followed(game, source):
    game()
    captured = source("Red Game")
    next_frame(captured)
    window = captured.capture_method.split(": ")[1].split()[0]
    subprocess.run(["xdotool", "windowsize", window, "320", "200"], check=True)
    frames = [next_frame(captured) for _ in range(25)]
    assert frames[-1].size == (320, 200)
    assert {f.size for f in frames} <= {(200, 120), (320, 200)}
    assert all(is_all(frame, RED) for frame in frames[3:])


def test_a_closed_window_ends_the_source(game, source):
    one = game()
    captured = source("Red Game")
    next_frame(captured)
    one.tell("quit")
    with pytest.raises(SourceEnded):
        read_for(captured, 5.0)


def test_with_wait_it_may_come_back(game, source):
    one = game()
    captured = source("Red Game", wait=True)
    next_frame(captured)
    one.close()
    deadline = time.monotonic() + 5
    while captured.state != "closed":
        captured.read(IDLE)
        assert time.monotonic() < deadline
    game("Red Game again", (10, 10, 180, 100), RED)
    frame = next_frame(captured)
    assert frame.size == (180, 100)
    assert is_all(frame, RED)


def test_a_hidden_window_keeps_its_last_picture(game, source, xvfb):
    game()
    captured = source("Red Game")
    next_frame(captured)
    window = captured.capture_method.split(": ")[1].split()[0]
    subprocess.run(["xdotool", "windowunmap", window], check=True)
    deadline = time.monotonic() + 5
    while not captured.state:
        captured.read(IDLE)
        assert time.monotonic() < deadline
    assert captured.read(IDLE) is None
    subprocess.run(["xdotool", "windowmap", window], check=True)
    frame = next_frame(captured)
    assert captured.state == ""
    assert is_all(frame, RED)


def test_the_most_recent_of_several_is_taken_and_said(game, source):
    game("Game one", (0, 0, 100, 80), RED)
    game("Game two", (150, 0, 100, 80), GREEN)
    captured = source("game")
    assert "most recently active of 2" in captured.capture_method
    assert "Game one" in captured.capture_method
    assert is_all(next_frame(captured), GREEN)


def test_no_match_lists_what_there_is(game, source):
    game()
    with pytest.raises(BadInput, match=r"no window matches 'Blue'; there are: .*Red Game"):
        source("Blue")
    with pytest.raises(BadInput, match="is no number"):
        source("pid:abc")


def test_without_a_display_it_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setenv("DISPLAY", ":97")
    assert main(["windows"]) == 1
    error = capsys.readouterr().err
    assert ":97" in error
    assert error.count("\n") == 1


def test_a_covered_game_is_styled_live(game, tmp_path):
    """The whole program on it: 20 frames, covered by another window, nothing but the game."""
    game("Red Game", (40, 30, 320, 192), RED)
    game("Green Cover", (0, 0, 500, 300), GREEN)
    report, shot = tmp_path / "r.json", tmp_path / "shot.png"
    argv = ["run", "--window", "Red Game", "--present", "offscreen", "--model", "none"]
    assert main([*argv, "--frames", "20", "--report", str(report), "--screenshot", str(shot)]) == 0
    found = json.loads(report.read_text())
    assert found["source"] == "window"
    assert found["frames"] == 20
    assert found["size"] == [320, 192]
    assert "XComposite" in found["capture_method"]
    from PIL import Image

    assert (np.asarray(Image.open(shot).convert("RGB"))[6:] == np.array(RED)).all()


def test_window_and_source_belong_together(capsys):
    assert main(["run", "--source", "window"]) == 2
    assert "--window NAME" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "package", "install"),
    [
        ("window_windows", "windows_capture", "stylizer[windows]"),
        ("window_macos", "CoreMedia", "stylizer[macos]"),
    ],
)
def test_other_systems_say_which_package_is_missing(module, package, install):
    """Their libraries are not here: what a user without them is told."""
    rows = {**SOURCES, **{row.module: row for row in WINDOWS.values()}}
    row = next(r for r in rows.values() if r.module.endswith(module))
    if importlib.util.find_spec(package):
        pytest.skip(f"{package} is installed")
    with pytest.raises(BadInput, match=rf"needs the package '{package}': .*{re.escape(install)}"):
        open_backend({"one": row}, "source", "one", Settings())


def test_a_window_of_any_size_is_seen_to_be_drawn():
    """Drawn at once or in parts, all of it counts; less than all does not."""
    for side in range(32, 700):
        half, third = side // 2, side // 3
        halves = [(0, half), (half, side - half)]
        for parts in ([(0, side)], halves, [(0, third), (third, 7), (third + 7, side)]):
            coverage = Coverage((side, side))
            for start, length in parts:
                assert not coverage.complete
                coverage.add(0, start, side, length)
            assert coverage.complete
        assert Coverage((side, side)).complete is False
        whole = Coverage((side, side))
        whole.add(0, 0, side, side)
        assert whole.complete
