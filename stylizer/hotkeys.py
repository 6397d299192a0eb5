"""Hotkeys: which key means which action; key names are pygame's (`pygame.key.name`)."""

from __future__ import annotations

from dataclasses import dataclass


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
    "toggle_wipe": ("b", "before/after wipe (drag it)"),
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


def key_bindings(overrides: dict[str, str]) -> dict[str, str]:
    """key name -> action, the defaults changed by `overrides` (action -> key name)."""
    keys = {action: key for action, (key, _) in DEFAULT_KEYS.items()} | overrides
    return {key: action for action, key in keys.items()}
