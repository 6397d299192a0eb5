"""Hotkeys: which key means which action; key names are pygame's (`pygame.key.name`)."""

from __future__ import annotations

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
    "keep_colors": ("c", "keep the game's colours"),
    "hud": ("h", "HUD: off, fps, graph"),
    "help": ("f1", "this help"),
    "fullscreen": ("f11", "fullscreen"),
    "screenshot": ("p", "screenshot"),
    "record": ("r", "start or stop recording"),
    "quit": ("escape", "quit"),
}
HELD_ACTIONS = {"show_source"}
MODIFIERS = ("ctrl", "alt", "shift", "super")
# Ctrl+Alt+F1 and F11 switch the console below X, whoever has grabbed them.
_GLOBAL_INSTEAD = {"help": "k", "fullscreen": "f"}


def key_bindings(overrides: dict[str, str]) -> dict[str, str]:
    """key name -> action, the defaults changed by `overrides` (action -> key name)."""
    keys = {action: key for action, (key, _) in DEFAULT_KEYS.items()} | overrides
    return {key: action for action, key in keys.items()}


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
