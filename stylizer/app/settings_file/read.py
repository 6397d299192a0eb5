"""The settings file: TOML -> SettingsFile, and how its layers lie over each other."""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from stylizer.app.settings_file.table import ALIASES, GAME_RULES, HOTKEY_TABLES, KEYS, RIVALS
from stylizer.errors import BadInput
from stylizer.hotkeys import DEFAULT_KEYS, check_bindings, parse_combination

PLACE = "STYLIZER_SETTINGS"  # environment variable: another file than the user's own
Layer = dict[str, Any]  # setting -> value; keys and global_keys are dicts of action -> key


@dataclass(frozen=True)
class Game:
    """One [[game]] section: what a window must fit, and the settings it then gets."""

    rules: dict[str, str]
    values: Layer
    name: str = ""  # as the user calls it

    def __str__(self) -> str:
        return "game section " + in_words(self.rules)


@dataclass(frozen=True)
class SettingsFile:
    """What the file says; empty where there is none."""

    path: Path
    exists: bool = False
    values: Layer = field(default_factory=dict)
    games: tuple[Game, ...] = ()


def settings_path(named: Path | None = None) -> Path:
    """Where the file is: the one named, else $STYLIZER_SETTINGS, else the user's own."""
    if named is not None:
        return named
    if os.environ.get(PLACE):
        return Path(os.environ[PLACE]).expanduser()
    return platformdirs.user_config_path("stylizer", appauthor=False) / "settings.toml"


def read_file(path: Path, required: bool = False) -> SettingsFile:
    """Read it; nothing is ever written. No file is an empty one, unless it is required.

    Raises BadInput: broken TOML with line and column, anything else with the key and what is
    allowed.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        if required:
            raise BadInput(
                f"there is no settings file {path}: `stylizer settings --init --settings FILE` "
                "writes one"
            ) from error
        return SettingsFile(path)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise BadInput(f"the settings file {path} cannot be read: {reason}") from error
    return read_text(path, data)


def read_text(path: Path, data: bytes) -> SettingsFile:
    """What the file says where it holds this. Raises BadInput as `read_file` does."""
    table = parse_toml(path, data)
    sections = table.pop("game", [])
    if not isinstance(sections, list) or not all(isinstance(s, dict) for s in sections):
        raise BadInput(f"{path}: a game's section begins with [[game]], in two brackets")
    top = _read_layer(path, "", table)
    games = tuple(_read_game(path, i, s, top) for i, s in enumerate(sections, 1))
    return SettingsFile(path, True, top, games)


def parse_toml(path: Path, data: bytes) -> dict[str, Any]:
    """Raises BadInput with line and column, both from 1."""
    try:
        text = data.decode().removeprefix("\ufeff")  # Windows' editors write a byte order mark
    except UnicodeDecodeError as error:
        line, column = _place(data[: error.start].decode())
        raise _broken(path, line, column, "a byte that is not UTF-8") from error
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        line, column = (int(found[1]), int(found[2])) if found else _place(text)
        reason = str(error).partition(" (at ")[0]
        raise _broken(path, line, column, reason[:1].lower() + reason[1:]) from error


def over(lower: Layer, upper: Layer) -> Layer:
    """Both layers, the upper winning; hotkeys are told apart by action."""
    merged = lower | upper
    for table in HOTKEY_TABLES:
        if table in merged:
            merged[table] = lower.get(table, {}) | upper.get(table, {})
    for chosen, rival in RIVALS:
        if upper.get(chosen) is not None and rival not in upper:
            merged.pop(rival, None)
    return merged


def in_words(values: Mapping[str, Any]) -> str:
    """As it would stand in the file, on one line."""
    parts = []
    for key, value in values.items():
        if isinstance(value, dict):
            parts += [f"{key}.{action} = {toml(name)}" for action, name in value.items()]
        else:
            parts.append(f"{key} = {toml(KEYS[key].rule.plain(value) if key in KEYS else value)}")
    return ", ".join(parts)


def toml(value: object) -> str:
    """A text, number or truth value as TOML, whose spelling is JSON's."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:  # dates and times, which only mistakes hold
        return str(value)


def _read_game(path: Path, number: int, section: dict[str, Any], top: Layer) -> Game:
    where = f"game section {number}"
    rules = {rule: section.pop(rule) for rule in GAME_RULES if rule in section}
    for rule, text in rules.items():
        if not isinstance(text, str) or not text.strip():
            raise BadInput(f"{path}: {where}: {rule} = {toml(text)}: write {GAME_RULES[rule]}")
    name = section.pop("name", "")
    if not isinstance(name, str):
        raise BadInput(f"{path}: {where}: name = {toml(name)}: write a text")
    if not rules:
        raise BadInput(f"{path}: {where} fits no game: give it {_any_of(GAME_RULES)}")
    values = _read_layer(path, where, section, extra=(*GAME_RULES, "name"))
    _check_keys(path, where, over(top, values).get("keys", {}))
    return Game(rules, values, name)


def _read_layer(path: Path, where: str, table: dict[str, Any], extra: Iterable[str] = ()) -> Layer:
    place = f"{path}: {where}: " if where else f"{path}: "
    values: Layer = {}
    for written, value in table.items():
        key = ALIASES.get(written, written)
        if key != written and key in table:
            raise BadInput(f"{place}{key} and {written} are the same setting: leave out one")
        if key in HOTKEY_TABLES:
            values[key] = _read_hotkeys(place, key, value)
            continue
        if key not in KEYS:
            known = [*extra, *KEYS, *HOTKEY_TABLES, *([] if where else ["game"])]
            raise BadInput(f"{place}there is no setting {key!r}{_instead(key, known)}")
        try:
            values[key] = KEYS[key].rule.from_file(value)
        except ValueError as error:
            allowed = KEYS[key].rule.allowed
            raise BadInput(f"{place}{written} = {toml(value)}: write {allowed}") from error
    if all(values.get(key) is not None for key in RIVALS[0]):
        raise BadInput(f"{place}target_fps chooses the inference size itself: leave out one of two")
    for name in ("model", "blend_with"):
        if values.get(name) is not None:
            values[name] = _anchored(values[name], path.absolute().parent)
    if values.get("mask") is not None:
        values["mask"] = path.absolute().parent / values["mask"].expanduser()
    if not where:
        _check_keys(path, "", values.get("keys", {}))
    return values


def _read_hotkeys(place: str, table: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise BadInput(f"{place}{table} is a table of ACTION = KEY: write [{table}] above them")
    for action, key in value.items():
        if action not in DEFAULT_KEYS:
            raise BadInput(
                f"{place}{table} has no action {action!r}{_instead(action, list(DEFAULT_KEYS))}"
            )
        if not isinstance(key, str):
            raise BadInput(f"{place}{table}: {action} = {toml(key)}: write a key's name in quotes")
        if table == "global_keys" and key:
            _check_combination(place, action, key)
    return {action: key.lower() for action, key in value.items()}


def _check_combination(place: str, action: str, text: str) -> None:
    try:
        parse_combination(text.lower())
    except BadInput as error:
        raise BadInput(f"{place}{action}: {error}") from error


def _check_keys(path: Path, where: str, keys: dict[str, str]) -> None:
    try:
        check_bindings(keys)
    except BadInput as error:
        raise BadInput(f"{path}: {where + ': ' if where else ''}keys: {error}") from error


def _anchored(model: str, folder: Path) -> str:
    """A path counts from the file's folder: nobody knows where the program will be started."""
    file = re.sub(r"#[^/\\]*$", "", model)  # a folder's name may hold one, too
    if file.lower().endswith(".onnx") or "/" in file or os.sep in file:
        return str(folder / Path(model).expanduser())
    return model


def _instead(wrong: str, known: list[str]) -> str:
    near = difflib.get_close_matches(wrong, known, 1)
    meant = f", {near[0]!r} perhaps" if near else ""
    return f"{meant}; there are: {', '.join(known)}"


def _any_of(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"


def _place(text: str) -> tuple[int, int]:
    """(line, column) of the place behind a text, both from 1."""
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def _broken(path: Path, line: int, column: int, reason: str) -> BadInput:
    return BadInput(f"{path}, line {line}, column {column}: this is no TOML ({reason}); mend it")
