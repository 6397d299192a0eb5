"""The keys of one run as the panel changes them: those of a window, or those held over a game."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stylizer.hotkeys import DEFAULT_KEYS, check_bindings, global_combinations, key_label
from stylizer.settings import Settings

MODIFIERS = {"ctrl", "alt", "super"}


class PanelKeys:
    """action -> key name, where the user chose another; main thread only.

    bind: told all chosen keys, those of a window and the global ones, when they have changed.
    """

    def __init__(
        self, settings: Settings, bind: Callable[[dict[str, str], dict[str, str]], None]
    ) -> None:
        self.over_game = settings.over_game
        self._own, self._global = dict(settings.keys), dict(settings.global_keys)
        self._bind = bind

    @property
    def chosen(self) -> dict[str, dict[str, str]]:
        """As the settings have them."""
        return {"keys": self._own, "global_keys": self._global}

    @property
    def names(self) -> dict[str, str]:
        """action -> key, as it is now."""
        if self.over_game:
            return global_combinations(self._global)
        return {action: key for action, (key, _) in DEFAULT_KEYS.items()} | self._own

    def restore(self, kept: dict[str, Any]) -> None:
        """Back to what the settings kept."""
        self._own, self._global = dict(kept["keys"]), dict(kept["global_keys"])
        self._bind(self._own, self._global)

    def rebind(self, action: str, key: str) -> str:
        """Another key for an action, "" for its default; what was done, or what is wrong with it.

        Raises BadInput for a key that cannot be one, or is taken.
        """
        mine = self._global if self.over_game else self._own
        changed = {a: k for a, k in mine.items() if a != action} | ({action: key} if key else {})
        if self.over_game:
            names = global_combinations(changed)
            taken = [a for a, k in names.items() if a != action and k == names.get(action)]
            if taken:
                return f"{key_label(key)} is taken: {DEFAULT_KEYS[taken[0]][1]}"
            if key and not MODIFIERS & set(key.split("+")):
                return f"{key_label(key)} alone would be taken from the game: hold Ctrl or Alt, too"
            self._global = changed
        else:
            if MODIFIERS & set(key.split("+")[:-1]):
                return "keys with Ctrl, Alt or Super are the desktop's: choose one without"
            check_bindings(changed)
            self._own = changed
        self._bind(self._own, self._global)
        return f"{DEFAULT_KEYS[action][1]}: {key_label(self.names[action])}"
