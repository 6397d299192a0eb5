"""The recipe that the options of `train` describe, and options that do not fit each other."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from stylizer.errors import BadInput
from stylizer.lab.nets.fast import FastArch
from stylizer.lab.nets.registry import ARCHS, Recipe, default_recipe
from stylizer.painting.quilt import check_patch

# Networks imitate what `paint` lays on, in every step and without VGG. Any of these options trains
# original and small toward the statistics of VGG-16's features instead.
PERCEPTUAL = (
    "style_weight", "style_share", "style_ramp", "local_share", "content_limit", "tv_weight",
    "tone_weight", "grid_weight", "teacher", "imitate_steps",
)  # fmt: skip
QUILTING = ("canvas_part", "canvas_fine", "canvas_coarse", "patch")
PAINTING = ("paint", "canvas", "canvas_color", *QUILTING, "contrast", "saturation")


def recipe_of(args: argparse.Namespace, start: Path | None) -> Recipe:
    """The recipe the options describe. Raises BadInput for an unknown architecture, a size that
    does not fit it, and options that it has no use for."""
    if args.arch not in ARCHS:
        raise BadInput(f"there is no architecture {args.arch!r}; choose one of {', '.join(ARCHS)}")
    check_options(args)
    multiple = ARCHS[args.arch].size_multiple
    if args.crop and any(side % multiple or side < 64 for side in args.crop):
        raise BadInput(
            f"--crop {args.crop[0]}x{args.crop[1]}: sides are multiples of {multiple}, at least 64"
        )
    recipe = default_recipe(
        args.arch,
        args.style.name,
        args.content.name,
        trained=start is not None,
        perceptual=perceptual(args),
    )
    given = {name: value for name, value in values(args, start).items() if value is not None}
    recipe = replace(recipe, **given)
    if recipe.paint is None:
        return recipe
    if args.canvas is None:
        check_patch(recipe.patch, recipe.style_size)
    return replace(recipe, paint=replace(recipe.paint, **dict(args.paint or ())))


def perceptual(args: argparse.Namespace) -> bool:
    """Whether the options ask for the losses that VGG-16 is needed for."""
    if isinstance(ARCHS[args.arch], FastArch):
        return False
    return args.vgg is not None or any(vars(args)[name] is not None for name in PERCEPTUAL)


def check_options(args: argparse.Namespace) -> None:
    """Raise BadInput for options that would be ignored."""
    asked = perceptual(args)
    unfit = given_of(args, PAINTING if asked else PERCEPTUAL)
    if unfit and asked:
        raise BadInput(
            f"{unfit}: of no use beside options that train by VGG-16's features; leave the one "
            "or the other out"
        )
    if unfit:
        raise BadInput(
            f"{unfit}: of no use to --arch {args.arch}, which learns without VGG what --paint "
            "says; leave that out"
        )
    quilting = given_of(args, QUILTING)
    if args.canvas is not None and quilting:
        raise BadInput(f"{quilting}: of the canvas that is quilted; leave it or --canvas out")


def given_of(args: argparse.Namespace, names: tuple[str, ...]) -> str:
    """Those of the options that are given, as they are written; "" for none."""
    given = [name for name in names if vars(args)[name] is not None]
    return ", ".join("--" + name.replace("_", "-") for name in given)


def values(args: argparse.Namespace, start: Path | None) -> dict[str, Any]:
    """Fields of the recipe that the options give; None for the default."""
    return {
        "steps": args.steps,
        "batch": args.batch,
        "crop": args.crop,
        "style_size": args.style_size,
        "imitate_steps": args.imitate_steps,
        "teacher": args.teacher.stem if args.teacher else None,
        "style_weight": args.style_weight,
        # A weight that is given is meant.
        "style_share": 0.0 if args.style_weight and args.style_share is None else args.style_share,
        "content_limit": args.content_limit,
        "style_ramp": args.style_ramp,
        "local_share": args.local_share,
        "tv_weight": args.tv_weight,
        "tone_weight": args.tone_weight,
        "still_weight": args.still_weight,
        "grid_weight": args.grid_weight,
        # A model's norms are folded into its weights.
        "norm_share": 0.0 if start else args.norm_share,
        "quantize_share": args.quantize_share,
        "learning_rate": args.lr,
        "seed": args.seed,
        "contrast": args.contrast,
        "saturation": args.saturation,
        "canvas_color": args.canvas_color,
        "canvas_part": args.canvas_part,
        "canvas_fine": args.canvas_fine,
        "canvas_coarse": args.canvas_coarse,
        "patch": args.patch,
    }
