"""An X server of the benches' own, and programs on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def x_server(size: tuple[int, int] = (1920, 1080)) -> Iterator[None]:
    """Starts Xvfb and sets DISPLAY to it."""
    read_fd, write_fd = os.pipe()
    screen = ["-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(
        ["Xvfb", "-noreset", "-displayfd", str(write_fd), *screen],
        pass_fds=[write_fd], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write_fd)
    try:
        with os.fdopen(read_fd) as answer:
            number = answer.readline().strip()
        if not number:
            sys.exit("Xvfb did not start")
        os.environ["DISPLAY"] = f":{number}"
        yield
    finally:
        server.terminate()
        server.wait()


@contextmanager
def program(*argv: str) -> Iterator[subprocess.Popen[str]]:
    """Runs a Python script until the block ends; its first line of output is waited for."""
    process = subprocess.Popen(
        [sys.executable, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"SDL_VIDEODRIVER": "x11", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            sys.exit(f"{argv[0]} did not start")
        yield process
    finally:
        process.kill()
        process.communicate()


def tell(process: subprocess.Popen[str], words: str) -> None:
    """Write a command to the program."""
    assert process.stdin is not None
    process.stdin.write(words + "\n")
    process.stdin.flush()
