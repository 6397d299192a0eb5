"""Bad use and bad input: one sentence, the right exit code, no traceback, nothing half-written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from whole_program import fails

from stylizer.app.cli import main, parse
from stylizer.app.options import build_parser
from stylizer.app.run_settings import run_settings

ROOT = Path(__file__).parents[2]
SMALL = ["--source", "synthetic", "--size", "160x96", "--present", "offscreen", "--sync"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--frames", "0"], ["--frames"]),
        (["--size", "12"], ["--size", "1280x720"]),
        (["--size", "1x1"], ["--size"]),
        (["--strength", "2"], ["--strength", "between 0 and 1"]),
        (["--fps", "nan"], ["--fps"]),
        (["--provider", "gpu"], ["--provider", "cuda"]),
        (["--no-such-flag"], ["--no-such-flag"]),
        (["--source", "telepathy"], ["telepathy", "demo"]),
        (["--present", "hologram"], ["hologram", "offscreen"]),
        (["--source", "video"], ["--input"]),
        (["--source", "demo", "--input", "x.mp4"], ["--input"]),
        (["--input", "no-such.mp4"], ["no-such.mp4"]),
        (["--source", "images", "--input", "no-such-folder"], ["no-such-folder"]),
        (["--hud", "maybe"], ["--hud"]),
    ],
)
def test_bad_options(capsys, argv, words):
    fails(capsys, ["run", "--present", "offscreen", *argv], 2, *words)


def test_no_command_means_run():
    assert parse(["--frames", "3"]).command == "run"
    assert parse([]).command == "run"


def test_video_is_lock_step_offscreen_and_when_recording():
    for words, sync in (
        ("--input a.mp4", False),
        ("--input a.mp4 --present offscreen", True),
        ("--input a.mp4 --record b.mp4", True),
        ("--source images --input x", True),
        ("--source demo --present offscreen", False),
    ):
        assert run_settings(parse(words.split())).sync is sync, words


def test_every_command_has_help_with_an_example(capsys):
    for command in ("run", "bench", "models", "doctor", "settings", "train", "judge"):
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
        assert "example: stylizer" in capsys.readouterr().out


def test_missing_and_corrupt_models(capsys, tmp_path):
    fails(capsys, [*SMALL, "--model", tmp_path / "no.onnx"], 2, "no.onnx")
    fails(capsys, [*SMALL, "--model", "nothing-small"], 2, "nothing-small", "mosaic-small")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"this is no model")
    fails(capsys, [*SMALL, "--model", broken], 2, "broken.onnx")
    truncated = tmp_path / "cut.onnx"
    whole = (ROOT / "models" / "mosaic-small.onnx").read_bytes()
    truncated.write_bytes(whole[: len(whole) // 2])
    fails(capsys, [*SMALL, "--model", truncated], 2, "cut.onnx")


def test_damaged_styles_of_ones_own_are_listed_and_told(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("STYLIZER_STYLES", str(tmp_path))
    (tmp_path / "junk-fast-int8.onnx").write_bytes(b"\x08 junk")
    (tmp_path / "empty-fast-int8.onnx").touch()
    assert main(["models", "list"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert ["empty-fast" in line for line in said] == [True, False]
    assert "junk-fast-int8.onnx is not an ONNX file" in said[1]
    monkeypatch.setenv("STYLIZER_STYLES", str(tmp_path / ("x" * 300)))  # nobody can read that
    assert main(["models", "list"]) == 0
    assert "cannot be read" in capsys.readouterr().err


def test_a_provider_that_cannot_be_built_is_an_error_when_named(capsys):
    fails(
        capsys,
        [*SMALL, "--frames", "1", "--model", "mosaic-small", "--provider", "coreml"],
        2,
        "coreml",
    )


def test_unwritable_outputs_are_found_before_anything_runs(capsys, tmp_path):
    for option, name in (
        ("--record", "out.mp4"),
        ("--screenshot", "out.png"),
        ("--report", "out.json"),
    ):
        missing = tmp_path / "missing" / name
        fails(capsys, [*SMALL, "--model", "none", option, missing], 2, "missing")
        assert not missing.parent.exists()
    fails(capsys, [*SMALL, "--model", "none", "--record", tmp_path / "out.gif"], 2, ".mp4")
    file = tmp_path / "file"
    file.write_text("x")
    fails(capsys, [*SMALL, "--model", "none", "--output", file], 2, "file")


def test_an_empty_folder_and_a_broken_picture(capsys, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    base = ["run", "--present", "offscreen", "--model", "none", "--source", "images", "--input"]
    fails(capsys, [*base, empty], 2, "empty")
    (empty / "bad.png").write_bytes(b"no picture")
    fails(capsys, [*base, empty], 2, "bad.png")


def test_a_truncated_picture_leaves_no_half_output(capsys, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    Image.effect_noise((200, 100), 50).convert("RGB").save(source / "a.png")
    data = (source / "a.png").read_bytes()
    (source / "b.png").write_bytes(data[: len(data) // 2])
    out = tmp_path / "out"
    argv = ["run", "--present", "offscreen", "--model", "none", "--source", "images"]
    assert main([str(a) for a in [*argv, "--input", source, "--output", out]]) == 1
    assert "b.png" in capsys.readouterr().err
    assert [p.name for p in out.glob("*")] == ["a.png"]


def test_no_display_is_one_sentence(tmp_path):
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "main.py", "run", "--model", "none", "--frames", "1"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().count("\n") == 0
    assert "offscreen" in done.stderr


def test_no_gl_is_one_sentence():
    env = os.environ | {"__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent.json"}
    done = subprocess.run(
        [sys.executable, "main.py", *SMALL, "--model", "none", "--frames", "1"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0, done.stderr
    assert "libegl1" in done.stderr


def test_a_full_disk_while_recording(capsys, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if os.name != "posix" or os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs root and the right to mount a small tmpfs")
    try:
        argv = ["--source", "synthetic", "--size", "640x360", "--present", "offscreen", "--sync"]
        argv += ["--model", "none", "--frames", "400", "--record", str(disk / "out.mp4")]
        fails(capsys, argv, 1, "disk is full", "out.mp4")
        import av

        with av.open(str(disk / "out.mp4")) as container:
            assert sum(1 for _ in container.decode(video=0)) > 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_interrupting_a_headless_run_keeps_recording_and_report(tmp_path):
    import signal
    import time

    out, report = tmp_path / "out.mp4", tmp_path / "r.json"
    argv = [*SMALL, "--model", "none", "--record", str(out), "--report", str(report)]
    process = subprocess.Popen(
        [sys.executable, "main.py", *argv],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not out.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert report.exists()
    import av

    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 0


@pytest.mark.parametrize("value", ["-1..1", "0..1"])
def test_a_value_may_begin_with_a_dash(value, capsys):
    argv = ["models", "inspect", "mosaic-fast", "--model-range", value, "--json"]
    assert main(argv) == 0
    assert f'"range": "{value}"' in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--model-layout", "--model-range", "--model-order"])
def test_auto_asks_the_model_itself(option, capsys):
    assert main(["models", "inspect", "mosaic-fast", "--json"]) == 0
    found = capsys.readouterr().out
    assert main(["models", "inspect", "mosaic-fast", option, "auto", "--json"]) == 0
    assert capsys.readouterr().out == found


def test_words_that_look_like_options(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fails(capsys, ["run", "--input", "-x.mp4"], 2, "no video file -x.mp4")
    fails(capsys, ["run", "--frames=--"], 2, "--frames", "'--' must be a whole number")
    fails(capsys, ["run", "--frames", "-3"], 2, "'-3' must be a whole number")
    fails(capsys, ["run", "--input", "--frames", "3"], 2, "--input: expected one argument")
    fails(capsys, ["run", "--input"], 2, "--input: expected one argument")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="file names are bytes there")
def test_names_that_are_no_utf8_and_a_terminal_that_is_none(tmp_path):
    from flat_clips import COLORS, flat, write_video

    folder = os.fsencode(tmp_path) + b"/f\xfc\xdf"
    os.mkdir(folder)
    plain = write_video(tmp_path / "a.mp4", [flat((64, 48), c) for c in COLORS], sound="aac")
    odd = folder + b"/f\xfclm.mp4"
    os.rename(plain, odd)
    words = [sys.executable, "main.py", "run", "--input", odd, "--model", "none", "--present"]
    words += ["offscreen", "--record", folder + b"/out.mp4", "--report", folder + b"/r.json"]
    env = os.environ | {"PYTHONIOENCODING": "ascii:strict", "LC_ALL": "C"}
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert os.path.getsize(folder + b"/out.mp4") > 1000
    assert b'"frames": 5' in Path(os.fsdecode(folder), "r.json").read_bytes()
    words[words.index(odd)] = folder + b"/m\xfcssing.mp4"
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, timeout=120)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"ssing.mp4" in done.stderr


def test_a_parser_that_is_given_nothing_reads_the_command_line(monkeypatch):
    monkeypatch.setattr("sys.argv", ["stylizer", "models", "list"])
    assert build_parser().parse_args().command == "models"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Wayland")
def test_without_wayland_only_our_words_are_said():
    hidden = ("WAYLAND_DISPLAY", "WAYLAND_SOCKET", "XDG_RUNTIME_DIR")
    env = {k: v for k, v in os.environ.items() if k not in hidden}
    argv = [sys.executable, str(ROOT / "main.py"), *SMALL, "--model", "none", "--present", "layer"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("stylizer: ")


def test_paint_takes_no_model(capsys):
    fails(capsys, ["paint", "a.png", "--model", "udnie-fast"], 2, "--model", "--strokes STYLE")


def test_a_current_folder_that_was_removed_is_told(tmp_path, monkeypatch, capsys):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    fails(capsys, ["run", "--screenshot", "a.png"], 2, "current folder was removed")
