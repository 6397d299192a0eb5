"""Every key of the settings file: the one table behind reading, writing and listing it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stylizer.app.settings_file import values
from stylizer.settings import Settings
from stylizer.stages import PRESENTERS

HOTKEY_TABLES = ("keys", "global_keys")  # tables of action = key, not single values
GAME_RULES = {
    "executable": "the program's file name, as in /usr/games/supertux2, without the folder",
    "class": "the window's class, as `stylizer windows` shows it",
    "title": "a part of the window's title",
}
# One says what the other decides: a layer that sets one lifts the other of the layers below.
RIVALS = (("target_fps", "inference_size"), ("inference_size", "target_fps"))


@dataclass(frozen=True)
class Key:
    """One key. kind: bool, float or str, the TOML type; parse: the command line's own parser, so
    that one rule holds for both; nothing: the word that stands for "not set" (None)."""

    kind: type
    parse: Callable[[str], Any]
    allowed: str
    meaning: str
    nothing: str = ""

    def read(self, value: object) -> Any:
        """The setting that a TOML value means. Raises ValueError when it is not allowed."""
        if self.nothing and value == self.nothing:
            return None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number if self.kind is float else isinstance(value, self.kind)):
            raise ValueError
        if self.kind is bool:
            return value
        try:
            return self.parse(str(value))
        except argparse.ArgumentTypeError as error:
            raise ValueError from error

    def plain(self, setting: Any) -> bool | float | str:
        """A setting as it stands in the file."""
        if setting is None:
            return self.nothing
        return "{}x{}".format(*setting) if isinstance(setting, tuple) else setting


def switch(meaning: str) -> Key:
    return Key(bool, bool, "true or false", meaning)


def choice(names: tuple[str, ...], meaning: str) -> Key:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError
        return text

    return Key(str, parse, "one of " + ", ".join(f'"{name}"' for name in names), meaning)


def name(text: str) -> str:
    if not text.strip():
        raise ValueError
    return text


KEYS: dict[str, Key] = {
    "model": Key(
        str,
        name,
        'the name of a bundled model, the path of an .onnx file, "auto" or "none"',
        'Style model. "auto" is the best bundled one for the provider, "none" shows the game '
        "unpainted. A relative path counts from this file's folder.",
    ),
    "strength": Key(float, values.share, "a number from 0 to 1", "0 shows the game, 1 the style."),
    "keep_colors": switch("Styled brightness, the game's own colours."),
    "inference_size": Key(
        str,
        values.seen_size,
        'a size as in "640x360", or "full"',
        'What the network sees: smaller is faster and coarser. "full" is the frame\'s own size. '
        "Not together with target_fps.",
        "full",
    ),
    "target_fps": Key(
        float,
        values.held_fps,
        'a number above 0, or "off"',
        "Hold this many styled frames a second by the size that the network sees. "
        "Not together with inference_size.",
        "off",
    ),
    "faster_tiers": switch(
        "With target_fps: take a faster tier of the style where the smallest size is too slow."
    ),
    "detail": switch("Below full size the frame keeps its own detail; false: plain upsampling."),
    "stabilise": Key(
        float,
        values.share,
        "a number from 0 to 1",
        "Against flicker: share of the last picture kept where the game stands still.",
    ),
    "move_canvas": switch(
        "Strokes of models with a canvas go with the picture; false: they stand."
    ),
    "provider": choice(values.PROVIDERS, "What the network runs on."),
    "present": choice(tuple(PRESENTERS), "Where the picture is shown."),
    "size": Key(
        str,
        values.size,
        'a size as in "1280x720"',
        "Frame size of the demo scene, and of its window.",
    ),
    "fullscreen": switch("Start in fullscreen."),
    "hud": choice(
        values.HUD_CHOICES,
        'The figures over the picture. "auto" is "fps" in a window, and "off" offscreen.',
    ),
    "grab_keys": switch(
        "[global_keys] work with a window of our own, too; with an overlay they always do (X11)."
    ),
    "wait": switch("When the captured game closes, wait until it is back."),
}
# `run` decides these by the others where nobody says; the file calls that "auto" or leaves it out.
UNDECIDED: dict[str, Any] = {"source": None, "hud": "auto", "warmup": None}


def defaults() -> dict[str, Any]:
    """Every setting of `run` that nobody has chosen."""
    return vars(Settings()) | UNDECIDED
