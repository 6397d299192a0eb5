"""The command line's words; no work is done here."""

from __future__ import annotations

import argparse

from stylizer import __version__
from stylizer.app.judge_options import add_flicker, add_judge
from stylizer.app.lab_options import add_mosaic_picture, add_prune, add_quantize, add_train
from stylizer.app.parser import OneSentenceParser, add_model_options, add_setting, add_settings
from stylizer.hotkeys import DEFAULT_KEYS
from stylizer.rules import count, natural, path, positive, size, sizes, words
from stylizer.settings import USUAL_SHARE
from stylizer.style.export import PROGRAMS

TRAIN_STEPS, EXPORT_S = 300, 60.0  # of `paint --train`
PLAY_FPS = 60.0  # what `play` holds, where nothing else is said


def add_run_options(
    p: argparse.ArgumentParser, leave_out: tuple[str, ...] = ()
) -> dict[str, argparse._ArgumentGroup]:
    """What every command takes that runs: the settings file and all settings; their groups."""
    p.add_argument(
        "--settings", type=path, metavar="FILE", help="instead of the user's settings file"
    )
    return add_settings(p, leave_out)


def add_run(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "run",
        help="stylize a source live, or headless (the default command)",
        description="Stylize a source live in a window, or headless.",
        epilog="example: stylizer run --source video --input game.mp4 --model mosaic-small "
        "--record painted.mp4",
        argument_default=argparse.SUPPRESS,  # only what is given: the settings file lies below it
    )
    groups = add_run_options(p)
    groups["source"].add_argument(
        "--pick", action="store_true", default=False, help="capture the window that you click"
    )
    p.set_defaults(command="run")


def add_play(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "play",
        help="paint a running game right over its own window",
        description="Paint a running game right over its own window, with the settings kept for "
        f"it, at {PLAY_FPS:g} frames a second where that can be, and so that the game keeps "
        f"{USUAL_SHARE:.0%} of its own rate: run --window NAME --present overlay "
        f"--target-fps {PLAY_FPS:g} --game-share {USUAL_SHARE:g}.",
        epilog="examples: stylizer play neverball; stylizer play -- neverball (starts it, too); "
        "stylizer play --model udnie-fast -- gamescope -W 1280 -H 720 -- neverball",
        argument_default=argparse.SUPPRESS,
    )
    p.add_argument(
        "window", metavar="NAME", type=words, nargs="?",
        help="the game's window: part of its title, 0xID, pid:N, class:NAME; or, last, -- and the "
        "program to start",
    )  # fmt: skip
    add_run_options(p, leave_out=("window",))
    p.set_defaults(command="play", pick=False)


def add_paint(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "paint",
        help="paint with a picture of your own, at once",
        description="Make a style of a picture, in its colors and with its strokes, and run with "
        "it: the demo, or what the options of `run` name. The style stays among yours: "
        "`--model NAME-fast` takes it again, and the panel shows it beside the others.",
        epilog="example: stylizer paint starry.jpg --window neverball",
        argument_default=argparse.SUPPRESS,
    )
    p.add_argument("picture", type=path, metavar="IMAGE", help="a painting, a photo, any picture")
    p.add_argument(
        "--strokes", type=words, metavar="STYLE", default=None,
        help="only the picture's colors, with the strokes of this style; IMAGE may then be "
        "another style's name",
    )  # fmt: skip
    p.add_argument(
        "--train", action="store_true", default=False,
        help="train the style meanwhile, on what is seen; the picture follows as it learns, and "
        "the panel stops, keeps and discards (needs the lab extra)",
    )  # fmt: skip
    p.add_argument("--steps", type=count, default=None, metavar="N",
                   help=f"of --train; default {TRAIN_STEPS}")  # fmt: skip
    p.add_argument(
        "--export-every", type=positive, default=None, metavar="SECONDS",
        help=f"how often the picture takes over what --train learned; default {EXPORT_S:g}",
    )  # fmt: skip
    add_run_options(p, leave_out=("model",))
    p.add_argument("--model", type=_no_model, help=argparse.SUPPRESS)
    p.set_defaults(command="paint", pick=False)


def _no_model(_: str) -> str:
    raise argparse.ArgumentTypeError("the picture makes it; --strokes STYLE takes another's")


def add_bench(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "bench",
        help="time models at several sizes, in interleaved rounds",
        description="Time models at several sizes, in interleaved rounds of the real loop.",
        epilog="example: stylizer bench --models mosaic-small,PATH.onnx --frames 30 --json b.json",
    )
    p.add_argument("--models", metavar="A,B", help="default: the bundled mosaic tiers")
    p.add_argument("--sizes", type=sizes, default=[(720, 540), (1280, 720)], metavar="WxH,WxH")
    add_model_options(p)
    p.add_argument(
        "--frames", type=count, default=30, metavar="N", help="frames of each row, over all rounds"
    )
    p.add_argument("--rounds", type=count, default=3, metavar="R")
    p.add_argument("--warmup", type=natural, default=2, metavar="N", help="before the first round")
    p.add_argument("--json", type=path, metavar="FILE", help="rows and machine as JSON")
    p.add_argument("--html", type=path, metavar="FILE", help="the table as a page")
    add_setting(p, "overwrite")
    p.add_argument(
        "--compression",
        action="store_true",
        help="compare quantized and pruned models, with pictures (needs the lab extra)",
    )
    with_compression = p.add_argument_group("with --compression")
    with_compression.add_argument("--md", type=path, metavar="FILE", help="table and pictures")
    with_compression.add_argument(
        "--content", type=path, metavar="PATH", help="frames to look at; default: the demo scene"
    )
    with_compression.add_argument(
        "--style", type=path, metavar="IMAGE", help="judge the losses too"
    )
    with_compression.add_argument("--vgg", type=path, metavar="FILE", help="VGG-16 weights")
    p.set_defaults(command="bench")


def add_models(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "models",
        help="list, inspect, check or export style models",
        description="List the bundled models, show what is known of one, check that one works, or "
        "write a fast one as a shader for another program.",
        epilog="example: stylizer models export mosaic-fast --to mpv --out ~/.config/mpv/shaders",
    )
    p.add_argument("what", choices=("list", "inspect", "check", "export"))
    p.add_argument("model", nargs="?", help="STYLE-TIER or PATH.onnx[#K]")
    add_model_options(p)
    p.add_argument("--to", choices=PROGRAMS, help="the program to export for")
    p.add_argument("--out", type=path, metavar="DIR", help="where to, default here")
    add_setting(p, "overwrite")
    p.add_argument(
        "--size", type=size, default=(1280, 720), metavar="WxH", help="for MACs and times"
    )
    p.add_argument("--json", action="store_true", help="print JSON")
    p.set_defaults(command="models")


def add_doctor(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "doctor",
        help="what works here, what does not, and the line that fixes it",
        description="Try GL, the window, providers, capture and the encoder for real.",
        epilog="example: stylizer doctor --report doctor.json",
    )
    p.add_argument("--json", action="store_true", help="print JSON")
    p.add_argument(
        "--report", type=path, metavar="FILE",
        help="write all that a bug report needs, nothing personal in it",
    )  # fmt: skip
    add_setting(p, "overwrite")
    p.set_defaults(command="doctor")


def add_install_desktop(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "install-desktop",
        help="put the stylizer into the desktop's menu",
        description="Write a desktop entry, an icon and AppStream data into your data folder.",
        epilog="example: stylizer install-desktop",
    )
    p.add_argument("--remove", action="store_true", help="take them away again")
    p.set_defaults(command="install-desktop")


def add_windows(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "windows",
        help="what can be captured",
        description="The windows that can be captured, the most recently active first.",
        epilog="example: stylizer windows --json",
    )
    p.add_argument("--pick", action="store_true", help="only the window that you click")
    p.add_argument("--json", action="store_true", help="print JSON")
    p.set_defaults(command="windows")


def add_key(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "key",
        help="what a key of the window does, from outside",
        description="Do in every open window what one of its keys does: for the bindings of a "
        "desktop that lets no program have keys of its own.",
        epilog="example: stylizer key next_style",
    )
    p.add_argument("action", choices=tuple(DEFAULT_KEYS), metavar="NAME", nargs="?",
                   help=", ".join(DEFAULT_KEYS))  # fmt: skip
    p.add_argument(
        "--sway",
        action="store_true",
        help="print the lines for sway's configuration that bind the global keys",
    )
    p.add_argument("--release", action="store_true", help="the end of a held one: show_source")
    p.set_defaults(command="key")


def add_settings_command(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "settings",
        help="where the settings file is and what is in force",
        description="Where the settings file is, what `run` takes from it, and how to begin one.",
        epilog="example: stylizer settings --init",
    )
    p.add_argument("--init", action="store_true", help="write a commented file of all settings")
    p.add_argument("--settings", type=path, metavar="FILE", help="instead of the user's own")
    p.add_argument("--json", action="store_true", help="print JSON")
    p.set_defaults(command="settings")


def build_parser() -> OneSentenceParser:
    """The whole command line."""
    parser = OneSentenceParser(
        prog="stylizer",
        description="Real-time game-frame stylizer: any game, painted by a neural style model.",
        epilog="Without a command, `run` is meant. Each command has --help. "
        "example: stylizer run --model mosaic-small",
    )
    parser.add_argument("--version", action="version", version=f"stylizer {__version__}")
    commands = parser.add_subparsers(parser_class=OneSentenceParser, metavar="COMMAND")
    for add in (
        add_run,
        add_play,
        add_paint,
        add_bench,
        add_models,
        add_doctor,
        add_install_desktop,
        add_windows,
        add_key,
        add_settings_command,
        add_train,
        add_judge,
        add_quantize,
        add_prune,
        add_mosaic_picture,
        add_flicker,
    ):
        add(commands)
    return parser
