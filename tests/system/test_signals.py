"""Signals while something must not be disturbed, and who tells of the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from whole_program import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


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


def test_an_ignored_signal_stays_ignored(tmp_path):
    code = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
with ending.on_signals(30):
    os.kill(os.getpid(), signal.SIGHUP)
    time.sleep(0.05)
print("went on")
"""
    assert in_child(code, tmp_path) == "went on\n"
