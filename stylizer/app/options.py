"""The command line's words; no work is done here."""

from __future__ import annotations

import argparse
from pathlib import Path

from stylizer.app.lab_options import add_flicker, add_judge, add_prune, add_quantize, add_train
from stylizer.app.settings_file.values import (
    HUD_CHOICES,
    SWITCH,
    OneSentenceParser,
    add_model_options,
    add_overwrite,
    count,
    held_fps,
    positive,
    region,
    seen_size,
    share,
    size,
    sizes,
    whole,
)


def add_run(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "run",
        help="stylize a source live, or headless (the default command)",
        description="Stylize a source live in a window, or headless.",
        epilog="example: stylizer run --source video --input game.mp4 --model mosaic-small "
        "--record painted.mp4",
        argument_default=argparse.SUPPRESS,  # only what is given: the settings file lies below it
    )
    p.add_argument(
        "--settings", type=Path, metavar="FILE", help="instead of the user's settings file"
    )
    p.add_argument(
        "--source",
        metavar="NAME",
        help="demo (default), window, portal (Wayland), screen, video, images, synthetic",
    )
    p.add_argument("--input", type=Path, metavar="PATH", help="a video file, a picture or a folder")
    p.add_argument(
        "--window",
        metavar="W",
        help="capture this window: part of its title, 0xID, pid:N, class:NAME",
    )
    p.add_argument(
        "--pick", action="store_true", default=False, help="capture the window that you click"
    )
    p.add_argument("--wait", action=SWITCH, help="when it closes, wait until it is back")
    p.add_argument(
        "--region", type=region, metavar="X,Y,W,H", help="capture this part of the screen"
    )
    p.add_argument("--monitor", type=count, metavar="N", help="capture this monitor, or on it")
    p.add_argument(
        "--model",
        metavar="M",
        help="STYLE-TIER, PATH.onnx[#K], none; default: the best bundled",
    )
    add_model_options(p)
    p.add_argument("--size", type=size, metavar="WxH", help="default 1280x720")
    p.add_argument(
        "--inference-size", type=seen_size, metavar="WxH", help="what the network sees, or full"
    )
    p.add_argument(
        "--present",
        metavar="NAME",
        help="window (default), overlay (over the captured game) or offscreen",
    )
    p.add_argument(
        "--grab-keys",
        action=SWITCH,
        help="Ctrl+Alt+key works from other windows too; always so with an overlay (X11)",
    )
    p.add_argument("--sync", action="store_true", help="lock-step: every frame styled, in order")
    p.add_argument("--fps", type=positive, metavar="F", help="pace of an offscreen presenter")
    p.add_argument("--frames", type=count, metavar="N", help="stop after N presented frames")
    p.add_argument("--seconds", type=positive, metavar="S", help="stop after S seconds")
    p.add_argument("--warmup", type=whole, metavar="N", help="frames left out of the statistics")
    p.add_argument("--strength", type=share, metavar="0..1", help="0 shows the source")
    p.add_argument(
        "--target-fps",
        type=held_fps,
        metavar="N",
        help="hold N styled frames a second by the size that the network sees; or off",
    )
    p.add_argument(
        "--faster-tiers",
        action=SWITCH,
        help="with --target-fps: take a faster tier where the smallest size is too slow",
    )
    p.add_argument(
        "--detail",
        action=SWITCH,
        help="below full size keep the frame's own detail (default), or upsample plainly",
    )
    p.add_argument(
        "--stabilise",
        type=share,
        metavar="0..1",
        help="against flicker: share of the last picture kept where the source stands still",
    )
    p.add_argument("--keep-colors", action=SWITCH, help="styled brightness, the game's colours")
    p.add_argument("--wipe", type=share, metavar="0..1", help="before/after, split at this place")
    p.add_argument("--hud", choices=HUD_CHOICES, help="auto (default): fps in a window, else off")
    p.add_argument("--fullscreen", action=SWITCH, help="start in fullscreen")
    p.add_argument(
        "--record", type=Path, metavar="FILE", help="write an .mp4 or .mkv (never the HUD)"
    )
    p.add_argument("--output", type=Path, metavar="DIR", help="write every picture as PNG")
    p.add_argument("--screenshot", type=Path, metavar="FILE", help="the last presented frame, PNG")
    p.add_argument("--report", type=Path, metavar="FILE", help="frame times and facts, JSON")
    add_overwrite(p)
    p.add_argument("--seed", type=whole, metavar="N", help="same seed, same demo frames")
    p.set_defaults(command="run")


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
    p.add_argument("--warmup", type=whole, default=2, metavar="N", help="before the first round")
    p.add_argument("--json", type=Path, metavar="FILE", help="rows and machine as JSON")
    p.add_argument("--html", type=Path, metavar="FILE", help="the table as a page")
    add_overwrite(p)
    p.add_argument(
        "--compression",
        action="store_true",
        help="compare quantised and pruned models, with pictures (needs the lab extra)",
    )
    with_compression = p.add_argument_group("with --compression")
    with_compression.add_argument("--md", type=Path, metavar="FILE", help="table and pictures")
    with_compression.add_argument(
        "--content", type=Path, metavar="PATH", help="frames to look at; default: the demo scene"
    )
    with_compression.add_argument(
        "--style", type=Path, metavar="IMAGE", help="judge the losses too"
    )
    with_compression.add_argument("--vgg", type=Path, metavar="FILE", help="VGG-16 weights")
    p.set_defaults(command="bench")


def add_models(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "models",
        help="list, inspect or check style models",
        description="List the bundled models, show what is known of one, or check that one works.",
        epilog="example: stylizer models inspect my-style.onnx",
    )
    p.add_argument("what", choices=("list", "inspect", "check"))
    p.add_argument("model", nargs="?", help="STYLE-TIER or PATH.onnx[#K]")
    add_model_options(p)
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
        epilog="example: stylizer doctor",
    )
    p.add_argument("--json", action="store_true", help="print JSON")
    p.set_defaults(command="doctor")


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


def add_settings(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "settings",
        help="where the settings file is and what is in force",
        description="Where the settings file is, what `run` takes from it, and how to begin one.",
        epilog="example: stylizer settings --init",
    )
    p.add_argument("--init", action="store_true", help="write a commented file of all settings")
    p.add_argument("--settings", type=Path, metavar="FILE", help="instead of the user's own")
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
    commands = parser.add_subparsers(parser_class=OneSentenceParser, metavar="COMMAND")
    for add in (
        add_run,
        add_bench,
        add_models,
        add_doctor,
        add_windows,
        add_settings,
        add_train,
        add_judge,
        add_quantize,
        add_prune,
        add_flicker,
    ):
        add(commands)
    return parser
