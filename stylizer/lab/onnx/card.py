"""The card beside a model: what it is, how it was made, what it is worth."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stylizer.lab.nets.fast import FastArch
from stylizer.lab.nets.registry import ARCHS, Recipe
from stylizer.system.files import write_text


def write_card(model: Path, recipe: Recipe, facts: dict[str, Any]) -> Path:
    """Write MODEL.md beside MODEL.onnx; a section "Judged" written by hand below stays."""
    intro = [
        f"A feed-forward style model ({recipe.arch} tier) trained on `{recipe.style}`.",
        *_ends(model, recipe),
    ]
    return _write(model, intro, facts, asdict(recipe))


def write_compressed_card(
    model: Path, contract: dict[str, Any], recipe: dict[str, Any], facts: dict[str, Any]
) -> Path:
    """The card of a model that was made smaller from a parent, like `write_card`."""
    intro = [
        f"`{contract['parent']}` made smaller: {contract['method']}. "
        f"Precision {contract['precision']}.",
        _float_ends(contract["size_multiple"]),
    ]
    return _write(model, intro, facts, recipe)


def _write(model: Path, intro: list[str], facts: dict[str, Any], recipe: dict[str, Any]) -> Path:
    """A section "Judged" that stands in the card already stays below the new text."""
    lines = [
        f"# {model.stem}",
        "",
        *intro,
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {_cell(value)} |" for name, value in facts.items()),
        "",
        "## Recipe",
        "",
        "```json",
        json.dumps(recipe, indent=2, sort_keys=True),
        "```",
        "",
    ]
    path = model.with_suffix(".md")
    kept = ""
    if path.is_file():
        _, mark, rest = path.read_text(encoding="utf-8").partition("\n## Judged")
        kept = mark + rest
    write_text(path, "\n".join(lines) + kept)
    return path


def _ends(model: Path, recipe: Recipe) -> list[str]:
    """What goes in and comes out."""
    arch = ARCHS[recipe.arch]
    lines = [_float_ends(arch.size_multiple)]
    if isinstance(arch, FastArch):
        lines.append(
            f"`{model.stem}-fp16.onnx` is the same in half precision, `{model.stem}-int8.onnx` in "
            "8-bit integers on blocks of 4x4 RGBX pixels, uint8 (1, H/4, W/4, 64) in and out, row, "
            "column and channel in this order; its second input is the canvas, half as large: "
            "blocks of 2x2, (1, H/4, W/4, 16)."
        )
    return lines


def _float_ends(multiple: int) -> str:
    return (
        "Input and output: NCHW RGB 0..255 float32, any height and width that are multiples of "
        f"{multiple}."
    )


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return str(value)
