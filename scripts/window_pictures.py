"""Take docs/start.jpg, panel.jpg, learning.jpg and masks.jpg anew: the program as a user meets it,
over real games, with real clicks and keys on a display of its own.

.venv/bin/python scripts/window_pictures.py --painting turner.jpg
.venv/bin/python scripts/window_pictures.py --painting turner.jpg --only panel masks --out /tmp

Needs Xvfb, openbox, xdotool, Neverball and Extreme Tux Racer. On an idle machine: the rates that
the pictures show are those of the moment. --patience 3 waits three times as long everywhere.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import mss
from PIL import Image
from xvfb_player import Player, Stop, running, screen

from stylizer.errors import StylizerError
from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display

ROOT = Path(__file__).parents[1]
NEVERBALL = {".neverball/neverballrc": "fullscreen 0\nwidth 800\nheight 600\nfps 0\n"}
PROGRAMS = {"openbox": "openbox", "xdotool": "xdotool", "neverball": "neverball",
            "etr": "extremetuxracer"}  # fmt: skip
# In the window, at a scale of 1: tabs, then the buttons and the free places of the tab Masks.
MASKS, ELLIPSE, RECTANGLE = (237, 87), (206, 117), (83, 117)
DONE, CLOSE = (206, 147), (398, 21)
START_FIELD, START_GAME = (400, 624), (788, 176)  # of the start window
LEARN_S = 150.0  # until a few steps are done


class Desk:
    """One display with a window manager, and our hands on it."""

    def __init__(self, display: str, patience: float) -> None:
        self.display, self.patience = display, patience
        self.player, self.eye = Player(display, random.Random(1)), Display(display)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds * self.patience)

    def window(self, title: str) -> str:
        """The id of the window whose title holds this, once it is there; `xdotool search` finds
        none of SDL's."""
        deadline = time.monotonic() + 60 * self.patience
        while time.monotonic() < deadline:
            with suppress(StylizerError):
                return str(find_window(self.eye, title)[0].id)
            time.sleep(0.2)
        raise Stop(f"no window named {title} appeared.")

    def place(self, window: str) -> tuple[int, int, int, int]:
        """x, y, width, height on the screen, without the manager's frame."""
        found = self.eye.attributes(int(window))
        if found is None:
            raise Stop("the window that was to be photographed has gone.")
        x, y = self.eye.place(int(window))
        return x, y, found.width, found.height

    def click(self, window: str, at: tuple[int, int]) -> None:
        x, y, *_ = self.place(window)
        self.player.tool("mousemove", str(x + at[0]), str(y + at[1]))
        self.wait(0.5)
        self.player.tool("click", "1")
        self.wait(2)

    def drag(self, window: str, start: tuple[int, int], end: tuple[int, int]) -> None:
        x, y, *_ = self.place(window)
        self.player.tool("mousemove", str(x + start[0]), str(y + start[1]), "mousedown", "1")
        self.wait(0.5)
        self.player.tool("mousemove", str(x + end[0]), str(y + end[1]))
        self.wait(0.5)
        self.player.tool("mouseup", "1")
        self.wait(1)

    def key(self, *keys: str) -> None:
        self.player.tool("key", *keys)
        self.wait(1)

    def shot(self, window: str, frame: int = 20) -> Image.Image:
        """The window with its title bar."""
        x, y, width, height = self.place(window)
        top = max(0, y - frame)
        with mss.MSS(display=self.display) as grabber:
            box = {"left": x, "top": top, "width": width, "height": y + height - top}
            taken = grabber.grab(box)
        return Image.frombytes("RGB", taken.size, taken.rgb)


@contextmanager
def stylizer(desk: Desk, *words: str) -> Iterator[None]:
    """The program with settings, styles and keys of nobody."""
    with tempfile.TemporaryDirectory(prefix="pictures-", ignore_cleanup_errors=True) as home:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "WAYLAND_"))}
        env |= {"HOME": home, "DISPLAY": desk.display}
        null = subprocess.DEVNULL
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), *words],
            cwd=home, env=env, stdin=null, stdout=null, stderr=null,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def game(desk: Desk, command: str, title: str, files: dict[str, str]) -> Iterator[str]:
    """The id of its window, once it has drawn for a while."""
    with running(command, files, [], desk.display):
        window = desk.window(title)
        desk.wait(12)
        yield window


def start(desk: Desk, painting: Path) -> Image.Image:
    with game(desk, "neverball", "Neverball", NEVERBALL), stylizer(desk):
        window = desk.window("stylizer")
        desk.wait(15)
        desk.click(window, START_FIELD)
        desk.player.tool("type", "--delay", "40", str(painting))
        desk.key("Return")
        x, y, *_ = desk.place(window)
        desk.player.tool("mousemove", str(x + START_GAME[0]), str(y + START_GAME[1]))
        desk.wait(3)
        return desk.shot(window)


def panel(desk: Desk, painting: Path) -> Image.Image:
    words = ["play", "Neverball", "--blend-with", "starry-night", "--blend", "0.5"]
    with game(desk, "neverball", "Neverball", NEVERBALL) as window, stylizer(desk, *words):
        desk.wait(20)
        desk.key("ctrl+alt+o")
        desk.wait(25)
        return desk.shot(window)


def learning(desk: Desk, painting: Path) -> Image.Image:
    words = ["paint", str(painting), "--train", "--window", "Neverball", "--present", "overlay"]
    with game(desk, "neverball", "Neverball", NEVERBALL) as window, stylizer(desk, *words):
        desk.wait(20)
        desk.key("ctrl+alt+o")
        desk.wait(LEARN_S)
        return desk.shot(window)


def masks(desk: Desk, painting: Path) -> Image.Image:
    """Shapes over the frozen frame of a race, and the race painted around them."""
    with game(desk, "etr", "Extreme", {}) as window:
        for _ in range(4):  # player, menu, cup, race
            desk.key("Return")
            desk.wait(4)
        with stylizer(desk, "play", "Extreme", "--model", "great-wave-fast"):
            desk.wait(20)
            desk.key("ctrl+alt+o")
            desk.wait(8)
            desk.click(window, MASKS)
            width, height = desk.place(window)[2:]
            desk.click(window, RECTANGLE)
            desk.drag(window, (width - 140, 10), (width - 4, 60))
            desk.drag(window, (width - 60, height - 290), (width - 10, height - 150))
            desk.click(window, ELLIPSE)
            desk.drag(window, (width - 130, height - 130), (width - 2, height - 2))
            drawn = desk.shot(window)
            desk.click(window, DONE)
            desk.click(window, CLOSE)
            desk.wait(5)
            painted = desk.shot(window)
    pair = Image.new("RGB", (drawn.width + painted.width + 16, drawn.height), "white")
    pair.paste(drawn, (0, 0))
    pair.paste(painted, (drawn.width + 16, 0))
    return pair.resize((pair.width // 2, pair.height // 2), Image.Resampling.LANCZOS)


PICTURES: dict[str, Callable[[Desk, Path], Image.Image]] = {
    "start": start, "panel": panel, "learning": learning, "masks": masks,
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--painting", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=list(PICTURES), default=list(PICTURES))
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--patience", type=float, default=1.0)
    args = parser.parse_args()
    path = os.environ.get("PATH", "") + ":/usr/games"
    try:
        missing = [
            package for name, package in PROGRAMS.items() if not shutil.which(name, path=path)
        ]
        if missing:
            raise Stop(f"missing: apt-get install {' '.join(missing)}")
        for name in args.only:
            with screen() as display, running("openbox", {}, [], display):
                time.sleep(2 * args.patience)
                picture = PICTURES[name](Desk(display, args.patience), args.painting.resolve())
            picture.save(args.out / f"{name}.jpg", quality=85)
            print(f"{args.out / f'{name}.jpg'}: {picture.width}x{picture.height}", flush=True)
    except (Stop, OSError, mss.ScreenShotError) as error:
        print(f"window_pictures: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
