"""`mosaic-picture`: a painting as panes between dark joints, to train a mosaic style on."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from stylizer.errors import BadInput
from stylizer.lab.training.mosaic import mosaic_picture, mosaic_tile
from stylizer.system.console import say
from stylizer.system.files import write_png
from stylizer.system.outputs import Permission, distinct

MOST_PIXELS = 40_000_000
CANVAS_SIDE = 1280  # pixels
TILES_PX = (8, 160)  # a joint takes 2 pixels; the canvas takes four panes across at least


def mosaic_picture_command(args: argparse.Namespace) -> int:
    """Read, lay, write; returns the exit code. Raises BadInput, StylizerError."""
    check_sizes(args.tile, args.short_side)
    check_places(args.image, args.out, args.canvas, args.overwrite)
    picture = read_scaled(args.image, args.short_side)
    height, width = picture.shape[:2]
    say(f"laying {width}x{height} in panes of some {args.tile:g} pixels")
    write_png(args.out, mosaic_picture(picture, args.tile, args.seed))
    print(f"{args.out}: written, {width}x{height}")
    if args.canvas is not None:
        # Not the picture's own draw: panes of the two would lie alike.
        write_png(args.canvas, mosaic_tile(CANVAS_SIDE, args.tile, args.seed + 2))
        print(f"{args.canvas}: written, {CANVAS_SIDE}x{CANVAS_SIDE}, for `train --canvas`")
    return 0


def check_sizes(tile: float, short_side: int) -> None:
    """Raise BadInput unless such panes, in pixels, can be laid in such a picture."""
    least, most = TILES_PX
    if not least <= tile <= most:
        raise BadInput(f"--tile {tile:g}: a pane is {least} to {most} pixels wide")
    if short_side < 4 * tile:
        raise BadInput(
            f"--short-side {short_side} is too small for --tile {tile:g}: four panes across are "
            "the least"
        )


def check_places(image: Path, out: Path, canvas: Path | None, overwrite: bool) -> None:
    """Raise BadInput unless the files may be written; over the input never."""
    distinct((out, canvas))
    permission = Permission(overwrite=overwrite)
    options = {"--out": out} | ({} if canvas is None else {"--canvas": canvas})
    for option, path in options.items():
        if path.suffix.lower() != ".png":
            raise BadInput(f"{option} {path}: it is written as PNG; name a file that ends in .png")
        if path.exists() and image.exists() and path.samefile(image):
            raise BadInput(f"{option} {path} is the input itself; name another file")
        permission.check(path, "png")


def read_scaled(path: Path, short_side: int) -> np.ndarray:
    """uint8 (H, W, 3) RGB, upright, its short side scaled to so many pixels. Raises BadInput."""
    try:
        with Image.open(path) as image:
            size = scaled(path, image.size, short_side)  # before its pixels are decoded
            upright = ImageOps.exif_transpose(image)
            picture = upright.convert("RGB")
    except BadInput:
        raise
    except Exception as error:  # Pillow raises half a dozen classes for broken bytes
        raise BadInput(f"{path}: not a readable picture ({error})") from error
    if upright.size != image.size:
        size = size[1], size[0]
    return np.array(picture.resize(size, Image.Resampling.LANCZOS))


def scaled(path: Path, size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """(width, height) with that short side. Raises BadInput for too many pixels."""
    scale = short_side / min(size)
    width, height = (round(side * scale) for side in size)
    if width * height > MOST_PIXELS:
        raise BadInput(
            f"{path}: {size[0]}x{size[1]} becomes {width}x{height}, over "
            f"{MOST_PIXELS // 1_000_000} megapixels; cut it, or choose a smaller --short-side"
        )
    return width, height
