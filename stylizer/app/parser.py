"""The parser of every command, and options made from the table of settings (settings.py)."""

from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn, get_args

from stylizer import rules
from stylizer.errors import BadInput
from stylizer.hotkeys import DEFAULT_KEYS
from stylizer.settings import OPTIONS, Group, Option

MODEL_OPTIONS = ("model_layout", "model_range", "model_order", "provider")
Target = argparse.ArgumentParser | argparse._ArgumentGroup


class OneSentenceParser(argparse.ArgumentParser):
    """argparse without the usage dump: a mistake is one sentence."""

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        """As argparse, but a value may begin with a dash: `--model-range -1..1`."""
        words = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(self._joined(words), namespace)

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

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message}; `{self.prog} --help` lists the options")


def is_value_with_dash(word: str) -> bool:
    """Whether a word begins with one dash, which no option of several letters does."""
    return len(word) > 1 and word[0] == "-" != word[1]


def add_setting(target: Target, name: str, **instead: Any) -> None:
    """The option of one setting; `instead` changes what argparse is told ("default", "help")."""
    option = OPTIONS[name]
    said: dict[str, Any] = {"dest": name, "help": help_of(option)}
    if option.rule is rules.SWITCH:
        said["action"] = argparse.BooleanOptionalAction
    elif option.rule is rules.FLAG:
        said["action"] = "store_true"
    else:
        said["type"] = option.rule.from_text
        said["choices"] = option.rule.choices or None
        said["metavar"] = option.rule.metavar or None
    target.add_argument(*option.spellings, **(said | instead))


def help_of(option: Option) -> str:
    """What --help says of a setting: its meaning, its default, its keys in the window."""
    remarks = []
    default = option.default if option.unsaid is ... else option.unsaid
    if default:
        remarks.append(f"default {'on' if default is True else option.rule.plain(default)}")
    keys = [DEFAULT_KEYS[action][0] for action in option.hotkeys]
    remarks += [f"key{'s' if len(keys) > 1 else ''} {' '.join(keys)}"] if keys else []
    return option.help + (f" ({'; '.join(remarks)})" if remarks else "")


def add_model_options(target: Target) -> None:
    """What a foreign ONNX file needs to be told when metadata and probing are wrong."""
    for name in MODEL_OPTIONS:
        add_setting(target, name)


def add_settings(
    parser: argparse.ArgumentParser, leave_out: tuple[str, ...] = ()
) -> dict[str, argparse._ArgumentGroup]:
    """Every setting, in the groups of the table; returns the groups."""
    groups = {name: parser.add_argument_group(name) for name in get_args(Group)}
    for name, option in OPTIONS.items():
        if name not in leave_out:
            add_setting(groups[option.group], name)
    return groups
