"""What the value of an option or setting may be: rules for one value, in text and in TOML."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from stylizer.frame import Shape, ShapeKind


@dataclass(frozen=True)
class Rule:
    """What a value may be, on the command line and in the settings file alike.

    kind: the TOML type of a value in the file; bool: a switch. parse: the command line's text to
    the value, raises ArgumentTypeError. allowed: what is allowed, in words. metavar: how the value
    is called in --help. choices: all there are. nothing: the word that stands for "not set" (None).
    """

    kind: type
    allowed: str
    metavar: str = ""
    parse: Callable[[str], Any] = str
    choices: tuple[str, ...] = ()
    nothing: str = ""

    def from_text(self, text: str) -> Any:
        """The value that the command line's text means. Raises ArgumentTypeError."""
        return None if self.nothing and text == self.nothing else self.parse(text)

    def from_file(self, value: object) -> Any:
        """The value that a TOML value means. Raises ValueError when it is not allowed."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.nothing and value == self.nothing:
            return None
        if not (number if self.kind is float else isinstance(value, self.kind)):
            raise ValueError
        if self.choices and value not in self.choices:
            raise ValueError
        try:
            return value if self.kind is bool else self.parse(str(value))
        except argparse.ArgumentTypeError as error:
            raise ValueError from error

    def plain(self, value: Any) -> bool | float | str:
        """A value as it stands in the file."""
        if value is None:
            return self.nothing
        if isinstance(value, Path):
            return str(value)
        return "{}x{}".format(*value) if isinstance(value, tuple) else value

    def words(self, value: Any) -> str:
        """A value as a person reads it: shares in percent."""
        plain = self.plain(value)
        if isinstance(plain, bool):
            return "on" if plain else "off"
        return f"{plain:.0%}" if self.parse in (share, most) else f"{plain}"


class ShapesRule(Rule):
    """A list of shapes: on the command line a text with ";" between them, in the file a list of
    texts."""

    def from_file(self, value: object) -> tuple[Shape, ...]:
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise ValueError
        try:
            return tuple(shape(text) for text in value)
        except argparse.ArgumentTypeError as error:
            raise ValueError from error

    def plain(self, value: tuple[Shape, ...]) -> list[str]:  # pyright: ignore
        return [shape_text(one) for one in value]

    def words(self, value: tuple[Shape, ...]) -> str:
        return f"{len(value)} shape{'' if len(value) == 1 else 's'}" if value else "none"


class PlaceRule(Rule):
    """A place in the window, as shares of the room that there is: "0.5,0" is top center."""

    def plain(self, value: tuple[float, float] | None) -> str:  # pyright: ignore
        return self.nothing if value is None else ",".join(f"{share:g}" for share in value)


def place(text: str) -> tuple[float, float]:
    """ "0.5,0" -> (0.5, 0.0). Raises ArgumentTypeError."""
    parts = [number(part.strip()) for part in text.split(",")]
    if len(parts) != 2 or not all(0 <= part <= 1 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no place; write X,Y, each from 0 to 1")
    return parts[0], parts[1]


MOST_SHAPES, MOST_CORNERS = 64, 64  # more than anybody draws; each is drawn on the CPU


def shapes(text: str) -> tuple[Shape, ...]:
    """ "rectangle 0,0,0.2,0.1; ellipse 0.8,0,1,0.2" -> shapes; an empty text is none."""
    found = tuple(shape(part) for part in text.split(";") if part.strip())
    if len(found) > MOST_SHAPES:
        raise argparse.ArgumentTypeError(f"{len(found)} shapes are more than {MOST_SHAPES}")
    return found


def shape(text: str) -> Shape:
    """ "polygon 0,0,0.2,0,0.1,0.3" -> the shape. Raises ArgumentTypeError."""
    kind, _, rest = text.strip().partition(" ")
    if kind not in get_args(ShapeKind):
        raise argparse.ArgumentTypeError(
            f"{text.strip()!r} is no shape; write rectangle, ellipse or polygon and the numbers"
        )
    values = [number(part.strip()) for part in rest.split(",")]
    if not all(0 <= value <= 1 for value in values):
        raise argparse.ArgumentTypeError(f"{text.strip()!r}: places lie between 0 and 1")
    points = tuple(zip(values[::2], values[1::2], strict=False))
    corners = (3, MOST_CORNERS) if kind == "polygon" else (2, 2)
    if len(values) % 2 or not corners[0] <= len(points) <= corners[1]:
        need = f"{corners[0]} to {corners[1]} corners" if kind == "polygon" else "two corners"
        raise argparse.ArgumentTypeError(f"{text.strip()!r}: {kind} has {need}, each X,Y")
    found = Shape(kind, points)  # pyright: ignore[reportArgumentType]
    left, top, right, bottom = found.box
    if left == right or top == bottom:
        raise argparse.ArgumentTypeError(f"{text.strip()!r} is empty: its corners lie in a line")
    return found


def shape_text(one: Shape) -> str:
    """As it stands in the file; a ten-thousandth of the picture is less than a pixel."""
    numbers = (f"{round(value, 4):g}" for point in one.points for value in point)
    return f"{one.kind} {','.join(numbers)}"


def size(text: str) -> tuple[int, int]:
    """ "1280x720" -> (1280, 720), each side 16 to 16384."""
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write WIDTHxHEIGHT, as in 1280x720")
    result = int(width), int(height)
    if not all(16 <= side <= 16384 for side in result):
        raise argparse.ArgumentTypeError(f"{text!r}: each side of a size is 16 to 16384 pixels")
    return result


def sizes(text: str) -> list[tuple[int, int]]:
    """ "720x540,1280x720" -> list of sizes."""
    return [size(part.strip()) for part in text.split(",")]


def region(text: str) -> tuple[int, int, int, int]:
    """ "40,30,1280,720" -> (x, y, width, height) in pixels, each side from 16."""
    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().lstrip("-").isdigit() for part in parts):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no region; write X,Y,WIDTH,HEIGHT, as in 0,0,1280,720"
        )
    x, y, width, height = map(int, parts)
    if min(width, height) < 16:
        raise argparse.ArgumentTypeError(f"{text!r}: each side of a region is at least 16 pixels")
    return x, y, width, height


def share(text: str) -> float:
    """A number from 0 to 1."""
    return between(text, 0, 1)


def most(text: str) -> float:
    """A share of something that most of is to be kept of."""
    return between(text, 0.1, 0.95)


def between(text: str, least: float, most: float) -> float:
    """A number from `least` to `most`."""
    value = number(text)
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} must lie between {least:g} and {most:g}")
    return value


def part(text: str) -> tuple[float, float, float, float]:
    """ "0,0,1,0.4" -> a box of shares of a picture: left, top, right, bottom."""
    sides = [number(side.strip()) for side in text.split(",")]
    if len(sides) != 4 or not (0 <= sides[0] < sides[2] <= 1 and 0 <= sides[1] < sides[3] <= 1):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no part; write LEFT,TOP,RIGHT,BOTTOM, each from 0 to 1"
        )
    return sides[0], sides[1], sides[2], sides[3]


def positive(text: str) -> float:
    """A number above 0."""
    value = number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} must be a number above 0")
    return value


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error


def count(text: str) -> int:
    """A whole number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1")
    return int(text)


def natural(text: str) -> int:
    """A whole number from 0."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 0")
    return int(text)


def path(text: str) -> Path:
    """A file or folder; an empty name would mean the current folder, which nobody means who passes
    an unset variable."""
    if not text:
        raise argparse.ArgumentTypeError("the name is empty")
    if text == "-":  # a pipe for other programs; a file of that name is one nobody can delete
        raise argparse.ArgumentTypeError(
            "'-' is no file: /dev/stdout or /dev/stdin is the pipe, ./- a file of that name"
        )
    return Path(text)


def words(text: str) -> str:
    """Anything but blanks."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text


def choice(*names: str, metavar: str = "") -> Rule:
    """One of these words."""
    allowed = "one of " + ", ".join(f'"{name}"' for name in names)
    return Rule(str, allowed, metavar, choices=names)


def or_word(rule: Rule, word: str, allowed: str, metavar: str = "") -> Rule:
    """The rule with a word that stands for "not set"; allowed: what else is, in words."""
    allowed = f'{allowed}, or "{word}"'
    return replace(rule, allowed=allowed, nothing=word, metavar=metavar or rule.metavar)


SWITCH = Rule(bool, "true or false")  # --x and --no-x: either may win over the settings file
FLAG = Rule(bool, "true")  # --x alone
TEXT = Rule(str, "a text", "NAME", words)
FILE = Rule(str, "a path", "FILE", path)
SIZE = Rule(str, 'a size as in "1280x720"', "WxH", size)
SHARE = Rule(float, "a number from 0 to 1", "0..1", share)
POSITIVE = Rule(float, "a number above 0", "N", positive)
COUNT = Rule(int, "a whole number from 1", "N", count)
NATURAL = Rule(int, "a whole number from 0", "N", natural)
PLACE = PlaceRule(str, 'a place as in "0.5,0", or "corner"', "X,Y", place, nothing="corner")
REGION = Rule(str, "a place as in 0,0,1280,720", "X,Y,W,H", region)
SHAPES = ShapesRule(
    list,
    'a list of shapes as in ["rectangle 0,0,0.2,0.1", "ellipse 0.8,0,1,0.2", '
    '"polygon 0,0.8,0.3,1,0,1"], places from 0 to 1',
    "SHAPES",
    shapes,
)
