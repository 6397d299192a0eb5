"""Real windows that get their section of the settings file."""

import json
import time
import tomllib
from pathlib import Path

import numpy as np
import psutil
import tiny_models
from given_settings import settings
from PIL import Image
from whole_program import Window, fails
from x_game import RED

from stylizer.app.cli import main

# --- real windows ----------------------------------------------------------------------------

RUN = ["run", "--window", "red game", "--present", "offscreen", "--sync", "--frames", "2"]


def shown(tmp_path: Path, *argv: str) -> tuple[np.ndarray, dict]:
    """Run to the end; a pixel of the last picture as float RGB, and the report."""
    picture, report = tmp_path / "shot.png", tmp_path / "r.json"
    paths = ["--screenshot", str(picture), "--report", str(report)]
    assert main([*RUN, "--provider", "cpu", *paths, *argv]) == 0
    pixel = np.asarray(Image.open(picture))[60, 100, :3].astype(float)
    return pixel, json.loads(report.read_text())


def test_a_window_gets_its_section_and_the_command_line_wins(game, file, tmp_path, capsys):
    """The painter's color is known, so the strength can be read off the picture."""
    game()
    model = tiny_models.painter(tmp_path / "painter.onnx")
    path = file(
        'model = "painter.onnx"\nstrength = 1\n'
        '[[game]]\ntitle = "blue"\nstrength = 0.75\n'
        '[[game]]\ntitle = "RED"\nstrength = 0.25\nhud = "off"\n'
        '[[game]]\ntitle = "game"\nstrength = 0.5\n'
    )
    red = np.array(RED, float)
    painted = tiny_models.mixed(np.array([[RED]], np.uint8))[0, 0].astype(float)
    pixel, report = shown(tmp_path)
    assert np.abs(pixel - (0.75 * red + 0.25 * painted)).max() <= 1.5
    assert report["model"] == model.stem
    said = f'game section title = "RED" applies: strength = 0.25, hud = "off" ({path})'
    assert report["preset"] == said
    captured = capsys.readouterr()
    assert captured.err == f"stylizer: {said}\n"
    pixel, report = shown(tmp_path, "--strength", "0.75")
    assert np.abs(pixel - (0.25 * red + 0.75 * painted)).max() <= 1.5
    assert "the command line wins over strength = 0.25" in report["preset"]


def test_all_rules_of_a_section_must_fit_the_window(game, file, tmp_path, capsys):
    one = game()
    assert main(["windows", "--json"]) == 0
    window_class = next(
        w["class"] for w in json.loads(capsys.readouterr().out) if w["title"] == "Red Game"
    )
    program = Path(psutil.Process(one.process.pid).exe()).name
    rules = {"title": "red", "class": window_class.upper(), "executable": program.upper()}
    wrong = {"title": "blue", "class": window_class[:-1], "executable": program + "x"}
    text = ""
    for rule in rules:
        mixed = rules | {rule: wrong[rule]}
        text += "[[game]]\nstrength = 0.9\n"
        text += "".join(f"{name} = {json.dumps(value)}\n" for name, value in mixed.items())
    file(text)
    found = settings(f"--window pid:{one.process.pid}")
    assert found.strength == 1.0
    assert found.preset.startswith("no game section fits the window 0x")
    right = "".join(f"{name} = {json.dumps(value)}\n" for name, value in rules.items())
    file(text + "[[game]]\nstrength = 0.4\n" + right)
    assert settings(f"--window class:{window_class}").strength == 0.4
    for rule in rules:
        file(f"[[game]]\nstrength = 0.3\n{rule} = {json.dumps(rules[rule])}")
        assert settings("--window red").strength == 0.3, rule


def test_a_section_over_the_top_of_the_file(game, file):
    game()
    file(
        'target_fps = 30\n[keys]\nquit = "q"\nhelp = "g"\n'
        '[[game]]\ntitle = "red"\ninference_size = "640x360"\n[game.keys]\nquit = "x"\n'
    )
    found = settings("--window red")
    assert (found.target_fps, found.inference_size) == (None, (640, 360))
    assert found.keys == {"quit": "x", "help": "g"}
    assert settings().keys == {"quit": "q", "help": "g"}
    found = settings("--window red --target-fps 20")
    assert (found.target_fps, found.inference_size) == (20, None)
    assert 'wins over inference_size = "640x360"' in found.preset


def test_a_window_that_is_not_there_yet(game, file, capsys):
    game()
    file('wait = true\n[[game]]\ntitle = "red"\nstrength = 0.3\n')
    found = settings("--window nowhere")
    assert found.strength == 1.0
    assert "'nowhere' is not there yet" in found.preset
    fails(capsys, ["run", "--window", "nowhere", "--no-wait"], 2, "nowhere", "Red Game")


def test_without_x_the_sections_are_left_out_and_it_is_said(file, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    file('[[game]]\ntitle = "red"\nstrength = 0.3\n')
    found = settings("--window red")
    assert found.strength == 1.0
    assert "X11 only" in found.preset


def test_rebound_hotkeys_work_in_the_window(game, file, xvfb, tmp_path):
    """Escape means nothing any more, O takes the screenshot, K quits."""
    game()
    file(
        'screenshots = "."\n[keys]\nquit = "k"\nscreenshot = "0"\n'
        '[[game]]\ntitle = "red"\nmodel = "none"\n[game.keys]\nscreenshot = "o"\n'
    )
    window = Window(xvfb, tmp_path, "--window", "red game", "--report", "r.json")
    try:
        deadline = time.monotonic() + 60
        saved = tmp_path / "stylizer-screenshot-001.png"
        while not saved.exists() and time.monotonic() < deadline:
            window.key("Escape", "p", "o")
        assert saved.exists()
        window.key("k")
        code, error = window.end()
    finally:
        window.process.kill()
    assert code == 0, error
    assert 'game section title = "red" applies: model = "none"' in error
    assert 'keys.screenshot = "o"' in error
    assert tomllib.loads((tmp_path / "settings.toml").read_text())["keys"]["quit"] == "k"
