"""`bench --compression`: every bundled variant of a style in one run of the bench, with what each
does to the picture."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from stylizer.errors import BadInput
from stylizer.frame import Frame
from stylizer.lab.commands import compare_page
from stylizer.lab.compress.parent import contract_of
from stylizer.lab.training.sampling import demo_frames, sample_frames
from stylizer.measure.bench import bench
from stylizer.run.report import to_json
from stylizer.settings import Settings
from stylizer.style import catalog, inspection
from stylizer.style.opening import open_style
from stylizer.system.console import beside, say
from stylizer.system.files import write_text
from stylizer.system.outputs import Kind, Permission, distinct
from stylizer.system.pictures import psnr_db

if TYPE_CHECKING:
    from stylizer.lab.training.perceptual import Vgg16

VARIANTS = ("original", "small", "original-int8", "small-int8", "original-pruned")
VARIANTS += ("small-pruned", "original-unstructured", "small-unstructured")
PSNR_FRAMES = 4


@dataclass
class Variant:
    """One model of the comparison; pictures: the styled frames, uint8 (H, W, 3)."""

    name: str  # the file's stem
    facts: dict[str, Any]
    rows: list[dict[str, Any]]
    pictures: list[np.ndarray]

    @property
    def picture(self) -> np.ndarray:
        """The one that is shown."""
        return self.pictures[0]


def compare_command(args: argparse.Namespace, base: Settings) -> int:
    """Run the comparison, print it, write the pages asked for. Raises BadInput, StylizerError."""
    check_outputs(args)
    if (args.style and not args.content) or (args.vgg and not args.style):
        raise BadInput("losses need --style IMAGE and --content PATH; --vgg FILE goes with them")
    models = args.models.split(",") if args.models else variants()
    if not models:
        raise BadInput("no variant is bundled; name some with --models")
    frames = comparison_frames(args)
    vgg = vgg_of(args)  # a wrong file is told before the timing, not after
    say(f"timing {', '.join(models)} in {args.rounds} interleaved rounds")
    rows = bench(models, args.sizes, base, args.frames, args.rounds)
    found = [examine(name, rows, frames, args, base, vgg) for name in dict.fromkeys(models)]
    add_psnr(found, frames, base)
    with beside(args.json, args.html, args.md):
        show_tables(found)
    notes = notes_of(args, rows)
    if args.json is not None:
        page = {"rows": rows, "variants": [{"model": v.name} | v.facts for v in found]}
        write_text(args.json, to_json(page | {"machine": rows[0]["machine"]}))
    if args.html is not None:
        write_text(args.html, compare_page.html(found, frames[0], notes))
    if args.md is not None:
        compare_page.write_markdown(args.md, found, frames[0], notes)
    return 0


def check_outputs(args: argparse.Namespace) -> None:
    """Raise BadInput where a page or the JSON would replace what is not ours."""
    permission = Permission(overwrite=vars(args).get("overwrite", False))
    named: list[tuple[Path | None, Kind]] = [
        (args.json, "json"), (args.html, "page"), (args.md, "page"),
    ]  # fmt: skip
    distinct(path for path, _ in named)
    for path, kind in named:
        if path is not None:
            permission.check(path, kind)


def variants() -> list[str]:
    """The bundled variants of the first style that has any, "mosaic" before others."""
    names = {m.name for m in catalog.bundled()}
    for style in sorted(catalog.styles(), key=catalog.default_first):
        there = [f"{style}-{v}" for v in VARIANTS if f"{style}-{v}" in names]
        if there:
            return there
    return []


def comparison_frames(args: argparse.Namespace) -> list[np.ndarray]:
    """Frames to look at and to measure PSNR on: of --content, else of the demo scene."""
    largest = max(args.sizes, key=lambda size: size[0] * size[1])
    if args.content is not None:
        return sample_frames(args.content, PSNR_FRAMES, largest)
    return demo_frames(PSNR_FRAMES, largest)


def examine(
    name: str,
    rows: list[dict[str, Any]],
    frames: list[np.ndarray],
    args: argparse.Namespace,
    base: Settings,
    vgg: Vgg16 | None,
) -> Variant:
    """Figures that need no clock; losses only with `vgg`."""
    say(f"looking at {name}")
    known = inspection.inspect(name)
    stem = known["model"]
    facts: dict[str, Any] = {
        "bytes": known["bytes"],
        "parameters": known["parameters"],
        "macs": known["macs"],
        "precision": known["contract"]["precision"] or "fp32",
        "parent": parent_of(Path(known["path"])),
        "content": None,
        "style": None,
    }
    if vgg is not None:
        facts |= losses(name, args, base, vgg)
    mine = [row for row in rows if row["model"] == stem]
    return Variant(stem, facts, mine, styled(name, frames, base))


def parent_of(path: Path) -> str:
    """Name or path of the model a file was made from; for tier small its teacher's; "" for none."""
    contract = contract_of(path)
    stem = contract.get("parent", "")
    if not stem and contract.get("tier") == "small":
        stem = f"{contract.get('style')}-original"
    beside = path.with_name(f"{stem}.onnx")
    return str(beside) if stem and beside.is_file() else str(stem)


def vgg_of(args: argparse.Namespace) -> Vgg16 | None:
    """What losses need, if they are asked for."""
    if args.style is None:
        return None
    from stylizer.lab.training.perceptual import load_vgg

    return load_vgg(args.vgg)


def losses(name: str, args: argparse.Namespace, base: Settings, vgg: Vgg16) -> dict[str, float]:
    """Content and style loss as `judge` takes them."""
    from stylizer.lab.commands.judge import STYLE_SHORT_SIDE, judge
    from stylizer.lab.training.loop import load_style

    painting = load_style(args.style, STYLE_SHORT_SIDE)
    backend = open_style(replace(base, move_canvas=False), name, args.sizes[0])
    try:
        verdict = judge(backend, painting, args.content, vgg, STYLE_SHORT_SIDE)
    finally:
        backend.close()
    return {name: verdict.figures[name] for name in ("content", "style")}


def styled(name: str, frames: list[np.ndarray], base: Settings) -> list[np.ndarray]:
    """uint8 (H, W, 3) of each frame, by the backend that `run` would use."""
    height, width = frames[0].shape[:2]
    backend = open_style(replace(base, move_canvas=False), name, (width, height))
    try:
        made = []
        for number, pixels in enumerate(frames):
            image = backend.style(Frame(pixels, "RGB", time.perf_counter(), number)).image
            assert image is not None
            made.append(np.ascontiguousarray(image.rgb()))
        return made
    finally:
        backend.close()


def add_psnr(found: list[Variant], frames: list[np.ndarray], base: Settings) -> None:
    """ "psnr": mean over the frames against the parent, where that is known and there."""
    known = {variant.name: variant.pictures for variant in found}
    for variant in found:
        parent = variant.facts["parent"]
        variant.facts["psnr"] = None
        if not parent:
            continue
        if Path(parent).stem not in known:
            try:
                known[Path(parent).stem] = styled(parent, frames, base)
            except BadInput:  # neither bundled nor beside: the table shows a dash
                continue
        pairs = zip(variant.pictures, known[Path(parent).stem], strict=True)
        variant.facts["psnr"] = float(np.mean([psnr_db(a, b) for a, b in pairs]))


def show_tables(found: list[Variant]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(compare_page.terminal_table(found))


def notes_of(args: argparse.Namespace, rows: list[dict[str, Any]]) -> list[str]:
    """How it was measured, for both pages."""
    m = rows[0]["machine"]
    runtimes = {k: v for k, v in m["versions"].items() if "onnx" in k or k == "openvino"}
    versions = ", ".join(f"{k} {v}" for k, v in runtimes.items())
    today = date.today()
    notes = [
        f"Made by `stylizer bench --compression` on {today.day} {today:%B %Y}.",
        f"{m['cpu']}, {m['cores']} cores, {rows[0]['provider']}, {versions}, {m['gl_renderer']}.",
        f"{rows[0]['frames']} frames a row after {rows[0]['warmup_frames']} warm-up frames, "
        f"{args.rounds} interleaved rounds, lock-step; the ratio is of styled fps, with its least "
        "and largest over the rounds.",
        "PSNR is against the model it was made from (small: against the original).",
    ]
    if args.style is None:
        notes.append(
            "Content and style loss are left out: they need --style, --content and VGG-16."
        )
    else:
        notes.append(
            f"Losses on {args.content.name} with {args.style.name}, as `judge` takes them."
        )
    return notes
