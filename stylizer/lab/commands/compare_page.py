"""The comparison as a table for the terminal, a Markdown file with its pictures, and one page of
HTML that holds everything."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich.table import Table

from stylizer.system import page
from stylizer.system.files import atomic_write, write_text
from stylizer.system.outputs import REMARK

QUALITY = 88  # of JPEG: strokes survive, a page of seven pictures stays under 4 MB
CROP_SHARE = 0.25  # of each side: the middle that is shown at twice its size
SHEET_WIDTH = 640  # of one picture on the Markdown's sheet
LABEL_HEIGHT = 26
HEADER = (
    "model", "size", "bytes", "parameters", "GMAC", "styled fps", "p50 ms", "p99 ms", "ratio",
    "over rounds", "PSNR dB", "content", "style",
)  # fmt: skip


class Compared(Protocol):
    """One variant, see `compare.Variant`."""

    name: str
    facts: dict[str, Any]
    rows: list[dict[str, Any]]

    @property
    def picture(self) -> np.ndarray: ...


def cells(found: Sequence[Compared]) -> list[list[str]]:
    """One row of the table for each size and variant, sizes apart."""
    sizes = list(dict.fromkeys(tuple(r["size"]) for v in found for r in v.rows))
    return [
        _cells(variant, row)
        for size in sizes
        for variant in found
        for row in variant.rows
        if tuple(row["size"]) == size
    ]


def _cells(variant: Compared, row: dict[str, Any]) -> list[str]:
    facts, times = variant.facts, row["frame_time_ms"]
    spread = row.get("ratio_spread")
    macs = facts["macs"] and facts["macs"] / 1e9 * row["size"][0] * row["size"][1] / (1280 * 720)
    return [
        variant.name,
        "{}x{}".format(*row["size"]),
        f"{facts['bytes']:,}",
        f"{facts['parameters']:,}",
        _figure(macs, 1),
        _figure(row["styled_fps"], 2),
        _figure(times["p50"], 1),
        _figure(times["p99"], 1),
        _figure(row["ratio"], 2),
        f"{spread[0]:.2f}–{spread[1]:.2f}" if spread else "–",
        _figure(facts["psnr"], 1),
        _figure(facts["content"], 3),
        _figure(facts["style"], 3),
    ]


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def terminal_table(found: Sequence[Compared]) -> Table:
    table = Table()
    for number, name in enumerate(HEADER):
        table.add_column(name, justify="right" if number > 1 else "left")
    for row in cells(found):
        table.add_row(*row)
    return table


def html(found: Sequence[Compared], frame: np.ndarray, notes: list[str]) -> str:
    """The page; pictures are inside it."""
    figures = [_figure_html("source", frame)]
    figures += [_figure_html(variant.name, variant.picture) for variant in found]
    title = "Quantized and pruned models beside their parents"
    return page.html(title, notes, HEADER, cells(found), "".join(figures))


def _figure_html(name: str, picture: np.ndarray) -> str:
    full, crop = (_embedded(p) for p in (picture, cropped(picture)))
    return (
        f"<figure><figcaption>{escape(name)}: the frame, and its middle at twice the size"
        f'</figcaption><div class="pair"><img src="{full}" alt="{escape(name)}">'
        f'<img class="crop" src="{crop}" alt="{escape(name)}, middle"></div></figure>'
    )


def cropped(picture: np.ndarray) -> np.ndarray:
    """The middle of a picture, each pixel four times."""
    height, width = picture.shape[:2]
    h, w = round(height * CROP_SHARE), round(width * CROP_SHARE)
    top, left = (height - h) // 2, (width - w) // 2
    return picture[top : top + h, left : left + w].repeat(2, axis=0).repeat(2, axis=1)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _embedded(picture: np.ndarray) -> str:
    data = base64.b64encode(_jpeg(Image.fromarray(np.ascontiguousarray(picture)))).decode()
    return f"data:image/jpeg;base64,{data}"


def write_markdown(
    path: Path, found: Sequence[Compared], frame: np.ndarray, notes: list[str]
) -> None:
    """The table at `path`, the pictures beside it as PATH-frames.jpg and PATH-crops.jpg."""
    named = [("source", frame), *((v.name, v.picture) for v in found)]
    sheets = {
        "frames": sheet(named),
        "crops": sheet([(name, cropped(picture)) for name, picture in named]),
    }
    lines = [*notes, ""]
    lines += ["| " + " | ".join(HEADER) + " |", "|---|---" + "|---:" * (len(HEADER) - 2) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in cells(found)]
    for kind, picture in sheets.items():
        beside = path.with_name(f"{path.stem}-{kind}.jpg")
        with atomic_write(beside) as file:
            file.write(_jpeg(picture))
        lines += ["", f"![the same frame, {kind}]({beside.name})"]
    lines += ["", f"<!-- {REMARK} -->"]
    write_text(path, "\n".join(lines) + "\n")


def sheet(named: list[tuple[str, np.ndarray]], columns: int = 2) -> Image.Image:
    """Pictures with their names, side by side."""
    first = named[0][1]
    width = SHEET_WIDTH
    height = round(first.shape[0] * width / first.shape[1])
    rows = -(-len(named) // columns)
    made = Image.new("RGB", (columns * width, rows * (height + LABEL_HEIGHT)), "white")
    draw, font = ImageDraw.Draw(made), ImageFont.load_default(17)
    for number, (name, picture) in enumerate(named):
        x, y = number % columns * width, number // columns * (height + LABEL_HEIGHT)
        draw.text((x + 6, y + 3), name, fill="black", font=font)
        scaled = Image.fromarray(np.ascontiguousarray(picture))
        made.paste(scaled.resize((width, height), Image.Resampling.LANCZOS), (x, y + LABEL_HEIGHT))
    return made
