"""Arguments -> Settings -> a command. Errors end as one sentence on stderr and an exit code."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import warnings
from collections.abc import Callable

from stylizer.app import machine_commands, model_commands, run_commands
from stylizer.app.options import build_parser
from stylizer.app.run_settings import run_settings
from stylizer.app.start_window import choose, has_display
from stylizer.errors import BadInput, StylizerError, one_sentence
from stylizer.system.ending import GRACE_S, INTERRUPTED, on_signals
from stylizer.system.terminal import tell

LAB_COMMANDS = ("train", "quantize", "prune")
LAB_GRACE_S = 20.0  # a training writes its checkpoint first


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (0, 1 failed while running, 2 bad use)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a dash or a name must not end a run
            stream.reconfigure(errors="backslashreplace")
    if not os.environ.get("STYLIZER_DEBUG"):
        hush()
    try:
        check_current_folder()
        words = sys.argv[1:] if argv is None else argv
        if words or not has_display():
            return carry_out(parse(words))
        return carry_out_chosen()
    except StylizerError as error:
        tell(one_sentence(error))
        return error.exit_code
    except KeyboardInterrupt:
        tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("STYLIZER_DEBUG"):
            raise
        tell(
            f"unforeseen error, {type(error).__name__}: {one_sentence(error)}; "
            "set STYLIZER_DEBUG=1 for the details and report it"
        )
        return 1


def check_current_folder() -> None:
    """Raise BadInput where the folder that relative names are meant from was removed."""
    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise BadInput(
            "the current folder was removed; change into another and try again"
        ) from error


def hush() -> None:
    """No warnings and log lines of libraries, which say nothing to a user."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    if not logging.root.handlers:  # else Python prints what a library logs and nobody takes
        logging.root.addHandler(logging.NullHandler())


def carry_out(args: argparse.Namespace) -> int:
    with on_signals(LAB_GRACE_S if args.command in LAB_COMMANDS else GRACE_S):
        return COMMANDS[args.command](args)


def carry_out_chosen() -> int:
    """The command of what is chosen in the start window."""
    from stylizer.app.ahead import Ahead

    ahead = Ahead()
    try:
        words = choose(ahead, lambda words: run_settings(parse(words), run_commands.PLAY))
        if words is None:
            return 0
        tell(" ".join(words))
        args = parse(words)
        args.opened_ahead = ahead.model
        return carry_out(args)
    finally:
        ahead.close()


def parse(argv: list[str]) -> argparse.Namespace:
    """Parsed arguments; `run` is meant where no command is named. Raises BadInput."""
    if not argv or (argv[0].startswith("-") and argv[0] not in ("-h", "--help", "--version")):
        argv = ["run", *argv]
    argv, program = split_program(argv)
    args = build_parser().parse_args(argv)
    if program is not None:
        args.program = program
    if not hasattr(args, "command"):
        raise BadInput("name a command; `stylizer --help` lists them")
    return args


def split_program(argv: list[str]) -> tuple[list[str], list[str] | None]:
    """(our own words, those of the program that `play -- PROGRAM ...` starts, None: none)."""
    if argv[0] != "play" or "--" not in argv:
        return argv, None
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": run_commands.run_command,
    "play": run_commands.play_command,
    "paint": run_commands.paint_command,
    "bench": model_commands.bench_command,
    "models": model_commands.models_command,
    "doctor": machine_commands.doctor_command,
    "install-desktop": machine_commands.install_desktop_command,
    "windows": machine_commands.windows_command,
    "key": machine_commands.key_command,
    "settings": machine_commands.settings_command,
    "train": model_commands.train_command,
    "judge": model_commands.judge_command,
    "quantize": model_commands.quantize_command,
    "prune": model_commands.prune_command,
    "mosaic-picture": model_commands.mosaic_picture_command,
    "flicker": model_commands.flicker_command,
}
