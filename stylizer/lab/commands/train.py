"""The lab's commands: train and judge, from parsed arguments to files and printed results."""

from __future__ import annotations

import argparse
import copy
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylizer.errors import BadInput
from stylizer.lab.commands.judge import check_frames, judge, style_size_of
from stylizer.lab.commands.train_recipe import recipe_of
from stylizer.lab.nets.channels import leave_out_dead
from stylizer.lab.nets.fake_quant import normalize, quantize
from stylizer.lab.nets.fast import FastNetwork
from stylizer.lab.nets.johnson import StyleNetwork, parameter_count
from stylizer.lab.nets.painter import Painter
from stylizer.lab.nets.registry import Network, Recipe
from stylizer.lab.onnx.card import write_card
from stylizer.lab.onnx.export import export_onnx, load_network
from stylizer.lab.training import loop
from stylizer.lab.training.checkpoint import (
    EVERY_S,
    EVERY_STEPS,
    TrainState,
    load_checkpoint,
    new_state,
    set_aside,
)
from stylizer.lab.training.data import ContentSet
from stylizer.lab.training.distributed import ProcessGroup, join_group, leave_group
from stylizer.lab.training.losses import Goal
from stylizer.lab.training.perceptual import file_sha256, load_vgg
from stylizer.lab.training.progress import EverySoOften, train_with_progress
from stylizer.painting.grade import color_grade, colors_of
from stylizer.painting.quilt import canvas_tile, colored
from stylizer.settings import Settings
from stylizer.system.console import say
from stylizer.system.resources import models_folder

FAST_START = "starry-night-fast.onnx"
TRIM_CROPS = 64  # pictures that may switch a channel on
LARGEST_CANVAS_PX = 2048


def train_command(args: argparse.Namespace) -> int:
    """Train, export, write the card; returns the exit code. Raises BadInput, StylizerError."""
    start = start_of(args)
    recipe = recipe_of(args, start)
    out = output_path(args)
    processes = join_group(recipe.batch)
    try:
        return train_in_group(args, recipe, start, out, processes)
    finally:
        leave_group()


def train_in_group(
    args: argparse.Namespace, recipe: Recipe, start: Path | None, out: Path, processes: ProcessGroup
) -> int:
    """One process's part of `train_command`; the leading one writes everything."""
    run_dir = Path("runs") / out.stem
    loop.keep_memory()
    style = loop.load_style(args.style, recipe.style_size)
    content = ContentSet(args.content)
    for name in content.unreadable:
        print(f"{name}: not readable, left out", file=sys.stderr)
    # Last: it may have to be downloaded.
    vgg = load_vgg(args.vgg) if recipe.paint is None else None
    checkpoint, resumes = run_dir / "checkpoint.pt", args.resume
    state = load_checkpoint(checkpoint, recipe, start) if resumes else new_state(recipe, start)
    if recipe.paint is not None:
        give_style(state.network, recipe, style, content, args.canvas)
    teacher = load_network(args.teacher) if args.teacher else None
    if processes.leads:
        announce(state, recipe, out, checkpoint)
    goal = Goal(vgg, style, teacher, processes)
    exports = exports_between(args, recipe, state, out, processes)
    final = train_with_progress(
        recipe, state, goal, content, run_dir, args.preview_every, exports.after
    )
    processes.barrier()
    if processes.leads:
        facts = {
            "final training losses": final_losses(recipe, final, state.balance.gain),
            "skipped steps": final.skipped,
            "training seconds": round(state.seconds),
            "processes": processes.size,
            "content pictures": len(content),
            "VGG-16 file": vgg_name(recipe, args.vgg),
            "started from": start.name if start else "random weights",
            "versions": loop.versions(),
        }
        write_model(out, recipe, trimmed(state.network, recipe, content), facts)
    return 0


def exports_between(
    args: argparse.Namespace, recipe: Recipe, state: TrainState, out: Path, processes: ProcessGroup
) -> EverySoOften:
    """The model as it is then, written before the end as often as `--export-every` says."""
    state.followed = args.export_every is not None

    def write() -> None:
        facts = {"unfinished, after steps": state.step}
        write_model(out, recipe, copy.deepcopy(state.network), facts)

    return EverySoOften(args.export_every if processes.leads else None, write)


def write_model(out: Path, recipe: Recipe, network: Network, facts: dict[str, Any]) -> None:
    """The model file and its card."""
    difference = export_onnx(network, out, contract_of(network, recipe, out), asdict(recipe))
    write_card(out, recipe, {"parameters": parameter_count(network)} | facts | widths(network))
    print(f"{out}: written; differs from PyTorch by at most {difference:.4f} of 255 on three sizes")


def contract_of(network: Network, recipe: Recipe, out: Path) -> dict[str, Any]:
    """What the model's metadata say of it, see style/contract.py."""
    return {
        "layout": "NCHW",
        "range": "0..255",
        "order": "RGB",
        "size_multiple": network.arch.size_multiple,
        "style": style_name(out),
        "tier": recipe.arch,
        "precision": "fp32",
    }


def widths(network: Network) -> dict[str, str]:
    """For the card of a fast network, whose channels were trimmed."""
    if not isinstance(network, FastNetwork):
        return {}
    return {"channels inside the blocks": ", ".join(str(w) for w in network.arch.inner)}


def announce(state: TrainState, recipe: Recipe, out: Path, checkpoint: Path) -> None:
    """The first lines; the checkpoint of another training makes way."""
    width, height = recipe.crop
    went_on = f" from step {state.step} on" if state.step else ""
    say(
        f"training {out}{went_on}: {recipe.steps} steps of {recipe.batch} crops of "
        f"{width}x{height}; {checkpoint} is kept after the first step, then every {EVERY_STEPS} "
        f"steps or {EVERY_S / 60:.0f} minutes, and the same command with --resume goes on from it"
    )
    before = None if state.step else set_aside(checkpoint)
    if before is not None:
        say(f"the checkpoint of an earlier training is now {before}")


def final_losses(recipe: Recipe, final: loop.Progress, gain: float) -> dict[str, float]:
    """For the card, by the names that this recipe's losses have."""
    if recipe.paint is not None:
        return {
            "from what is wanted": round(final.content, 4),
            "the same, steps from pixel to pixel": round(final.tv, 4),
        }
    return {
        "content": round(final.content, 4),
        "style": round(final.style, 4),
        "total variation": round(final.tv, 6),
        "with a style weight of": round(recipe.style_weight * gain, 2),
    }


def vgg_name(recipe: Recipe, given: Path | None) -> str:
    """Which VGG-16 the losses were taken with."""
    if recipe.paint is not None:
        return "none"
    return "torchvision" if given is None else file_sha256(given)[:16]


def give_style(
    network: Painter, recipe: Recipe, style: Tensor, content: ContentSet, canvas: Path | None
) -> None:
    """The color grade from the content's colors to the painting's, and the canvas: a file's, or
    quilted of the painting. Raises BadInput for a canvas that is none."""
    picture = style[0].permute(1, 2, 0).numpy()  # (H, W, 3)
    colors = colors_of([np.asarray(p) for p in content.pictures])
    grade = color_grade(colors, picture.reshape(-1, 3), recipe.contrast, recipe.saturation)
    tile = quilt_of(picture, recipe) if canvas is None else read_tile(canvas)
    matrix, offset = (torch.from_numpy(part).float() for part in grade)
    network.train_on(matrix, offset, colored(tile, recipe.canvas_color))
    if isinstance(network, StyleNetwork) and recipe.paint is not None:
        network.smooth = recipe.paint.smooth


def quilt_of(picture: np.ndarray, recipe: Recipe) -> np.ndarray:
    """uint8 (side, side, 3): the canvas of the painting, (H, W, 3) in 0..1, or a part of it. Raises
    BadInput where that is smaller than a patch."""
    height, width = picture.shape[:2]
    left, top, right, bottom = recipe.canvas_part
    strokes = picture[round(top * height) : round(bottom * height)]
    strokes = strokes[:, round(left * width) : round(right * width)]
    return canvas_tile(strokes, recipe.patch, recipe.canvas_coarse, recipe.canvas_fine, recipe.seed)


def read_tile(path: Path) -> np.ndarray:
    """uint8 (side, side, 3). Raises BadInput when it is no square picture of fit size."""
    try:
        with Image.open(path) as image:
            tile = np.asarray(image.convert("RGB"))
    except OSError as error:
        raise BadInput(f"--canvas {path}: not a readable picture ({error})") from error
    height, width = tile.shape[:2]
    if height != width or width % 16 or not 64 <= width <= LARGEST_CANVAS_PX:
        raise BadInput(
            f"--canvas {path}: {width}x{height}; a canvas is square, its side a multiple of 16 "
            f"from 64 to {LARGEST_CANVAS_PX}"
        )
    return tile


def trimmed(network: Network, recipe: Recipe, content: ContentSet) -> Network:
    """A trained fast network without the channels that are never on: the same picture, faster."""
    if not isinstance(network, FastNetwork):
        return network
    quantize(network, False)
    normalize(network, False)
    crops = content.batch(recipe.seed, recipe.steps, TRIM_CROPS, recipe.crop)
    return leave_out_dead(network.cpu(), torch.from_numpy(crops))


def start_of(args: argparse.Namespace) -> Path | None:
    """The model whose weights training starts from: --init, for arch fast else a bundled one of
    another style, which saves most of the steps; None for random weights (`--init none`)."""
    if args.init is not None:
        return None if str(args.init) == "none" else args.init
    bundled = models_folder() / FAST_START
    return bundled if args.arch == "fast" and bundled.is_file() else None


def output_path(args: argparse.Namespace) -> Path:
    """Where the model goes. Raises BadInput when it is no .onnx or cannot be written there."""
    out = args.out or Path("models") / f"{args.style.stem}-{args.arch}.onnx"
    if out.suffix != ".onnx":
        raise BadInput(f"--out {out}: a model file ends in .onnx")
    from stylizer.system.outputs import Permission

    out.parent.mkdir(parents=True, exist_ok=True)
    Permission(overwrite=vars(args).get("overwrite", False)).check(out, "model")
    return out


def style_name(out: Path) -> str:
    """ "mosaic" of mosaic-small.onnx."""
    return out.stem.rpartition("-")[0] or out.stem


def judge_command(args: argparse.Namespace, settings: Settings) -> int:
    """Print the judge's JSON; returns the exit code. Raises BadInput, StylizerError."""
    from stylizer.style.opening import open_style

    alone = replace(settings, move_canvas=False)  # each picture stands alone
    backend = open_style(alone, args.model, (1280, 720))  # its name may be wrong: first
    try:
        size = args.style_size or style_size_of(backend)
        painting = loop.load_style(args.style, size)
        check_frames(args.frames)
        # Last: it may have to be downloaded.
        verdict = judge(backend, painting, args.frames, load_vgg(args.vgg), size)
        facts = {"model": backend.model, "provider": backend.provider, "style": args.style.name}
    finally:
        backend.close()
    print(json.dumps(facts | verdict.as_dict(), indent=2))
    return 0
