"""However a run ends, its report and a playable recording are left, and it does end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import psutil
import pytest
from whole_program import ROOT, until
from x_display import x_server

from stylizer.errors import StylizerError
from stylizer.run.pipeline import run
from stylizer.run.report import make_report
from stylizer.settings import Settings
from stylizer.system import ending

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
RUN = ["run", "--source", "synthetic", "--size", "160x96", "--model", "none"]


class Started:
    """`stylizer run` in a process of its own, with a recording and a report."""

    def __init__(self, folder: Path, *words: str, display: str = "", record: str = "r.mp4") -> None:
        self.record, self.report = folder / record, folder / "r.json"
        argv = [*words, "--record", str(self.record), "--report", str(self.report)]
        self.process = subprocess.Popen(
            [sys.executable, "main.py", *argv], cwd=ROOT, env=os.environ | {"DISPLAY": display},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def until_recording(self) -> None:
        deadline = time.monotonic() + 60
        while not self.record.exists() or self.record.stat().st_size < 4000:
            assert time.monotonic() < deadline
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)

    def end(self, within_s: float = 30) -> tuple[int, str]:
        _, error = self.process.communicate(timeout=within_s)
        assert "Traceback" not in error
        return self.process.returncode, error

    def check_left(self) -> dict:
        report = json.loads(self.report.read_text())
        assert report["frames"] > 0
        self.check_playable()
        return report

    def check_playable(self) -> None:
        with av.open(str(self.record)) as container:
            assert next(container.decode(video=0)).width == 160


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_leaves_both(tmp_path, name: str):
    run = Started(tmp_path, *RUN, "--present", "offscreen")
    run.until_recording()
    sent = getattr(signal, name)
    started = time.monotonic()
    run.process.send_signal(sent)
    if name != "SIGINT":  # a closing terminal sends more than one
        run.process.send_signal(sent)
    assert run.end(30)[0] == ending.INTERRUPTED
    assert time.monotonic() - started < 10  # 2 s and the interpreter's own end
    assert run.check_left()["error"] is None


def test_a_kill_leaves_the_recording(tmp_path):
    run = Started(tmp_path, *RUN, "--present", "offscreen")
    run.until_recording()
    time.sleep(1.0)
    run.process.kill()
    run.process.communicate()
    run.check_playable()


def kill_server() -> None:
    """The X server begun last, as a crash ends it: no goodbye to anybody."""
    servers = [p for p in psutil.Process().children() if p.name() == "Xvfb"]
    max(servers, key=lambda p: p.create_time()).kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11")
@pytest.mark.parametrize("what", ["window", "capture"])
def test_a_killed_x_server(tmp_path, what: str):
    with x_server() as display:
        words, game = [*RUN, "--present", "window"], None
        if what == "capture":
            words = ["run", "--window", "Moving", "--model", "none", "--present", "offscreen"]
            script = str(ROOT / "tests" / "synthetic_window.py")
            game = subprocess.Popen(
                [sys.executable, script, "Moving", "20", "20", "160", "96", "30"],
                env=os.environ | {"DISPLAY": display, "SDL_VIDEODRIVER": "x11"},
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            assert game.stdout is not None
            assert game.stdout.readline() == b"ready\n"
        run = Started(tmp_path, *words, display=display)
        try:
            run.until_recording()
            kill_server()
            code, error = run.end(20)
        finally:
            if game is not None:
                game.kill()
                game.communicate()
    assert code == 1
    assert "X server went away" in error
    assert "X server went away" in run.check_left()["error"]


def is_read(pipe: Path) -> bool:
    """Whether somebody reads it; its other end stays open then, and nothing is written."""
    try:
        os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    return True


def has_worked(process: subprocess.Popen) -> bool:
    """Whether its frames wait for the pipe: by processor time, on whatever machine."""
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system > 1.5


@pytest.mark.parametrize("words", [["--input", "fifo"], ["--record", "fifo"]])
def test_interrupting_what_waits_in_a_library(tmp_path, words: list[str]):
    """A pipe that nobody writes holds the reader in native code."""
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    argv = ["run", "--source", "video", "--input", str(pipe)] if "--input" in words else RUN
    process = subprocess.Popen(
        [sys.executable, "main.py", *argv, "--present", "offscreen", "--model", "none"]
        + ["--report", str(tmp_path / "r.json")]
        + ([] if "--input" in words else ["--record", str(pipe)]),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    until(lambda: is_read(pipe) if "--input" in words else has_worked(process))
    assert process.poll() is None
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert time.monotonic() - started < 8  # 2 s on an idle machine
    assert process.returncode == ending.INTERRUPTED
    assert json.loads((tmp_path / "r.json").read_text())["frames"] >= 0


HUNG = """
import sys, time
from stylizer.system import ending
saved = lambda why: print("saved:", why, flush=True)
try:
    with ending.on_signals(float(sys.argv[1])), ending.saving(saved):
        while True:
            try:
                print("ready", flush=True)
                time.sleep(60)
            except KeyboardInterrupt:
                print("interrupted", flush=True)  # and not obeyed
finally:
    print("never")
"""


@pytest.mark.parametrize(("presses", "grace"), [(1, 0.5), (2, 60.0)])
def test_what_does_not_stop_is_given_up(presses: int, grace: float):
    process = subprocess.Popen(
        [sys.executable, "-c", HUNG, str(grace)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    started = time.monotonic()
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    out, _ = process.communicate(timeout=30)
    assert time.monotonic() - started < 10  # a busy machine
    assert process.returncode == ending.INTERRUPTED
    assert "interrupted" in out
    assert ("saved: interrupted twice" if presses == 2 else "saved: interrupted;") in out
    assert "never" not in out


def test_a_second_press_leaves_both(tmp_path):
    run = Started(tmp_path, *RUN, "--present", "offscreen")
    run.until_recording()
    time.sleep(1.0)
    for _ in range(2):
        run.process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    code, _ = run.end(30)
    assert code in (ending.INTERRUPTED, -signal.SIGINT)  # it had ended by then, but for Python
    run.check_left()


def test_a_run_that_could_not_be_opened_tells_why():
    ends: list = []
    settings = Settings(
        source="synthetic", present="offscreen", size=(64, 48), model="missing.onnx", sync=True
    )
    with pytest.raises(StylizerError):
        run(settings, on_end=ends.append)
    assert "missing.onnx" in make_report(ends[0])["error"]


def broken(number: int) -> Callable[[object], None]:
    """An on_present that breaks as a lost GL context does: with a bare exception."""
    counts = iter(range(100))

    def step(_: object) -> None:
        if next(counts) >= number:
            raise RuntimeError("context lost")

    return step


def test_what_breaks_in_the_loop_still_tells_its_result(tmp_path):
    settings = Settings(
        source="synthetic", present="offscreen", size=(64, 48), sync=True, model="none",
        record=tmp_path / "a.mp4", hud="off",
    )  # fmt: skip
    ends: list = []
    with pytest.raises(RuntimeError, match="context lost"):
        run(settings, on_present=broken(9), on_end=ends.append)
    assert ends[0].facts["error"] == "context lost"
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == ends[0].stats.presented > 3


def test_a_full_disk_under_the_recording_leaves_the_report(tmp_path):
    if not sys.platform.startswith("linux"):
        pytest.skip("/dev/full")
    (tmp_path / "full.mp4").symlink_to("/dev/full")
    started = Started(tmp_path, *RUN, "--present", "offscreen", "--frames", "60", record="full.mp4")
    code, error = started.end()
    assert code == 1
    assert "disk is full" in error
    assert "disk is full" in json.loads(started.report.read_text())["error"]
