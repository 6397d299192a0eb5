"""Combinations that others have: what is tried instead, and what a desktop keeps for itself."""

from __future__ import annotations

import os

from stylizer.hotkeys import global_combinations, parse_combination

# Tried one after the other where another program has Ctrl+Alt and the key. Super last: a manager
# that opens its menu by it (icewm) lets nobody hear what is pressed with it.
INSTEAD = (("ctrl", "alt", "shift"), ("ctrl", "shift"), ("alt", "shift"), ("ctrl", "super"))
# What these desktops keep from XWayland's programs, though those may grab it: GNOME's
# org.gnome.desktop.wm.keybindings, and KWin's "Kill Window" of Plasma 5.
RESERVED = {
    "GNOME": ("ctrl+alt+escape", "ctrl+alt+shift+escape", "ctrl+alt+tab", "ctrl+alt+shift+tab"),
    "KDE": ("ctrl+alt+escape",),
}


def reserved() -> tuple[str, ...]:
    """Combinations that never come to us in this session."""
    if not os.environ.get("WAYLAND_DISPLAY"):
        return ()
    desktops = os.environ.get("XDG_CURRENT_DESKTOP", "").split(":")
    return tuple(text for name in desktops for text in RESERVED.get(name, ()))


def free_combinations(overrides: dict[str, str]) -> dict[str, str]:
    """action -> combination as in global_combinations, but for defaults that the desktop keeps one
    of INSTEAD with the same key. Raises BadInput for what is no combination."""
    kept, found = set(reserved()), global_combinations(overrides)
    for action, combination in found.items():
        if combination in kept and action not in overrides:
            key = parse_combination(combination)[1]
            others = ("+".join([*modifiers, key]) for modifiers in INSTEAD)
            taken = kept | set(found.values())
            found[action] = next((one for one in others if one not in taken), combination)
    return found
