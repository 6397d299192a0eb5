"""However a run ends, its report and a playable recording are left, and it does end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from whole_program import ROOT, until
from x_display import x_server

from stylizer.errors import StylizerError
from stylizer.present.record import Recorder
from stylizer.run.pipeline import run
from stylizer.run.report import make_report
from stylizer.settings import Settings
from stylizer.system import ending

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
PICTURE = np.zeros((48, 64, 3), np.uint8)
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


def test_why_it_ended_is_told_though_nothing_can_be_saved(tmp_path):
    code = """
import sys, threading
sys.stderr = sys.stdout
with ending.saving(lambda why: threading.Event().wait()):
    ending.give_up("the test's", 0, 0.1)
"""
    assert in_child(code, tmp_path) == "stylizer: the test's\n"


def test_only_who_gives_up_tells_of_the_end(tmp_path):
    """The loop goes on meanwhile, and comes to an end of its own, which is none."""
    code = """
import threading
from pathlib import Path
from stylizer.run.pipeline import run
from stylizer.settings import Settings

looped = threading.Event()
def on_end(result):
    print(threading.current_thread() is threading.main_thread(), result.facts["error"], flush=True)
    looped.wait(20)
    time.sleep(0.5)  # for the loop's end, where it is not held
def on_present(stats):
    if stats.presented == 3:
        threading.Thread(target=ending.give_up, args=("gone", 0), daemon=True).start()
        while not ending._giving_up.locked():
            time.sleep(0.01)
    if stats.presented == 9:
        looped.set()

settings = Settings(source="synthetic", present="offscreen", size=(64, 48), sync=True, model="none",
                    record=Path("a.mp4"), frames=9)
run(settings, on_present=on_present, on_end=on_end)
"""
    assert in_child(code, tmp_path) == "False gone\n"


def in_child(code: str, folder: Path) -> str:
    """What a process of its own prints: signals are for it alone, not for all that the tests have
    loaded into theirs."""
    header = "import os, signal, time\nfrom stylizer.system import ending\n"
    done = subprocess.run(
        [sys.executable, "-c", header + code], cwd=folder, capture_output=True, text=True,
        timeout=60, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_signals_wait_for_what_must_not_be_disturbed(tmp_path):
    code = """
try:
    with ending.on_signals(30):
        with ending.undisturbed():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.1)
            print("to its end")
        print("too far")
except KeyboardInterrupt:
    print("interrupted")
"""
    assert in_child(code, tmp_path) == "to its end\ninterrupted\n"


def test_a_module_that_is_being_loaded_is_not_broken_off(tmp_path):
    """An exception while an extension starts aborts the process."""
    (tmp_path / "slow_to_load.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(0.1)\n"
        "print('loaded')\n"
    )
    code = """
import sys
sys.path.insert(0, ".")
try:
    with ending.on_signals(30):
        import slow_to_load
        for _ in range(200):
            time.sleep(0.1)
except KeyboardInterrupt:
    print("interrupted")
"""
    assert in_child(code, tmp_path) == "loaded\ninterrupted\n"


def test_a_run_that_could_not_be_opened_tells_why():
    ends: list = []
    settings = Settings(
        source="synthetic", present="offscreen", size=(64, 48), model="missing.onnx", sync=True
    )
    with pytest.raises(StylizerError):
        run(settings, on_end=ends.append)
    assert "missing.onnx" in make_report(ends[0])["error"]


def test_an_ignored_signal_stays_ignored(tmp_path):
    code = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
with ending.on_signals(30):
    os.kill(os.getpid(), signal.SIGHUP)
    time.sleep(0.05)
print("went on")
"""
    assert in_child(code, tmp_path) == "went on\n"


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


# ---- the writer's thread ----


def write_until_told(path: Path, change: Callable[[], object]) -> None:
    """Record, change what stands at the path, and go on until that is told."""
    recorder = Recorder(path, (64, 48), 30)
    recorder.add(PICTURE, 0)
    until(path.exists)
    change()

    def go_on() -> None:
        for _ in range(1000):
            recorder.add(PICTURE, 0)

    with pytest.raises(StylizerError, match="removed or replaced"):
        go_on()
    recorder.close()
    assert recorder.frames < 1000


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_recording_removed_while_it_runs_is_told_then(tmp_path, suffix: str):
    """Not at the end only: nothing that is recorded from then on could be kept."""
    path = tmp_path / f"a{suffix}"
    write_until_told(path, path.unlink)
    assert not path.exists()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_took_the_place_of_a_recording_is_not_touched(tmp_path, suffix: str):
    path = tmp_path / f"a{suffix}"

    def put() -> None:
        (tmp_path / "mine").write_text("mine")
        (tmp_path / "mine").rename(path)

    write_until_told(path, put)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_nor_where_that_is_seen_at_the_end_only(tmp_path, suffix: str):
    path = tmp_path / f"a{suffix}"
    recorder = Recorder(path, (64, 48), 30)
    recorder.add(PICTURE, 0)
    until(path.exists)
    path.unlink()
    path.write_text("mine")
    with pytest.raises(StylizerError, match="removed or replaced"):
        recorder.close()
    assert path.read_text() == "mine"


@pytest.mark.parametrize("where", ["add", "rescue"])
def test_nobody_waits_for_a_writer_that_died(tmp_path, monkeypatch, where: str):
    recorder = Recorder(tmp_path / "a.mp4", (64, 48), 30)

    def die(*_: object) -> None:
        raise MemoryError("the test's")

    monkeypatch.setattr(recorder._encoder, "add", die)
    if where == "rescue":
        monkeypatch.setattr(recorder._encoder, "rescue", die)
    done = threading.Event()

    def give() -> None:
        try:
            for _ in range(20):
                recorder.add(PICTURE, 0)
        except StylizerError:
            done.set()

    threading.Thread(target=give, daemon=True).start()
    assert done.wait(5), "the caller waits for ever"
    recorder._told = False
    with pytest.raises(StylizerError, match="the test's") as caught:
        recorder.close()
    assert "a.mp4" in str(caught.value)
