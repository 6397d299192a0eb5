"""What options may say: parsers of single values, and the options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from stylizer.errors import BadInput

PROVIDERS = ("auto", "cpu", "cuda", "tensorrt", "openvino", "webgpu", "directml", "coreml")
SWITCH = argparse.BooleanOptionalAction  # --x and --no-x: either may win over the settings file
HUD_CHOICES = ("auto", "off", "fps", "graph")


class OneSentenceParser(argparse.ArgumentParser):
    """argparse without the usage dump: a mistake is one sentence."""

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        """As argparse, but a value may begin with a dash: `--model-range -1..1`."""
        return super().parse_known_args(self._joined(list(args or [])), namespace)

    def _joined(self, words: list[str]) -> list[str]:
        """`--option -value` as `--option=-value`, where the second is no option."""
        found: list[str] = []
        for word in words:
            action = self._option_string_actions.get(found[-1]) if found else None
            takes_one = action is not None and action.nargs is None
            if takes_one and is_value_with_dash(word) and word not in self._option_string_actions:
                found[-1] = f"{found[-1]}={word}"
            else:
                found.append(word)
        return found

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        if arg_strings == ["--"] and action.option_strings and action.nargs is None:
            value = self._get_value(action, "--")  # argparse drops it, and takes what is not there
            self._check_value(action, value)  # pyright: ignore[reportAttributeAccessIssue]
            return value
        return super()._get_values(action, arg_strings)  # pyright: ignore[reportAttributeAccessIssue]

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        # Path("") is the current folder, which nobody means who passes an unset variable.
        if action.type is Path and not arg_string:
            raise argparse.ArgumentError(action, "the name is empty")
        return super()._get_value(action, arg_string)  # pyright: ignore[reportAttributeAccessIssue]

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message}; `{self.prog} --help` lists the options")


def is_value_with_dash(word: str) -> bool:
    """Whether a word begins with one dash, which no option of several letters does."""
    return len(word) > 1 and word[0] == "-" != word[1]


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
    value = number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} must lie between 0 and 1")
    return value


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


def whole(text: str) -> int:
    """A whole number from 0."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 0")
    return int(text)


def seen_size(text: str) -> tuple[int, int] | None:
    """A size; "full" is the frame's own, None."""
    return None if text == "full" else size(text)


def held_fps(text: str) -> float | None:
    """A number above 0; "off" is None."""
    return None if text == "off" else positive(text)


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Every command that writes files has it; without it only files of ours are replaced."""
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files that stylizer did not make"
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """What a foreign ONNX file needs to be told when metadata and probing are wrong."""
    parser.add_argument(
        "--model-layout", choices=("NCHW", "NHWC"), help="override the layout found"
    )
    parser.add_argument(
        "--model-range", choices=("0..1", "0..255", "-1..1"), help="override the value range found"
    )
    parser.add_argument("--model-order", choices=("RGB", "BGR"), help="override the channel order")
    parser.add_argument("--provider", choices=PROVIDERS, help="default: auto")
