"""`stylizer key NAME` as bindings of a desktop that lets no program have keys of its own."""

from __future__ import annotations

import shlex

from stylizer.app.desktop_files import program
from stylizer.hotkeys import HELD_ACTIONS, global_combinations
from stylizer.system.xkb import trigger

SWAY_NAMES = {"ctrl": "Ctrl", "alt": "Alt", "shift": "Shift", "super": "Mod4"}


def sway_lines(overrides: dict[str, str]) -> list[str]:
    """Lines of sway's configuration, one an action, two for a held one (man 5 sway).

    overrides: as in settings.global_keys. They work, too, where a game has asked for all
    keys (--inhibited). Raises BadInput for combinations that cannot be.
    """
    lines = ["# the stylizer's keys, made by `stylizer key --sway`"]
    for action, combination in global_combinations(overrides).items():
        keys, call = trigger(combination, SWAY_NAMES), shlex.join([*program(), "key", action])
        lines.append(f"bindsym --inhibited {keys} exec {call}")
        if action in HELD_ACTIONS:
            lines.append(f"bindsym --inhibited --release {keys} exec {call} --release")
    return lines
