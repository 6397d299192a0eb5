"""The card beside a model: what it is, how it was made, what it is worth."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stylizer.lab.fit import Recipe


def write_card(model: Path, recipe: Recipe, facts: dict[str, Any]) -> Path:
    """Write MODEL.md beside MODEL.onnx; a section "Judged" written by hand below stays."""
    path = model.with_suffix(".md")
    kept = ""
    if path.is_file():
        _, mark, rest = path.read_text(encoding="utf-8").partition("\n## Judged")
        kept = mark + rest
    lines = [
        f"# {model.stem}",
        "",
        f"A feed-forward style model ({recipe.arch} tier) trained on `{recipe.style}`.",
        "Input and output: NCHW RGB 0..255 float32, any height and width that are multiples of 4.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {_cell(value)} |" for name, value in facts.items()),
        "",
        "## Recipe",
        "",
        "```json",
        json.dumps(asdict(recipe), indent=2, sort_keys=True),
        "```",
        "",
    ]
    path.write_text("\n".join(lines) + kept, encoding="utf-8")
    return path


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return str(value)
