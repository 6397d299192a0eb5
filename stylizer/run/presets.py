"""Where the panel keeps its settings. The command line gives the one that writes the user's file
(app/settings_file/keep.py); a run that is not the user's own has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from stylizer.hotkeys import DEFAULT_KEYS
from stylizer.settings import OPTIONS

Values = Mapping[str, Any]  # setting -> value, keys and global_keys: action -> key


class Presets(Protocol):
    """The settings of one game, or of everything that has no game's own.

    file: where they are kept. game: in words, "" for everything. name: as the user calls it.
    """

    file: str
    game: str
    name: str

    def look(self, window_id: int) -> None:
        """Find out for which window it is (0: none), and what is kept for it now. Raises BadInput
        for a file that cannot be read."""
        ...

    def kept(self) -> Values:
        """What a run without options would have: every setting that the panel changes."""
        ...

    def save(self, values: Values) -> str:
        """Keep these; returns what was done, in words. Raises BadInput or StylizerError."""
        ...

    def rename(self, name: str) -> str:
        """Call it so; returns what was done, in words. Raises BadInput or StylizerError."""
        ...


def changes_in_words(values: dict[str, Any], kept: dict[str, Any]) -> list[str]:
    """Settings that are otherwise than they are kept, a line each; keys by what they do."""
    found = []
    for name, value in values.items():
        before = kept.get(name)
        if value == before:
            continue
        if isinstance(value, dict):
            there = before or {}
            actions = sorted(a for a in {*value, *there} if value.get(a) != there.get(a))
            found += [f"{DEFAULT_KEYS[action][1]}: another key" for action in actions]
        else:
            found.append(f"{name.replace('_', ' ')}: {OPTIONS[name].rule.words(value)}")
    return found
