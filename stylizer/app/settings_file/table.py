"""What may stand in the settings file: the settings that say so (settings.py), hotkeys, games."""

from __future__ import annotations

from stylizer.settings import OPTIONS, Option

HOTKEY_TABLES = ("keys", "global_keys")  # tables of action = key, not single values
GAME_RULES = {
    "executable": "the program's file name, as in /usr/games/supertux2, without the folder",
    "class": "the window's class, as `stylizer windows` shows it",
    "title": "a part of the window's title",
}
# One says what the other decides: a layer that sets one lifts the other of the layers below.
RIVALS = (("target_fps", "inference_size"), ("inference_size", "target_fps"))
KEYS: dict[str, Option] = {name: option for name, option in OPTIONS.items() if option.in_file}
ALIASES = {option.alias: name for name, option in KEYS.items() if option.alias}  # other spellings
