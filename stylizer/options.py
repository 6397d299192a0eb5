"""The command line's words: parsers and value types; no work is done here."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from stylizer.errors import BadInput

PROVIDERS = ("auto", "cpu", "cuda", "tensorrt", "openvino", "webgpu", "directml", "coreml")
SWITCH = argparse.BooleanOptionalAction  # --x and --no-x: either may win over the settings file
HUD_CHOICES = ("auto", "off", "fps", "graph")


class OneSentenceParser(argparse.ArgumentParser):
    """argparse without the usage dump: a mistake is one sentence."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message}; `{self.prog} --help` lists the options")


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


def add_train(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "train",
        help="train a style model from one picture (needs the lab extra)",
        description="Train a style model from one picture and a folder of content.",
        epilog="example: stylizer train --style starry.jpg --content photos/ --arch small "
        "--out models/starry-small.onnx",
    )
    p.add_argument("--style", type=Path, required=True, metavar="IMAGE")
    p.add_argument("--content", type=Path, required=True, metavar="DIR", help="pictures or videos")
    p.add_argument("--arch", default="small", metavar="ARCH", help="original, small, fast")
    p.add_argument("--vgg", type=Path, metavar="FILE", help="VGG-16 weights; default: downloaded")
    p.add_argument("--out", type=Path, metavar="FILE", help="default models/STYLE-ARCH.onnx")
    p.add_argument("--steps", type=count, metavar="N", help="each default fits the architecture")
    p.add_argument("--batch", type=count, metavar="N")
    p.add_argument("--crop", type=size, metavar="WxH")
    p.add_argument("--style-weight", type=positive, metavar="X", help="content weighs 1")
    p.add_argument(
        "--style-ramp",
        type=share,
        metavar="0..1",
        help="part of the steps in which the style weight rises from a third",
    )
    p.add_argument(
        "--local-share",
        type=share,
        metavar="0..1",
        help="part of the style loss taken quarter by quarter: paints skies",
    )
    p.add_argument("--tv-weight", type=number, metavar="X", help="total variation")
    p.add_argument("--tone-weight", type=number, metavar="X", help="light stays light")
    p.add_argument("--still-weight", type=number, metavar="X", help="against flicker")
    p.add_argument("--grid-weight", type=number, metavar="X", help="against patterns of 8 pixels")
    p.add_argument(
        "--norm-share",
        type=share,
        metavar="0..1",
        help="first part of the steps, with batch norm (arch fast, without --init)",
    )
    p.add_argument(
        "--quantise-share",
        type=share,
        metavar="0..1",
        help="last part of the steps, computed in 8 bits (arch fast)",
    )
    p.add_argument("--lr", type=positive, metavar="X", help="peak learning rate")
    p.add_argument("--style-size", type=count, metavar="PX", help="style's short side")
    p.add_argument("--seed", type=whole, metavar="N")
    p.add_argument("--teacher", type=Path, metavar="MODEL", help="a trained model to imitate first")
    p.add_argument("--imitate-steps", type=whole, metavar="N", help="see --teacher")
    p.add_argument("--init", type=Path, metavar="MODEL", help="start from this model's weights")
    p.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    p.add_argument("--preview-every", type=count, default=200, metavar="N", help="steps")
    p.set_defaults(command="train")


def add_judge(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "judge",
        help="content and style loss of a model on frames (needs the lab extra)",
        description="Relative content and style loss of a model on frames it never saw, as JSON.",
        epilog="example: stylizer judge --model mosaic-small --style metzinger.jpg --frames clips/",
    )
    p.add_argument("--model", required=True, metavar="M")
    add_model_options(p)
    p.add_argument("--style", type=Path, required=True, metavar="IMAGE")
    p.add_argument(
        "--frames", type=Path, required=True, metavar="PATH", help="folder, picture or video"
    )
    p.add_argument("--vgg", type=Path, metavar="FILE", help="VGG-16 weights; default: downloaded")
    p.set_defaults(command="judge")


def add_tuning_options(p: argparse.ArgumentParser) -> None:
    """What fine-tuning after compression takes."""
    p.add_argument("--out", type=Path, metavar="FILE", help="default: beside the model")
    p.add_argument("--finetune", type=whole, default=0, metavar="STEPS", help="default: none")
    p.add_argument("--batch", type=count, metavar="N", help="of fine-tuning; default 2")
    p.add_argument("--crop", type=size, metavar="WxH", help="of fine-tuning; default 224x224")
    p.add_argument("--lr", type=positive, metavar="X", help="peak learning rate of fine-tuning")
    p.add_argument("--seed", type=whole, default=1, metavar="N")


def add_quantize(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "quantize",
        help="make a model smaller and faster with 8-bit integers (needs the lab extra)",
        description="Static quantisation: ranges from real frames, sensitive layers kept in float.",
        epilog="example: stylizer quantize mosaic-original --frames recordings/",
    )
    p.add_argument("model", metavar="MODEL", help="STYLE-TIER or PATH.onnx, in float")
    p.add_argument(
        "--frames", type=Path, required=True, metavar="PATH", help="folder, picture or video"
    )
    p.add_argument(
        "--validate", type=Path, metavar="PATH", help="frames to measure on; default: a third"
    )
    p.add_argument("--target", choices=("cpu", "gpu"), default="cpu")
    p.add_argument(
        "--psnr", type=positive, default=31.0, metavar="DB",
        help="layers go to float until the lowest frame reaches this; default 31",
    )  # fmt: skip
    p.add_argument(
        "--frame-size", type=size, default=(480, 272), metavar="WxH", help="frames fit into it"
    )
    add_tuning_options(p)
    p.set_defaults(command="quantize")


def add_prune(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "prune",
        help="take weights or whole channels out of a model (needs the lab extra)",
        description="Remove what matters least, then fine-tune against the parent.",
        epilog="example: stylizer prune mosaic-original --ratio 0.5 --finetune 400 "
        "--content photos/",
    )
    p.add_argument("model", metavar="MODEL", help="STYLE-TIER or PATH.onnx, in float")
    p.add_argument("--ratio", type=share, required=True, metavar="R", help="part to remove, 0..1")
    p.add_argument("--method", choices=("structured", "unstructured"), default="structured")
    p.add_argument("--content", type=Path, metavar="DIR", help="default: the demo scene")
    p.add_argument("--style", type=Path, metavar="IMAGE", help="second half by style, as `train`")
    p.add_argument("--vgg", type=Path, metavar="FILE", help="VGG-16 weights; default: downloaded")
    add_tuning_options(p)
    p.set_defaults(command="prune")


def add_flicker(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "flicker",
        help="how still a model's picture holds",
        description="Warp error, shift error, noise response and still identity, as JSON.",
        epilog="example: stylizer flicker --model mosaic-fast",
    )
    p.add_argument("--model", required=True, metavar="M")
    add_model_options(p)
    p.add_argument("--source", choices=("demo", "video", "synthetic"), default="demo")
    p.add_argument("--input", type=Path, metavar="PATH", help="the video")
    p.add_argument("--size", type=size, default=(1280, 720), metavar="WxH")
    p.add_argument("--frames", type=count, default=4, metavar="N", help="moments to measure at")
    p.add_argument("--seed", type=whole, default=0, metavar="N")
    p.add_argument(
        "--stabilise", type=share, default=0.0, metavar="0..1", help="with the stabiliser, as run"
    )
    p.set_defaults(command="flicker")


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
