"""Frames to calibrate and to measure on: few, spread evenly over what the user named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from stylizer.errors import BadInput
from stylizer.frame import IDLE, Size
from stylizer.lab.training.data import VIDEO_SUFFIXES, video_frames
from stylizer.settings import Settings
from stylizer.source.demo.source import DemoSource
from stylizer.system.pictures import SUFFIXES

DEMO_STEP = 25  # frames of the demo scene between two that are taken
MULTIPLE = 4  # of the sides, for the networks of this lab


def sample_frames(path: Path, count: int, size: Size) -> list[np.ndarray]:
    """Up to `count` uint8 (H, W, 3) RGB pictures of a picture, a video or a folder of either (one
    frame a second), scaled to fit into `size` (width, height).

    Raises BadInput when there is none.
    """
    found = list(pictures_below(path))
    if not found:
        raise BadInput(f"{path}: holds no picture or video")
    count = min(count, len(found))
    places = np.linspace(0, len(found) - 1, count).round().astype(int)
    return [fitted(opened(found[i]), size) for i in places]


def pictures_below(path: Path) -> Iterator[Path | Image.Image]:
    """Every picture's path and one frame a second of every video, of a file or a folder.

    Raises BadInput when the path is missing or a video cannot be read.
    """
    if not path.exists():
        raise BadInput(f"{path}: no such file or folder; pass --frames DIR or --frames VIDEO")
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.suffix.lower() in SUFFIXES:
            yield file
        elif file.suffix.lower() in VIDEO_SUFFIXES:
            yield from video_frames(file, every_s=1.0)


def opened(item: Path | Image.Image) -> Image.Image:
    """The RGB picture of `pictures_below`. Raises BadInput when it cannot be read."""
    if isinstance(item, Image.Image):
        return item
    try:
        with Image.open(item) as image:
            return image.convert("RGB")
    except OSError as error:
        raise BadInput(f"{item}: not a readable picture ({error})") from error


def apart(frames: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(seen, held): every third is held back to measure on."""
    return [f for number, f in enumerate(frames) if number % 3 != 2], frames[2::3]


def fitted(image: Image.Image, size: Size) -> np.ndarray:
    """Scaled to fit into `size`, never up, sides cut to a multiple of 4."""
    scale = min(1.0, size[0] / image.width, size[1] / image.height)
    width, height = (max(MULTIPLE, round(side * scale)) for side in image.size)
    pixels = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))
    cut = pixels[: height // MULTIPLE * MULTIPLE, : width // MULTIPLE * MULTIPLE]
    return np.ascontiguousarray(cut)


def demo_frames(count: int, size: Size, seed: int = 0) -> list[np.ndarray]:
    """`count` uint8 (H, W, 3) RGB pictures of the demo scene, most of a second apart."""
    settings = Settings(source="demo", size=size, seed=seed, sync=True)
    source = DemoSource(settings)
    try:
        taken = []
        for number in range((count - 1) * DEMO_STEP + 1):
            frame = source.read(IDLE)
            if number % DEMO_STEP == 0:
                taken.append(np.ascontiguousarray(frame.rgb()))
        return taken
    finally:
        source.close()


def tensor_of(picture: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) -> float32 (1, 3, H, W) in 0..255."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None].astype(np.float32))
