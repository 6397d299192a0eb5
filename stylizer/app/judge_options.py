"""The words of the commands that judge models: judge, flicker."""

from __future__ import annotations

import argparse

from stylizer.app.lab_options import add_frames, add_vgg
from stylizer.app.parser import add_model_options, add_setting
from stylizer.rules import count, natural, path, positive, size

FLICKER = """\
How still a model's picture holds, as JSON.

Exact, of --frames moments (errors are RMS in 0..1):
  warp_error               next picture against this one along the demo's own motion; source demo
  untouched_warp_error     the same of the source
  shift_error              pictures of a source shifted by whole pixels against the shifted picture
  noise_p99, noise_mean    255ths that a picture changes when its source does by at most one
  still_difference         255ths between two pictures of the same frame
By optical flow of the source, frames in order for --seconds of it:
  followed_frames          frames that were styled
  moving_pairs             pairs of them that differ; only these have an error
  flow_error_rms           a picture against the one before it moved by the flow, 0..1, where the
                           flow is confirmed forward and backward and by color
  source_flow_error_rms    the same of the source itself: what the flow gets wrong
  own_flow_error_rms       the first less the second
  sharpness_255ths         mean gradient (3x3 Sobel, not normalized) of the pictures
  alone_sharpness_255ths   of the same frames styled each alone, with nothing from the one before
  sharpness_ratio          the first over the second: 1 is stillness without blur"""


def add_judge(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "judge",
        help="what a model's pictures are like, in figures (needs the lab extra)",
        description="What a model's pictures are like on frames it never saw, as JSON: relative "
        "content and style loss, the style loss cell by cell (3x3, mean and worst over the "
        "untouched frame's), how much of the game is kept (range, edges, detail, relu4_3, grad4, "
        "chroma8) and how it is painted (strokes, carpet, acf_peak); missed: the goals that are "
        "not reached.",
        epilog="example: stylizer judge --model mosaic-small --style metzinger.jpg --frames clips/",
    )
    p.add_argument("--model", required=True, metavar="M")
    add_model_options(p)
    p.add_argument("--style", type=path, required=True, metavar="IMAGE")
    add_frames(p)
    p.add_argument(
        "--style-size",
        type=count,
        metavar="PX",
        help="short side that the style picture is scaled to; default: what the model was trained "
        "with, or 512",
    )
    add_vgg(p)
    p.set_defaults(command="judge")


def add_flicker(commands: argparse._SubParsersAction) -> None:
    p = commands.add_parser(
        "flicker",
        help="how still a model's picture holds",
        description=FLICKER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: stylizer flicker --model mosaic-fast --source video --input game.mp4",
    )
    p.add_argument("--model", required=True, metavar="M")
    add_model_options(p)
    p.add_argument("--source", choices=("demo", "video", "synthetic"), default="demo")
    p.add_argument("--input", type=path, metavar="CLIP", help="the video")
    p.add_argument("--size", type=size, default=(1280, 720), metavar="WxH", help="not of a video")
    p.add_argument("--frames", type=count, default=4, metavar="N", help="moments to measure at")
    p.add_argument(
        "--seconds",
        type=positive,
        default=2.0,
        metavar="S",
        help="of the source, frame by frame, followed by optical flow; default 2",
    )
    p.add_argument("--seed", type=natural, default=0, metavar="N")
    add_setting(p, "stabilize", default=0.0, help="with the stabilizer, as run")
    add_setting(p, "move_canvas", default=True)
    p.set_defaults(command="flicker")
