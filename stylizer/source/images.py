"""A picture or a folder of pictures as a source; each picture stands alone."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, InputState
from stylizer.settings import Settings
from stylizer.stages import Source, SourceEnded
from stylizer.system.pictures import SUFFIXES

ORIENTATION = 0x0112  # EXIF tag; values 5 to 8 swap width and height
Unreadable = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


@final
class ImagesSource(Source):
    """The pictures of `settings.input`, RGBA, in natural order of their names (2 before 10).

    EXIF orientation is applied; transparency is laid over black; 16-bit pictures are reduced to
    8 bits (value / 257); of an animation the first picture counts. `Frame.name` is the file's
    stem. Sizes may differ.

    Raises BadInput for a missing path, an empty folder or a file whose header is no picture's
    (every header is looked at before the first picture is given); `read` raises StylizerError
    for a picture that turns out damaged.
    """

    capture_method = "picture files (Pillow)"

    def __init__(self, settings: Settings) -> None:
        self._paths = picture_paths(settings.input)
        self._number = 0
        for path in reversed(self._paths):
            self.size = _header_size(path)  # at the end, the first picture's

    def read(self, inputs: InputState) -> Frame:
        """The next picture. Raises SourceEnded after the last, StylizerError for a damaged one."""
        if self._number >= len(self._paths):
            raise SourceEnded
        path = self._paths[self._number]
        try:
            pixels = load_rgba(path)
        except Unreadable as error:
            raise StylizerError(
                f"the picture {path} is damaged or cut off: repair or remove it"
            ) from error
        frame = Frame(pixels, "RGBA", time.perf_counter(), self._number, name=path.stem)
        self._number += 1
        self.size = frame.size
        return frame

    def close(self) -> None:
        """Nothing is held open; no more pictures after this."""
        self._number = len(self._paths)


def picture_paths(path: Path | None) -> list[Path]:
    """The picture file itself, or the pictures in a folder (not below it), naturally sorted.

    Raises BadInput when there is none.
    """
    if path is None:
        raise BadInput("the images source needs a picture or a folder: add --input PATH")
    path = Path(path)
    try:
        if not path.is_dir():
            if not path.exists():
                raise BadInput(
                    f"there is no picture or folder {path}: check the path after --input"
                )
            return [path]
        found = [p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
    except PermissionError as error:
        raise BadInput(f"{path} cannot be read: you lack the permission") from error
    found = [p for p in found if not p.name.startswith(".")]  # macOS leaves "._a.jpg" beside a.jpg
    if not found:
        raise BadInput(f"the folder {path} holds no pictures: name one with PNG or JPEG files")
    return sorted(found, key=_natural)


def load_rgba(path: Path) -> np.ndarray:
    """uint8 (height, width, 4) RGBA of a picture file, upright, opaque (black shows through)."""
    with Image.open(path) as opened:
        opened.load()
        picture = _eight_bits(ImageOps.exif_transpose(opened))
    if picture.has_transparency_data:
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        return np.array(Image.alpha_composite(black, picture.convert("RGBA")))
    return np.array(picture.convert("RGB").convert("RGBA"))


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grayscale of more than 8 bits, which Pillow's own convert would clip at 255."""
    if picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture))
        scale = 255.0 if values.size and values.max() <= 1.0 else 1.0
    elif picture.mode == "I" or picture.mode.startswith("I;16"):
        values = np.asarray(picture)
        scale = 1 / 257 if picture.mode != "I" or values.max() > 255 else 1.0
    else:
        return picture
    return Image.fromarray(np.clip(np.rint(values * scale), 0, 255).astype(np.uint8))


def _header_size(path: Path) -> tuple[int, int]:
    """Upright (width, height) from the header only. Raises BadInput when it is no picture's."""
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            turned = picture.getexif().get(ORIENTATION, 1) >= 5
    except PermissionError as error:
        raise BadInput(f"the picture {path} cannot be read: you lack the permission") from error
    except UnidentifiedImageError as error:
        raise BadInput(f"{path} is no picture that Pillow can read: remove it") from error
    except Unreadable as error:
        raise BadInput(f"the picture {path} is damaged or cut off: remove it") from error
    return (height, width) if turned else (width, height)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key: runs of digits compare as numbers, the rest without case."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p] + [
        (2, 0, path.name)
    ]
