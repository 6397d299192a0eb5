"""`play -- PROGRAM ...`: starts a game (gamescope with a game in it), waits for its window."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import psutil

from stylizer.app.run_settings import only_on_x11
from stylizer.errors import BadInput, StylizerError
from stylizer.source.x11.window_list import WindowInfo, list_windows
from stylizer.system import sway
from stylizer.system.terminal import tell
from stylizer.system.x11 import Display

WINDOW_S = 60.0  # a big game shows nothing for long
LOOK_S = 0.2
NATIVE = "start a native Wayland game as an X11 program (SDL_VIDEODRIVER=x11 for most)"


def start_game(command: list[str]) -> str:
    """Start it; its window, as `--window` names it. The game goes on when we end.

    Raises BadInput for a program that is not there, StylizerError when it ends, or opens no window
    that X11 or XWayland knows.
    """
    only_on_x11()
    if shutil.which(command[0]) is None:
        raise BadInput(f"there is no program {command[0]!r} to play")
    display = Display()
    try:
        before = {window.id for window in list_windows(display)}
        # A session of its own: Ctrl+C in our terminal is not meant for the game.
        game = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        tell(f"{command[0]} was started, waiting for its window")
        return _window_of(display, game, before)
    except OSError as error:
        raise BadInput(f"{command[0]} cannot be started: {error.strerror}") from error
    finally:
        display.close()


def _window_of(display: Display, game: subprocess.Popen[bytes], before: set[int]) -> str:
    deadline, name = time.monotonic() + WINDOW_S, os.fspath(game.args[0])  # type: ignore[index]
    while time.monotonic() < deadline:
        ours = _family(game.pid)
        new = [w for w in list_windows(display) if w.id not in before and w.state == "visible"]
        found = [w for w in new if w.pid in ours] or [w for w in new if w.pid is None]
        if found:
            return _named(found[0])
        if any(place.pid in ours for place in sway.natives()):
            raise StylizerError(f"{name} opened a native Wayland window, and goes on; {NATIVE}")
        if game.poll() is not None:
            raise StylizerError(
                f"{name} ended before it opened a window (exit code {game.returncode}): where a "
                "launcher starts the game, play it by its name"
            )
        time.sleep(LOOK_S)
    raise StylizerError(
        f"{name} opened no window within {WINDOW_S:.0f} s; it goes on: `stylizer windows` lists "
        f"what is there{'; ' + NATIVE if os.environ.get('WAYLAND_DISPLAY') else ''}"
    )


def _family(pid: int) -> set[int]:
    """Ids of a process and of all that it has started."""
    try:
        process = psutil.Process(pid)
        return {pid, *(child.pid for child in process.children(recursive=True))}
    except psutil.Error:
        return {pid}


def _named(window: WindowInfo) -> str:
    """By its process where it tells: that finds the game again when it opens another window."""
    return f"0x{window.id:x}" if window.pid is None else f"pid:{window.pid}"
