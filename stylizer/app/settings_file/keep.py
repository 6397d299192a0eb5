"""Writing into the settings file what the panel keeps: comments and all else stay as they are."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from stylizer.app.settings_file.games import describe, fits
from stylizer.app.settings_file.read import (
    Game,
    Layer,
    SettingsFile,
    over,
    read_file,
    read_text,
    toml,
)  # fmt: skip
from stylizer.app.settings_file.table import HOTKEY_TABLES, KEYS
from stylizer.app.settings_file.text import commented_file
from stylizer.errors import BadInput
from stylizer.hotkeys import DEFAULT_KEYS
from stylizer.settings import OPTIONS, unsaid
from stylizer.system.files import check_writable, write_text

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

    from stylizer.source.x11.window_list import WindowInfo

LONGEST_NAME = 60


@final
class FilePresets:
    """Keeps the panel's settings in the section of the game that is captured, or, without a game,
    at the top of the file. See run/presets.py for what its members promise."""

    def __init__(self, path: Path) -> None:
        self._path, self.file = path, str(path)
        self.game, self.name = "", ""
        self._window: WindowInfo | None = None
        self._read: SettingsFile = SettingsFile(path)
        self._number: int | None = None  # of the game's section, from 0; None: it has none yet

    def look(self, window_id: int) -> None:
        self._window = describe(window_id) if window_id else None
        self._take(read_file(self._path))

    def kept(self) -> Layer:
        values = over(self._below(), self._own())
        kept = [name for name, option in OPTIONS.items() if option.in_panel]
        return {name: values.get(name) for name in kept} | {t: values[t] for t in HOTKEY_TABLES}

    def save(self, values: Mapping[str, Any]) -> str:
        text, below = self._text(), self._below()
        own = self._own()
        if self._window is None:
            new = {n: v for n, v in values.items() if v != below.get(n) and n not in own}
            text = with_lines(text, new)
        document = _parsed(text)
        section = document if self._window is None else self._section(document)
        for name, value in values.items():
            if name in HOTKEY_TABLES:
                _put_table(section, name, _differing(value, below[name], own.get(name, {})))
            elif value != below.get(name):
                section[name] = KEYS[name].rule.plain(value)
            elif name in section:
                del section[name]
        self._write(document)
        return f"saved in {self._path}"

    def rename(self, name: str) -> str:
        name = " ".join(name.split())[:LONGEST_NAME]
        if not name:
            raise BadInput("a preset's name has at least one letter")
        document = _parsed(self._text())
        self._section(document)["name"] = name
        self._write(document)
        return f"the preset is called {name}"

    def _take(self, file: SettingsFile) -> None:
        """What the file says now."""
        self._read, window = file, self._window
        self._number, self.game, self.name = None, "", ""
        if window is None:
            return
        self.game = (
            f"{window.title} ({window.window_class})" if window.window_class else window.title
        )
        self.name = window.window_class or window.title
        for number, game in enumerate(file.games):
            if fits(game, window):
                self._number = number
                self.name = game.name or self.name
                return

    def _own(self) -> Layer:
        if self._window is None:
            return self._read.values
        return {} if self._number is None else self._section_read(self._number).values

    def _section_read(self, number: int) -> Game:
        return self._read.games[number]

    def _below(self) -> Layer:
        """What holds where the own settings say nothing."""
        default = unsaid() | {table: {} for table in HOTKEY_TABLES}
        default["hud"] = "fps"  # in a window, which is where panels are
        return default if self._window is None else over(default, self._read.values)

    def _text(self) -> str:
        """The file as it is, or the commented one of `settings --init` where there is none."""
        if not os.path.lexists(self._path):
            return commented_file()
        self._take(read_file(self._path))  # the user may have edited it meanwhile
        return self._path.read_bytes().decode().removeprefix("\ufeff")

    def _section(self, document: TOMLDocument) -> Any:
        """The game's own, made at the end of the file where there is none yet."""
        import tomlkit

        assert self._window is not None
        sections: Any = document.get("game")
        if self._number is not None:
            return sections[self._number]
        section = tomlkit.table()
        rule = "class" if self._window.window_class else "title"
        section[rule] = self._window.window_class or self._window.title
        if sections is None:
            sections = tomlkit.aot()
            sections.append(section)
            document["game"] = sections
        else:
            sections.append(section)
        return document["game"][-1]  # pyright: ignore

    def _write(self, document: TOMLDocument) -> None:
        import tomlkit

        text = tomlkit.dumps(document)
        read = read_text(self._path, text.encode())  # a mistake of ours must not reach the disk
        self._path.parent.mkdir(parents=True, exist_ok=True)
        check_writable(self._path)
        write_text(self._path, text)
        self._take(read)


def with_lines(text: str, values: Mapping[str, Any]) -> str:
    """Settings that are new to the top of the file take the place of their commented lines."""
    table = re.search(r"(?m)^\s*\[", text)
    end = table.start() if table else len(text)
    head, rest = text[:end], text[end:]
    for name, value in values.items():
        if name in KEYS:
            line = f"{name} = {toml(KEYS[name].rule.plain(value))}"
            head = re.sub(rf"(?m)^#{name} = .*$", lambda _, new=line: new, head, count=1)
    return head + rest


def _parsed(text: str) -> TOMLDocument:
    import tomlkit

    return tomlkit.parse(text)


def _differing(keys: dict[str, str], below: dict[str, str], own: dict[str, str]) -> dict[str, str]:
    """What a table of hotkeys must say so that these keys come out."""
    usual = {action: key for action, (key, _) in DEFAULT_KEYS.items()}
    found = {}
    for action in {**own, **keys}:
        wanted = keys.get(action)
        if wanted is not None and wanted != below.get(action):
            found[action] = wanted
        elif wanted is None and action in below:
            found[action] = usual[action]
    return found


def _put_table(section: Any, name: str, keys: dict[str, str]) -> None:
    """Its lines set and taken away one by one, so that the comments between stay."""
    import tomlkit

    if not keys and name not in section:
        return
    if name not in section:
        section[name] = tomlkit.table()
    table = section[name]
    for action in [a for a in table if a not in keys]:
        del table[action]
    for action, key in keys.items():
        table[action] = key
