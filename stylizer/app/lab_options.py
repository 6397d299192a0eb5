"""The words of the lab's commands that make models."""

from __future__ import annotations

import argparse
import math

from stylizer.app.parser import add_setting
from stylizer.rules import between, count, natural, number, part, path, positive, share, size

# The fields of `Paint`, which only the lab can import.
PAINT_PARTS = (
    "strokes", "joints", "joint_from", "contours", "flat", "on_edges", "on_busy", "edge", "texture",
    "tone", "tone_from", "burn", "line", "smooth", "things", "faint",
)  # fmt: skip
ABOVE_0, FROM_0 = ("edge", "smooth"), ("burn", "line", "faint")
SHARES = ("joints", "flat", "on_edges", "on_busy", "things")


def add_frames(p: argparse.ArgumentParser) -> None:
    """What a model is run on."""
    p.add_argument(
        "--frames", type=path, required=True, metavar="PATH", help="folder, picture or video"
    )


def add_vgg(p: argparse.ArgumentParser) -> None:
    p.add_argument("--vgg", type=path, metavar="FILE", help="VGG-16 weights; default: downloaded")


def add_preview_every(p: argparse.ArgumentParser) -> None:
    p.add_argument("--preview-every", type=count, default=200, metavar="N", help="steps")


def add_train(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "train",
        help="train a style model from one picture (needs the lab extra)",
        description="Train a style model from one picture and a folder of content.",
        epilog="example: stylizer train --style starry.jpg --content photos/ --arch small "
        "--out models/starry-small.onnx",
    )
    p.add_argument("--style", type=path, required=True, metavar="IMAGE")
    p.add_argument("--content", type=path, required=True, metavar="DIR", help="pictures or videos")
    p.add_argument("--arch", default="small", metavar="ARCH", help="original, small, fast")
    add_vgg(p)
    p.add_argument("--out", type=path, metavar="FILE", help="default models/STYLE-ARCH.onnx")
    add_setting(p, "overwrite")
    p.add_argument("--steps", type=count, metavar="N", help="each default fits the architecture")
    p.add_argument("--batch", type=count, metavar="N")
    p.add_argument("--crop", type=size, metavar="WxH")
    add_style_weights(p)
    add_further_weights(p)
    p.add_argument("--lr", type=positive, metavar="X", help="peak learning rate")
    p.add_argument("--style-size", type=count, metavar="PX", help="style's short side")
    p.add_argument("--seed", type=natural, metavar="N")
    add_start(p)
    add_paint(p)
    p.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    add_preview_every(p)
    p.add_argument(
        "--export-every", type=positive, metavar="SECONDS",
        help="write the model as it is then, too: for whoever wants to look before the end",
    )  # fmt: skip
    p.set_defaults(command="train")


def add_style_weights(p: argparse.ArgumentParser) -> None:
    """How much the style weighs; not for fast, as most of the further ones."""
    p.add_argument(
        "--style-weight",
        type=positive,
        metavar="X",
        help="content weighs 1; stays as given, unless --style-share is given too",
    )
    p.add_argument(
        "--style-share",
        type=share,
        metavar="0..1",
        help="style loss wanted, as a share of the untouched content's: the style weight follows",
    )
    p.add_argument(
        "--content-limit",
        type=positive,
        metavar="X",
        help="content loss above which --style-share paints no more",
    )
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


def add_further_weights(p: argparse.ArgumentParser) -> None:
    """What keeps the picture calm and close to the source, and parts of the steps."""
    p.add_argument("--tv-weight", type=number, metavar="X", help="total variation")
    p.add_argument("--tone-weight", type=number, metavar="X", help="light stays light")
    p.add_argument("--still-weight", type=number, metavar="X", help="against flicker")
    p.add_argument("--grid-weight", type=number, metavar="X", help="against patterns of 8 pixels")
    p.add_argument(
        "--norm-share",
        type=share,
        metavar="0..1",
        help="first part of the steps, with batch norm (arch fast, --init none)",
    )
    p.add_argument(
        "--quantize-share",
        "--quantise-share",
        dest="quantize_share",
        type=share,
        metavar="0..1",
        help="last part of the steps, computed in 8 bits (arch fast)",
    )


def paint_part(text: str) -> tuple[str, float]:
    """ "strokes=0.6" -> ("strokes", 0.6)."""
    name, _, value = text.partition("=")
    if name not in PAINT_PARTS:
        raise argparse.ArgumentTypeError(
            f"{text!r}: write NAME=VALUE, NAME one of {', '.join(PAINT_PARTS)}"
        )
    if not value:
        raise argparse.ArgumentTypeError(f"{text!r} has no value: write {name}=NUMBER")
    amount = number(value)
    if not math.isfinite(amount) or (name in ABOVE_0 and amount <= 0):
        bound = f", and {name} above 0" if name in ABOVE_0 else ""
        raise argparse.ArgumentTypeError(f"{text!r}: must be finite{bound}")
    if name in FROM_0 and amount < 0:
        raise argparse.ArgumentTypeError(f"{text!r}: {name} must be 0 or more")
    if name in SHARES and not 0 <= amount <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: {name} is a share, from 0 to 1")
    return name, amount


def bristle(text: str) -> float:
    """A blur in pixels that leaves strokes."""
    return between(text, 0.1, 10)


def area(text: str) -> float:
    """A blur in pixels that leaves nothing of strokes."""
    return between(text, 15, 150)


def add_paint(p: argparse.ArgumentParser) -> None:
    """What a network learns to lay on the frame."""
    p.add_argument(
        "--canvas",
        type=path,
        metavar="FILE",
        help="square, without seams; what is painted with; default: quilted of the style",
    )
    p.add_argument("--canvas-color", type=positive, metavar="X", help="of its strokes' own colors")
    p.add_argument(
        "--canvas-part",
        type=part,
        metavar="LEFT,TOP,RIGHT,BOTTOM",
        help="quilt it of this part of the style picture, in shares of its width and height",
    )
    p.add_argument(
        "--canvas-fine",
        type=bristle,
        metavar="PX",
        help="blur of what is quilted: less keeps bristles, and the grain of a scan",
    )
    p.add_argument(
        "--canvas-coarse",
        type=area,
        metavar="PX",
        help="blur that is taken off what is quilted: more keeps whole shapes",
    )
    p.add_argument("--patch", type=count, metavar="PX", help="side of the patches of that quilt")
    p.add_argument("--contrast", type=positive, metavar="X", help="of the color grade")
    p.add_argument("--saturation", type=positive, metavar="X", help="of what it makes of colors")
    p.add_argument(
        "--paint",
        type=paint_part,
        nargs="+",
        metavar="NAME=VALUE",
        help=f"how much of what is laid on: {', '.join(PAINT_PARTS)}",
    )


def add_start(p: argparse.ArgumentParser) -> None:
    """Which model the training begins with."""
    p.add_argument("--teacher", type=path, metavar="MODEL", help="a trained model to imitate first")
    p.add_argument("--imitate-steps", type=natural, metavar="N", help="see --teacher")
    p.add_argument(
        "--init",
        type=path,
        metavar="MODEL",
        help="start from this model's weights; none: random ones; default for fast: a bundled one",
    )


def add_tuning_options(p: argparse.ArgumentParser) -> None:
    """What fine-tuning after compression takes."""
    p.add_argument("--out", type=path, metavar="FILE", help="default: beside the model")
    add_setting(p, "overwrite")
    p.add_argument("--finetune", type=natural, default=0, metavar="STEPS", help="default: none")
    p.add_argument("--batch", type=count, metavar="N", help="of fine-tuning; default 2")
    p.add_argument("--crop", type=size, metavar="WxH", help="of fine-tuning; default 224x224")
    p.add_argument("--lr", type=positive, metavar="X", help="peak learning rate of fine-tuning")
    p.add_argument("--seed", type=natural, default=1, metavar="N")
    add_preview_every(p)


def add_quantize(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "quantize",
        help="make a model smaller and faster with 8-bit integers (needs the lab extra)",
        description="Static quantization: ranges from real frames, sensitive layers kept in float.",
        epilog="example: stylizer quantize mosaic-original --frames recordings/",
    )
    p.add_argument("model", metavar="MODEL", help="STYLE-TIER or PATH.onnx, in float")
    add_frames(p)
    p.add_argument(
        "--validate", type=path, metavar="PATH", help="frames to measure on; default: a third"
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
    p.add_argument("--content", type=path, metavar="DIR", help="default: the demo scene")
    p.add_argument("--style", type=path, metavar="IMAGE", help="second half by style, as `train`")
    add_vgg(p)
    add_tuning_options(p)
    p.set_defaults(command="prune")


def add_mosaic_picture(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "mosaic-picture",
        help="lay a picture in mosaic, to train a style on (needs the lab extra)",
        description="Lay a picture in panes along its contours, and the canvas that goes with it.",
        epilog="example: stylizer mosaic-picture metzinger.jpg --out mosaic.png --canvas panes.png",
    )
    p.add_argument("image", type=path, metavar="IMAGE")
    p.add_argument("--out", type=path, required=True, metavar="FILE", help="a PNG")
    p.add_argument("--canvas", type=path, metavar="FILE", help="a PNG for `train --canvas`, too")
    add_setting(p, "overwrite")
    p.add_argument("--tile", type=positive, default=36.0, metavar="PIXELS", help="width of a pane")
    p.add_argument("--short-side", type=count, default=960, metavar="PX", help="scaled to, first")
    p.add_argument("--seed", type=natural, default=1, metavar="N")
    p.set_defaults(command="mosaic-picture")
