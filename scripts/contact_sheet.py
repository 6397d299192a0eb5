"""One sheet to look at: what models make of game frames, beside the frames and known good pictures.

    .venv/bin/python scripts/contact_sheet.py MODEL [...] --frames DIR --out FILE [--anchors DIR]

Eight pictures of DIR (all where there are fewer), spread evenly by name. Each gives two rows: the
whole picture 640 pixels wide, and a crop of 640x360 pixels, one to one, from where the frame has
most detail. The columns are the frame, each model's picture of it, styled at the frame's full size
with nothing carried from frame to frame, and each kind of anchor: ANCHORS/NAME/FRAME.jpg, or
ANCHORS/NAME/KIND_FRAME.jpg for several of a name. The same input gives the same sheet.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stylizer.app.parser import OneSentenceParser
from stylizer.errors import BadInput, StylizerError, one_sentence
from stylizer.frame import Frame
from stylizer.settings import Settings
from stylizer.style.opening import open_style
from stylizer.system.files import atomic_write, check_writable
from stylizer.system.pictures import SUFFIXES

FRAMES = 8
TILE_WIDTH = 640  # pixels
CROP = (640, 360)
LABEL, GAP = 34, 8  # pixels
PAPER, INK, EMPTY = "white", "#202020", "#d0d0d0"
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
QUALITY = 92
MOST_PX = 65_000  # a side: JPEG ends at 65,535

Column = dict[str, np.ndarray]  # frame's name -> uint8 (H, W, 3) RGB of its size


def main(argv: list[str] | None = None) -> int:
    try:
        args = parsed(argv)
        frames = chosen(args.frames)
        columns = {"source": frames}
        for model in args.models:
            stem = Path(model).stem
            columns[model if stem in columns else stem] = styled(model, frames, args.provider)
        if args.anchors is not None:
            found = anchors(args.anchors, args.frames, frames)
            columns |= {name: row for name, row in found.items() if name not in columns}
        made = sheet(frames, columns)
        with atomic_write(args.out) as file:
            made.save(file, FORMATS[args.out.suffix.lower()], quality=QUALITY)
    except StylizerError as error:
        print(f"contact_sheet: {one_sentence(error)}", file=sys.stderr)
        return error.exit_code
    return 0


def parsed(argv: list[str] | None) -> argparse.Namespace:
    """Raises BadInput for bad use, and for a file that cannot be written."""
    assert __doc__ is not None
    p = OneSentenceParser(prog="contact_sheet", description=__doc__.splitlines()[0])
    p.add_argument("models", nargs="+", metavar="MODEL", help="STYLE-TIER or PATH.onnx[#K]")
    p.add_argument("--frames", type=Path, required=True, metavar="DIR", help="pictures of games")
    p.add_argument("--out", type=Path, required=True, metavar="FILE", help=".png or .jpg")
    p.add_argument("--anchors", type=Path, metavar="DIR", help="pictures to stand beside ours")
    p.add_argument("--provider", default="cpu", metavar="P", help="default cpu")
    args = p.parse_args(argv)
    if args.out.suffix.lower() not in FORMATS:
        raise BadInput(f"--out {args.out}: a sheet ends in .png or .jpg")
    check_writable(args.out)
    return args


def pictures_in(folder: Path) -> list[Path]:
    """By name. Raises BadInput where there is no such folder."""
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}")
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)


def read(path: Path) -> np.ndarray:
    """uint8 (H, W, 3) RGB. Raises BadInput for what is no picture."""
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise BadInput(f"{path}: not a readable picture ({error})") from error


def chosen(folder: Path) -> Column:
    """The frames of the sheet. Raises BadInput where there is none."""
    found = pictures_in(folder)
    if not found:
        raise BadInput(f"{folder} holds no picture: put game frames there")
    places = np.linspace(0, len(found) - 1, min(FRAMES, len(found))).round().astype(int)
    return {found[k].stem: read(found[k]) for k in places}


def styled(model: str, frames: Column, provider: str) -> Column:
    """A model's picture of each frame. Raises BadInput, StylizerError."""
    first = next(iter(frames.values()))
    settings = Settings(source="images", provider=provider)
    backend = open_style(settings, model, (first.shape[1], first.shape[0]))
    try:
        made = {}
        for name, pixels in frames.items():
            frame = Frame(np.ascontiguousarray(pixels), "RGB", time.perf_counter(), 0)
            image = backend.style(frame).image
            made[name] = pixels if image is None else as_large(image.rgb(), pixels)
        return made
    finally:
        backend.close()


def as_large(picture: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """The picture at the frame's size."""
    if picture.shape == frame.shape:
        return picture.copy()
    size = (frame.shape[1], frame.shape[0])
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize(size))


def anchors(folder: Path, apart: Path, frames: Column) -> dict[str, Column]:
    """A column for each folder, and each kind in it, that has one of the frames; `apart` is where
    the frames lie. Raises BadInput where there is none."""
    if not folder.is_dir():
        raise BadInput(f"--anchors {folder}: there is no such folder")
    found: dict[str, Column] = {}
    for below in sorted(p for p in folder.iterdir() if p.is_dir()):
        if below.resolve() == apart.resolve():
            continue
        for path in pictures_in(below):
            for name, pixels in frames.items():
                if path.stem == name or path.stem.endswith(f"_{name}"):
                    kind = f"{below.name} {path.stem.removesuffix(name).rstrip('_')}".strip()
                    found.setdefault(kind, {})[name] = as_large(read(path), pixels)
    if not found:
        raise BadInput(f"--anchors {folder}: no folder in it has a picture of {', '.join(frames)}")
    return found


def sheet(frames: Column, columns: dict[str, Column]) -> Image.Image:
    """Two rows a frame, a column a maker. Raises BadInput where that is too large for a file."""
    heights = [round(p.shape[0] * TILE_WIDTH / p.shape[1]) for p in frames.values()]
    width = len(columns) * (TILE_WIDTH + GAP) + GAP
    height = sum(heights) + len(frames) * (CROP[1] + 2 * LABEL + GAP) + GAP
    if max(width, height) > MOST_PX:
        raise BadInput(f"a sheet of {width}x{height} is too large: name fewer models")
    made = Image.new("RGB", (width, height), PAPER)
    y = GAP
    for (name, pixels), tall in zip(frames.items(), heights, strict=True):
        place = detailed_place(pixels)
        for k, (maker, pictures) in enumerate(columns.items()):
            x = GAP + k * (TILE_WIDTH + GAP)
            put(made, pictures.get(name), (x, y), (TILE_WIDTH, tall), f"{maker}: {name}")
            crop = pictures[name][place] if name in pictures else None
            text = f"{maker}: {name}, 1:1"
            put(made, crop, (x, y + tall + LABEL), CROP, text, scaled=False)
        y += tall + CROP[1] + 2 * LABEL + GAP
    return made


def put(
    made: Image.Image,
    pixels: np.ndarray | None,
    place: tuple[int, int],
    size: tuple[int, int],
    text: str,
    scaled: bool = True,
) -> None:
    """A tile with its label under it; None leaves it empty."""
    pen = ImageDraw.Draw(made)
    x, y = place
    if pixels is None:
        pen.rectangle((x, y, x + size[0] - 1, y + size[1] - 1), EMPTY)
        text = f"{text}: none"
    else:
        tile = Image.fromarray(np.ascontiguousarray(pixels))
        made.paste(tile.resize(size, Image.Resampling.LANCZOS) if scaled else tile, (x, y))
    middle = (x + size[0] / 2, y + size[1] + LABEL / 2)
    pen.text(middle, text, INK, ImageFont.load_default(size=18), anchor="mm")


def detailed_place(frame: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the crop: the window with the largest mean gradient of luma."""
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slopes = np.abs(cv2.Sobel(gray, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    width, height = min(CROP[0], frame.shape[1]), min(CROP[1], frame.shape[0])
    sums = cv2.integral(slopes)
    windows = sums[height:, width:] - sums[:-height, width:]
    windows = windows - sums[height:, :-width] + sums[:-height, :-width]
    top, left = np.unravel_index(int(windows.argmax()), windows.shape)
    return slice(int(top), int(top) + height), slice(int(left), int(left) + width)


if __name__ == "__main__":
    sys.exit(main())
