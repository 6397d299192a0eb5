"""The live window under Xvfb: real keys by xdotool, a screenshot, a report."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from whole_program import Window

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")
SIZE = (640, 360)


def test_keys_switch_models_and_the_report_says_so(xvfb, tmp_path):
    window = Window(
        xvfb,
        tmp_path,
        "--size",
        "{}x{}".format(*SIZE),
        "--model",
        "mosaic-small",
        "--report",
        "r.json",
        "--screenshots",
        "pictures here",
    )
    time.sleep(4)
    window.key("1")
    time.sleep(6)
    window.key("2")
    time.sleep(4)
    window.key("h", "p", "Escape")
    code, error = window.end()
    assert code == 0, error
    assert "Traceback" not in error
    report = json.loads((tmp_path / "r.json").read_text())
    assert [s["model"] for s in report["model_switches"]] == ["mosaic-original", "mosaic-small"]
    assert all(s["longest_frame_ms"] > 0 for s in report["model_switches"])
    assert report["model"] == "mosaic-small"
    assert report["styled_frames"] > 2
    assert report["present"] == "window"
    assert (tmp_path / "pictures here" / "stylizer-screenshot-001.png").stat().st_size > 10_000


def test_the_picture_is_right_way_up_and_the_hud_lies_over_it(xvfb, tmp_path):
    """Model none: the window shows the demo's pixels; H lays the HUD over them."""
    window = Window(
        xvfb, tmp_path, "--size", "{}x{}".format(*SIZE), "--model", "none", "--hud", "off"
    )
    time.sleep(3)
    plain = window.picture()
    assert plain.shape == (SIZE[1], SIZE[0], 3)
    top, bottom = plain[:60].mean(axis=(0, 1)), plain[-60:].mean(axis=(0, 1))
    assert top[2] > bottom[2]  # the sky is bluer and brighter than the ground
    assert top.mean() > bottom.mean()
    window.key("h")
    time.sleep(1)
    with_hud = window.picture()
    corner = (slice(10, 40), slice(10, 160))
    assert with_hud[corner].mean() < plain[corner].mean() - 30  # a dark panel on the sky
    window.key("Escape")
    assert window.end()[0] == 0


def test_a_paused_game_is_left_alone_and_keys_still_work(xvfb, tmp_path, game):
    """Hardly a frame is presented while nothing changes; the HUD's key shows at once all the same,
    and a hidden game is said."""
    one = game("Paused", (0, 0, 300, 180), (200, 30, 40))
    one.tell("still")
    argv = ["--window", "Paused", "--model", "none", "--hud", "off", "--report", "r.json"]
    window = Window(xvfb, tmp_path, *argv)
    time.sleep(4)
    plain = window.picture()
    assert (plain[60:] == (200, 30, 40)).all()
    window.key("h")
    assert (window.picture() != plain).any(), "the HUD"
    window.key("h", "h")
    subprocess.run(["xdotool", "windowunmap", game_id(xvfb, "Paused")], env=window.env, check=True)
    deadline = time.monotonic() + 10
    while (window.picture()[100:] == plain[100:]).all():  # the message at the bottom
        assert time.monotonic() < deadline, "a hidden window is not said"
        time.sleep(0.2)
    window.key("Escape")
    code, error = window.end()
    assert code == 0, error
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["styled_frames"] == 0
    assert report["presented_fps"] < 6, "about two a second and one for each key"


def game_id(display: str, title: str) -> str:
    from stylizer.source.x11.window_list import find_window
    from stylizer.system.x11 import Display

    connection = Display(display)
    try:
        return str(find_window(connection, title)[0].id)
    finally:
        connection.close()


def test_recording_by_key_and_closing_the_window(xvfb, tmp_path):
    argv = ["--size", "320x180", "--model", "none", "--hud", "off", "--recordings", "."]
    window = Window(xvfb, tmp_path, *argv)
    time.sleep(2)
    window.key("r")
    time.sleep(2)
    window.process.terminate()  # SDL makes it a quit, as the window's close button does
    code, error = window.end()
    assert code in (0, 130), error
    import av

    with av.open(str(tmp_path / "stylizer-recording-001.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) > 5


def test_the_replay_by_key(xvfb, tmp_path):
    """The last seconds, saved by one key."""
    argv = ["--size", "320x180", "--model", "none", "--hud", "off", "--recordings", "."]
    window = Window(xvfb, tmp_path, *argv, "--replay", "4")
    saved = tmp_path / "stylizer-replay-001.mp4"
    time.sleep(4)
    window.key("i")
    deadline = time.monotonic() + 30
    while not (saved.exists() and saved.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    window.key("Escape")
    code, error = window.end()
    assert code == 0, error
    import av

    with av.open(str(saved)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 3
