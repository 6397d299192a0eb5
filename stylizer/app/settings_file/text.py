"""The settings file as text: the commented one of `settings --init`, and what is in force."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

from stylizer.app.settings_file.read import SettingsFile, in_words, over, toml
from stylizer.app.settings_file.table import GAME_RULES, HOTKEY_TABLES, KEYS
from stylizer.errors import BadInput
from stylizer.hotkeys import DEFAULT_KEYS, global_combinations
from stylizer.settings import unsaid
from stylizer.system.files import check_writable, write_text

HEAD = """\
Settings of the stylizer: what `run` does where the command line says nothing.
Lines that begin with # and no blank are settings at their defaults: take the # away and change
the value. The command line wins over a game's section, that one over the settings here."""
KEYS_HEAD = """\
Hotkeys of the window: action = key. Names are those of pygame: "a", "1", "[", "tab", "space",
"page up", "f5"; "shift+" may stand in front ("shift+/", not "?"). One key means one action."""
GLOBAL_KEYS_HEAD = """\
Hotkeys that also work while the game has the keyboard: action = combination, for example
"ctrl+alt+h", or "" for none. The actions are those of [keys]. They work with an overlay, and with
grab_keys, on X11."""
GAME_HEAD = """\
Settings for one game: they apply by themselves when `--window` captures a window that fits.
Give at least one of executable, class and title; all that are given must fit, in any case of
letters. The first section that fits counts. Every setting above may stand here, hotkeys in
[game.keys]. `name` is what the panel calls it."""


def commented_file() -> str:
    """Every key with its meaning, what is allowed, and its default as a comment."""
    lines = [*_prose(HEAD), ""]
    for name, key in KEYS.items():
        meaning = key.help[:1].upper() + key.help[1:]
        lines += _prose(f"{meaning}. Allowed: {key.rule.allowed}.")
        lines += [f"#{name} = {toml(key.rule.plain(unsaid()[name]))}", ""]
    lines += [*_prose(KEYS_HEAD), "[keys]"]
    lines += _hotkey_lines(_default_keys())
    lines += ["", *_prose(GLOBAL_KEYS_HEAD), "[global_keys]"]
    lines += [*_hotkey_lines(global_combinations({})), "", *_prose(GAME_HEAD)]
    lines += [f"# {rule}: {meaning}." for rule, meaning in GAME_RULES.items()]
    lines += ["#[[game]]", '#title = "supertux"', "#strength = 0.6", '#inference_size = "640x360"']
    lines += ["#[game.keys]", '#keep_colors = "k"']
    return "\n".join(lines) + "\n"


def write_commented_file(path: Path) -> None:
    """Write it, whole or not at all. Raises BadInput where a file is already, or none can be."""
    if os.path.lexists(path):
        raise BadInput(f"{path} is there already and stays as it is; move it away for a new one")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise BadInput(f"the folder {path.parent} cannot be made: {reason}") from error
    check_writable(path)
    write_text(path, commented_file())


def in_force(file: SettingsFile) -> dict[str, Any]:
    """Settings as they would stand in the file, hotkeys, and the game sections; for JSON."""
    hotkeys = {"keys": _default_keys(), "global_keys": global_combinations({})}
    values = over(unsaid() | hotkeys, file.values)
    return {
        "file": str(file.path),
        "exists": file.exists,
        "settings": {name: key.rule.plain(values.get(name)) for name, key in KEYS.items()},
        **{table: values[table] for table in HOTKEY_TABLES},
        "games": [{"match": g.rules, "settings": _plain(g.values)} for g in file.games],
    }


def in_force_rows(file: SettingsFile) -> list[dict[str, str]]:
    """The same as rows of a table: setting, value, and who says so."""
    found, own = in_force(file), file.values

    def row(name: str, value: object, from_file: bool) -> dict[str, str]:
        return {"setting": name, "value": str(value), "from": "file" if from_file else "default"}

    rows = [row(n, toml(v), n in own) for n, v in found["settings"].items()]
    for table in HOTKEY_TABLES:
        rows += [
            row(f"{table}.{a}", toml(k), a in own.get(table, {})) for a, k in found[table].items()
        ]
    return rows + [row(str(g), in_words(g.values), True) for g in file.games]


def _hotkey_lines(keys: dict[str, str]) -> list[str]:
    """action -> key as commented settings, each with what it does."""
    settings = {action: f"#{action} = {toml(key)}" for action, key in keys.items()}
    width = max(map(len, settings.values())) + 2
    return [f"{text:{width}}# {DEFAULT_KEYS[action][1]}" for action, text in settings.items()]


def _default_keys() -> dict[str, str]:
    return {action: key for action, (key, _) in DEFAULT_KEYS.items()}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {n: KEYS[n].rule.plain(v) if n in KEYS else v for n, v in values.items()}


def _prose(text: str) -> list[str]:
    lines = (textwrap.wrap(line, 98) for line in text.splitlines())
    return [f"# {part}" for parts in lines for part in parts]
