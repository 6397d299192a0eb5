"""Hotkeys: which key means which action; key names are pygame's (`pygame.key.name`)."""

from __future__ import annotations

import string
from dataclasses import dataclass

from stylizer.errors import BadInput


@dataclass(frozen=True)
class Action:
    """One thing the user asked for. `value` belongs to held keys (1 down, 0 up) and the wipe."""

    name: str
    value: float = 0.0


# action -> (key, what F1 says); a held action is told of its release with value 0
DEFAULT_KEYS: dict[str, tuple[str, str]] = {
    "model_original": ("1", "original model"),
    "model_small": ("2", "small model"),
    "model_fast": ("3", "fast model of this style"),
    "next_style": ("tab", "next style"),
    "previous_style": ("shift+tab", "previous style"),
    "show_source": ("space", "hold: show the source"),
    "toggle_wipe": ("b", "before/after wipe"),
    "strength_down": ("[", "less style"),
    "strength_up": ("]", "more style"),
    "keep_colors": ("c", "keep the game's colors"),
    "show_masks": ("m", "show the masks"),
    "hud": ("h", "HUD: off, fps, graph"),
    "help": ("f1", "this help"),
    "panel": ("f2", "panel: styles, speed, keys"),
    "fullscreen": ("f11", "fullscreen"),
    "screenshot": ("p", "screenshot"),
    "record": ("r", "start or stop recording"),
    "save_replay": ("i", "save the replay: the last seconds"),
    "quit": ("escape", "quit"),
}
HELD_ACTIONS = {"show_source"}
COMMAND = "stylizer key "
# What `pygame.key.name` can say, but for Ctrl, Alt and Meta, which are the desktop's; a test holds
# it to that. Kept here so that a settings file is checked without loading pygame.
KEY_NAMES = frozenset(
    [*string.ascii_lowercase, *string.digits, *(f"f{i}" for i in range(1, 16))]
    + list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`")
    + [f"[{mark}]" for mark in "0123456789.+-*/"]  # the keypad's
    + ["return", "escape", "backspace", "tab", "space", "caps lock", "print screen", "scroll lock"]
    + ["break", "insert", "home", "page up", "delete", "end", "page down", "numlock", "enter"]
    + ["left", "right", "up", "down", "equals", "menu", "help", "clear", "left shift"]
    + ["right shift"]
)
MODIFIERS = ("ctrl", "alt", "shift", "super")
# Ctrl+Alt+F1, F2 and F11 switch the console below X, whoever has grabbed them.
_GLOBAL_INSTEAD = {"help": "k", "panel": "o", "fullscreen": "f"}


def key_bindings(overrides: dict[str, str]) -> dict[str, str]:
    """key name -> action, the defaults changed by `overrides` (action -> key name)."""
    keys = {action: key for action, (key, _) in DEFAULT_KEYS.items()} | overrides
    return {key: action for action, key in keys.items()}


def key_command(action: str) -> str:
    """What does the same as the action's key, for a terminal or the desktop's own shortcuts."""
    return f"{COMMAND}{action}"


def key_label(key: str) -> str:
    """As keyboards have it: "shift+tab" -> "Shift+Tab", "escape" -> "Esc"; a command as it is."""
    if key.startswith(COMMAND):
        return key
    names = {"escape": "Esc", "altgr": "AltGr"}
    return "+".join(names.get(part, part.title()) for part in key.split("+"))


def check_bindings(overrides: dict[str, str]) -> None:
    """Raise BadInput for an unknown action or key name, and for one key with two actions."""
    for action, key in overrides.items():
        if action not in DEFAULT_KEYS:
            raise BadInput(
                f"there is no action {action!r}; choose one of {', '.join(DEFAULT_KEYS)}"
            )
        if key.lower().removeprefix("shift+") not in KEY_NAMES:
            raise BadInput(
                f"{action} = {key!r} names no key; write one as in 'a', '1', 'tab', 'page up', "
                "'f5' or 'shift+tab'"
            )
    taken: dict[str, str] = {}
    for action, (default, _) in DEFAULT_KEYS.items():
        key = overrides.get(action, default).lower()
        if key in taken:
            raise BadInput(f"{key!r} means both {taken[key]} and {action}: give one another key")
        taken[key] = action


def global_combinations(overrides: dict[str, str]) -> dict[str, str]:
    """action -> combination, Ctrl+Alt and the window's key changed by `overrides`; "" is left out.

    Raises BadInput for an action that does not exist.
    """
    for action in overrides:
        if action not in DEFAULT_KEYS:
            raise BadInput(
                f"global_keys: there is no action {action!r}; there are {', '.join(DEFAULT_KEYS)}"
            )
    found = {a: f"ctrl+alt+{_GLOBAL_INSTEAD.get(a, key)}" for a, (key, _) in DEFAULT_KEYS.items()}
    found |= {action: combination.lower() for action, combination in overrides.items()}
    return {action: combination for action, combination in found.items() if combination}


def parse_combination(text: str) -> tuple[frozenset[str], str]:
    """ "ctrl+alt+1" -> ({"ctrl", "alt"}, "1"). Raises BadInput for what is no combination."""
    *modifiers, key = text.replace("++", "+plus").split("+")
    wrong = [m for m in modifiers if m not in MODIFIERS]
    if wrong or not key:
        what = f"{wrong[0]!r} is no modifier" if wrong else "it names no key"
        raise BadInput(
            f"the global key {text!r}: {what}; write {', '.join(MODIFIERS)} and one key, "
            'joined by "+", as in ctrl+alt+1'
        )
    return frozenset(modifiers), key
