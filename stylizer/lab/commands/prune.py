"""`prune`: from a trained model to one with fewer weights or fewer channels, with its card."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylizer.errors import BadInput
from stylizer.lab.compress.parent import (
    child_contract,
    open_parent,
    out_path,
    parent_path,
)
from stylizer.lab.compress.prune import make_permanent, prune_channels, prune_weights, zeros_share
from stylizer.lab.compress.static_quant import fidelity, pictures_of, session_of
from stylizer.lab.nets.johnson import StyleNetwork, parameter_count
from stylizer.lab.nets.registry import Recipe
from stylizer.lab.onnx.card import write_compressed_card
from stylizer.lab.onnx.export import export_onnx, load_network
from stylizer.lab.training.finetune import content_of, imitation, tune
from stylizer.lab.training.sampling import apart, demo_frames, sample_frames, tensor_of
from stylizer.style import inspection
from stylizer.style.remembered import file_hash
from stylizer.system.console import say

SCORED_FRAMES, HELD_OUT_FRAMES, SIZE = 6, 3, (320, 192)  # pictures for importance and for PSNR


def prune_command(args: argparse.Namespace) -> int:
    """Prune, fine-tune, write the model and its card. Raises BadInput, StylizerError."""
    if not 0 < args.ratio < 1:
        raise BadInput(f"--ratio {args.ratio} must lie between 0 and 1, as in 0.5")
    if args.style is None and args.vgg is not None:
        raise BadInput("--vgg belongs to --style IMAGE")
    parent = parent_path(args.model)
    network, contract, recipe = open_parent(parent)
    suffix = "pruned" if args.method == "structured" else "unstructured"
    out = out_path(args, parent, suffix)
    seen, held_out = pictures(args)
    say(f"pruning {parent.stem}, {args.method}, ratio {args.ratio}")
    made, masks = network, []
    if args.method == "structured":
        tensors = [torch.from_numpy(tensor_of(f) / 255) for f in seen]
        made = prune_channels(network, args.ratio, tensors)
    else:
        masks = prune_weights(network, args.ratio)
    tuned = None
    if args.finetune:
        tuned = imitation(args, recipe, parent, "prune")
        teacher = load_network(parent)
        assert isinstance(teacher, StyleNetwork)
        tune(args, tuned, made, teacher, content_of(args.content), out)
    make_permanent(masks)
    write(args, parent, out, made.cpu(), contract, recipe, tuned, held_out)
    return 0


def write(
    args: argparse.Namespace,
    parent: Path,
    out: Path,
    made: StyleNetwork,
    contract: dict[str, Any],
    recipe: dict[str, Any],
    tuned: Recipe | None,
    held_out: list[np.ndarray],
) -> None:
    """The model, its figures and its card."""
    method = f"{args.method} pruning, ratio {args.ratio}"
    contract = child_contract(contract, parent, "fp32", method)
    facts = {"ratio": args.ratio, "method": args.method, "parent file": file_hash(parent)[:16]}
    facts |= {"fine-tuning": asdict(tuned)} if tuned else {}
    # `arch` and the losses' weights stay in reach for a later compression of this file.
    child_recipe = {k: v for k, v in recipe.items() if k != "compression"} | {"compression": facts}
    export_onnx(made, out, contract, child_recipe)
    wanted = pictures_of(session_of(parent.read_bytes()), held_out)
    psnr, _ = fidelity(out.read_bytes(), held_out, wanted)
    before, after = (inspection.inspect(str(path)) for path in (parent, out))
    facts = {
        "parent file": facts["parent file"],
        "channels": f"{made.arch.widths} outside, {_inside(made)} inside the blocks",
        "weights that are zero": f"{zeros_share(made):.1%}",
        "parameters": f"{parameter_count(made)} of {before['parameters']}",
        "multiplications at 1280x720": f"{after['macs'] / 1e9:.1f} of {before['macs'] / 1e9:.1f} G",
        "fine-tuning steps": tuned.steps if tuned else 0,
        "PSNR to the parent": f"{psnr:.1f} dB on {len(held_out)} pictures",
    }
    write_compressed_card(out, contract, child_recipe, facts)
    print(
        f"{out}: written, {facts['parameters']} parameters, {zeros_share(made):.0%} of the weights "
        f"zero, {facts['multiplications at 1280x720']}MAC; PSNR to the parent {psnr:.1f} dB"
    )


def _inside(network: StyleNetwork) -> str:
    arch = network.arch
    return str(sorted(set(arch.inner or (arch.widths[2],))))


def pictures(args: argparse.Namespace) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(seen, held_out) of --content, or of the demo scene."""
    if args.content is None:
        say("no --content: pictures of the demo scene are used")
        found = demo_frames(SCORED_FRAMES + HELD_OUT_FRAMES, SIZE)
    else:
        found = sample_frames(args.content, SCORED_FRAMES + HELD_OUT_FRAMES, SIZE)
    seen, held_out = apart(found)
    return seen, held_out or found
