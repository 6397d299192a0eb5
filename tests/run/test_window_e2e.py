"""The live window under Xvfb: real keys by xdotool, a screenshot, a report."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from recorded import frames_of
from whole_program import ROOT, Window, until, xdotool

from stylizer.errors import BadInput
from stylizer.present.window import WindowPresenter
from stylizer.run.outputs import Outputs
from stylizer.run.pipeline import Given, Run
from stylizer.run.report import make_report
from stylizer.settings import Settings
from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display

pytestmark = pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")
SIZE = (640, 360)


def test_keys_switch_models_and_the_report_says_so(xvfb, tmp_path, monkeypatch):
    """In this process, which sees when a model is in use; the keys are real."""
    monkeypatch.setenv("DISPLAY", xvfb)
    pictures = tmp_path / "pictures here"
    settings = Settings(
        size=(160, 96), model="mosaic-small", provider="cpu", report=tmp_path / "r.json",
        screenshots=pictures,
    )  # fmt: skip
    with Run(settings, Given(), Outputs(settings)) as active:

        def turn_until(done: Callable[[], object]) -> None:
            deadline = time.monotonic() + 60
            while not done():
                assert active.step()
                assert time.monotonic() < deadline

        def styled_by(model: str) -> bool:
            return active.shown is not None and active.shown.styled.model == model

        def press(*keys: str) -> None:
            assert isinstance(active.opened.presenter, WindowPresenter)
            xdotool("windowfocus", active.opened.presenter._handle, "key", *keys)

        turn_until(lambda: styled_by("mosaic-small") and active.stats.styled > 2)
        for key, model in (("1", "mosaic-original"), ("2", "mosaic-small")):
            press(key)
            turn_until(lambda model=model: styled_by(model))
        press("h", "p")
        turn_until(lambda: list(pictures.glob("*.png")))
        press("Escape")
        assert active.loop(lambda _: None) is None
        report = make_report(active.result(None))
    assert [s["model"] for s in report["model_switches"]] == ["mosaic-original", "mosaic-small"]
    assert all(s["longest_frame_ms"] > 0 for s in report["model_switches"])
    assert report["model"] == "mosaic-small"
    assert report["styled_frames"] > 2
    assert report["present"] == "window"
    assert (pictures / "stylizer-screenshot-001.png").stat().st_size > 10_000


def test_the_picture_is_right_way_up_and_the_hud_lies_over_it(xvfb, tmp_path):
    """Model none: the window shows the demo's pixels; H lays the HUD over them."""
    window = Window(
        xvfb, tmp_path, "--size", "{}x{}".format(*SIZE), "--model", "none", "--hud", "off"
    )
    until(window.is_drawn)
    plain = window.picture()
    assert plain.shape == (SIZE[1], SIZE[0], 3)
    top, bottom = plain[:60].mean(axis=(0, 1)), plain[-60:].mean(axis=(0, 1))
    assert top[2] > bottom[2]  # the sky is bluer and brighter than the ground
    assert top.mean() > bottom.mean()
    window.key("h")
    corner = (slice(10, 40), slice(10, 160))
    dark = plain[corner].mean() - 30
    until(lambda: window.picture()[corner].mean() < dark)  # a dark panel on the sky
    window.key("Escape")
    assert window.end()[0] == 0


def test_a_paused_game_is_left_alone_and_keys_still_work(xvfb, tmp_path, game):
    """Hardly a frame is presented while nothing changes; the HUD's key shows at once all the same,
    and a hidden game is said."""
    one = game("Paused", (0, 0, 300, 180), (200, 30, 40))
    one.tell("still")
    argv = ["--window", "Paused", "--model", "none", "--hud", "off", "--report", "r.json"]
    window = Window(xvfb, tmp_path, *argv)
    until(lambda: (window.picture()[60:] == (200, 30, 40)).all())
    time.sleep(2)  # what it takes to open counts no longer
    plain = window.picture()
    window.key("h")
    until(lambda: (window.picture() != plain).any(), "the HUD")
    window.key("h", "h")
    subprocess.run(["xdotool", "windowunmap", game_id(xvfb, "Paused")], env=window.env, check=True)
    said = "a hidden window is not said"  # the message at the bottom
    until(lambda: (window.picture()[100:] != plain[100:]).any(), said, seconds=10)
    window.key("Escape")
    code, error = window.end()
    assert code == 0, error
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["styled_frames"] == 0
    assert report["presented_fps"] < 6, "about two a second and one for each key"


def game_id(display: str, title: str) -> str:
    connection = Display(display)
    try:
        return str(find_window(connection, title)[0].id)
    finally:
        connection.close()


def test_recording_by_key_and_closing_the_window(xvfb, tmp_path):
    argv = ["--size", "320x180", "--model", "none", "--hud", "off", "--recordings", "."]
    window = Window(xvfb, tmp_path, *argv)
    made = tmp_path / "stylizer-recording-001.mp4"
    until(window.is_drawn)
    window.key("r")
    until(lambda: frames_of(made) > 5)
    window.process.terminate()  # SDL makes it a quit, as the window's close button does
    code, error = window.end()
    assert code in (0, 130), error
    assert frames_of(made) > 5


def test_a_window_that_sees_itself_says_so(xvfb, tmp_path):
    """The black screen without it shows no bright point."""
    seen = ["--source", "screen", "--region", "0,0,300,200", "--size", "300x200"]
    window = Window(xvfb, tmp_path, *seen, "--model", "none", "--hud", "off")

    def is_told() -> bool:
        return bool((window.picture() > 200).any())

    window.xdotool("windowmove", window.id, "500", "300")
    time.sleep(8)  # messages of the start are gone
    assert not is_told()
    window.xdotool("windowmove", window.id, "100", "100")
    until(is_told, seconds=30)
    window.key("Escape")
    assert window.end()[0] == 0


SLOW = """
import sys, time
from stylizer.app import start
from stylizer.style import opening
opening.open_style = lambda *_: time.sleep(1000)
sys.argv = ["stylizer", "run", "--source", "synthetic", "--size", "320x240"]
sys.exit(start.main())
"""


def test_a_model_that_loads_keeps_nobody_from_ending(xvfb, tmp_path):
    """No runtime can be interrupted while it builds a network; the program is gone all the same."""
    env = os.environ | {"DISPLAY": xvfb, "PYTHONPATH": str(ROOT)}
    program = subprocess.Popen([sys.executable, "-c", SLOW], env=env, cwd=tmp_path)
    eye = Display(xvfb)
    try:

        def ends() -> bool:
            try:
                window = find_window(eye, "stylizer")[0].id
            except BadInput:
                return program.poll() is not None
            subprocess.run(["xdotool", "windowfocus", str(window)], env=env, capture_output=True)
            subprocess.run(["xdotool", "key", "Escape"], env=env, capture_output=True)
            return program.poll() is not None

        until(ends)
        assert program.returncode == 0
    finally:
        program.kill()
        program.wait()
        eye.close()


def test_the_replay_by_key(xvfb, tmp_path):
    """The last seconds, saved by one key."""
    argv = ["--size", "320x180", "--model", "none", "--hud", "off", "--recordings", "."]
    window = Window(xvfb, tmp_path, *argv, "--replay", "4")
    saved = tmp_path / "stylizer-replay-001.mp4"
    until(window.is_drawn)
    time.sleep(1)
    window.key("i")
    until(lambda: saved.exists() and saved.stat().st_size)
    window.key("Escape")
    code, error = window.end()
    assert code == 0, error
    import av

    with av.open(str(saved)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 3
