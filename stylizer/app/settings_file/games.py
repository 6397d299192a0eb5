"""Which [[game]] section of the settings file fits the window that will be captured."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil

from stylizer.app.settings_file.read import Game, Layer, SettingsFile, in_words, over
from stylizer.app.settings_file.table import HOTKEY_TABLES
from stylizer.errors import BadInput
from stylizer.source.x11 import window_list
from stylizer.source.x11.window_list import WindowInfo, find_window
from stylizer.system.x11 import Display

NOT_MATCHED = "no game section applies: windows are matched on X11 only so far"


def layered(file: SettingsFile, given: Layer) -> tuple[Layer, str]:
    """Defaults aside, all layers: the file's top, the section that fits, what was given.

    Also which section applies, or why none does, in words; "" where there was nothing to match.
    Raises what `find_window` raises.
    """
    if not file.games or given.get("window") is None:
        return over(file.values, given), ""
    if given.get("source") in ("portal", "wlroots"):
        return over(file.values, given), NOT_MATCHED
    game, why = section_for(file, given["window"], bool(over(file.values, given).get("wait")))
    if game is None:
        return over(file.values, given), f"{why} ({file.path})"
    merged = over(over(file.values, game.values), given)
    counts = [n for n, v in game.values.items() if n in HOTKEY_TABLES or merged.get(n) == v]
    beaten = {n: v for n, v in game.values.items() if n not in counts}
    said = in_words({n: game.values[n] for n in counts}) or "nothing of it"
    said = f"{game} applies: {said}"
    if beaten:
        said += f"; the command line wins over {in_words(beaten)}"
    return merged, f"{said} ({file.path})"


def section_for(file: SettingsFile, wanted: str, wait: bool) -> tuple[Game | None, str]:
    """The first section that fits the window `wanted` (see find_window); else None and why.

    With `wait` a window that is not there yet is no error.
    """
    if not (sys.platform.startswith("linux") and os.environ.get("DISPLAY")):
        return None, NOT_MATCHED
    display = Display()
    try:
        window, _ = find_window(display, wanted)
    except BadInput:
        if not wait:
            raise
        return None, f"no game section applies: the window {wanted!r} is not there yet"
    finally:
        display.close()
    for game in file.games:
        if fits(game, window):
            return game, ""
    unknown = "" if window.pid else "; it does not tell its process, so no executable can fit"
    return None, f"no game section fits the window {window}{unknown}"


def describe(window_id: int) -> WindowInfo | None:
    """The window that is captured; None where it has gone, or windows are not told apart."""
    if not (sys.platform.startswith("linux") and os.environ.get("DISPLAY")):
        return None
    display = Display()
    try:
        return window_list.describe(display, window_id)
    finally:
        display.close()


def fits(game: Game, window: WindowInfo) -> bool:
    """Whether all rules hold, in any case of letters: title a part, the others whole."""
    rules = {rule: text.lower() for rule, text in game.rules.items()}
    return (
        rules.get("title", "") in window.title.lower()
        and rules.get("class", window.window_class.lower()) == window.window_class.lower()
        and ("executable" not in rules or rules["executable"] in executables(window.pid))
    )


def executables(pid: int | None) -> set[str]:
    """Names of a process in lower case: its file's, and its own (under Wine they differ).

    Empty when the process is unknown or gone, or lives in another container.
    """
    names: set[str] = set()
    if pid is None:
        return names
    try:
        process = psutil.Process(pid)
        names.add(process.name().lower())
        names.add(Path(process.exe()).name.lower())
    except psutil.Error:  # another user's process tells its name only
        pass
    return names - {""}
