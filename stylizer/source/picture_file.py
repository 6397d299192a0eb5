"""One picture file: its size, and its pixels upright, opaque and no larger than can be shown."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from stylizer.errors import BadInput
from stylizer.frame import Size

ORIENTATION = 0x0112  # EXIF tag; values 5 to 8 swap width and height
MOST_SIDE = 16_384  # pixels; what graphics drivers take as a texture, llvmpipe included
MOST_PIXELS = 64 * 2**20  # a picture, its styled one and the frame on the way take 0.8 GB then
MOST_FILE_PIXELS = 250_000_000  # Pillow holds a whole picture, at 4 bytes a pixel, to reduce it
ANOTHER = "name another, or take it out of its folder"  # what to do about a broken one
BAND = 256  # rows of the reduced picture made at once


@contextlib.contextmanager
def opened(path: Path, advice: str = ANOTHER) -> Iterator[Image.Image]:
    """The picture file, opened. advice: what to do where it is no picture, or a broken one.

    Raises BadInput, one sentence, for whatever is wrong with it.
    """
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # sizes are judged here
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's on EXIF and TIFF tags: nothing to do there
            with Image.open(path) as picture:
                width, height = picture.size
                if width * height > MOST_FILE_PIXELS:
                    raise BadInput(
                        f"the picture {path} has {width}x{height} pixels, more than the "
                        f"{MOST_FILE_PIXELS // 10**6} million that fit into memory: scale it down "
                        "first"
                    )
                yield picture
    except PermissionError as error:
        raise BadInput(f"the picture {path} cannot be read: you lack the permission") from error
    except UnidentifiedImageError as error:
        raise BadInput(f"{path} is no picture that Pillow can read: {advice}") from error
    except BadInput:
        raise
    except MemoryError as error:
        raise BadInput(f"there is not enough memory for the picture {path}") from error
    except Exception as error:  # Pillow raises all kinds: OSError, SyntaxError, IndexError ...
        raise BadInput(f"the picture {path} is damaged or cut off: {advice}") from error
    finally:
        Image.MAX_IMAGE_PIXELS = before


def header_size(path: Path) -> Size:
    """Upright (width, height) that `load_rgba` will give. Raises BadInput, see `opened`."""
    return shown_size(_full_size(path))


def reduced_from(path: Path) -> Size | None:
    """The picture's own size, where `load_rgba` gives a smaller one; else None."""
    full = _full_size(path)
    return full if shown_size(full) != full else None


def shown_size(size: Size) -> Size:
    """The size itself, or the largest of its shape that can be shown."""
    scale = min(1.0, MOST_SIDE / max(size), (MOST_PIXELS / (size[0] * size[1])) ** 0.5)
    return (max(1, int(size[0] * scale)), max(1, int(size[1] * scale)))


def load_rgba(path: Path, advice: str = ANOTHER) -> np.ndarray:
    """uint8 (height, width, 4) RGBA of a picture file, upright, opaque (black shows through).

    advice, and raises BadInput: see `opened`.
    """
    with opened(path, advice) as found:
        target = shown_size(found.size)
        if target != found.size:
            found.draft("RGB", target)  # a JPEG's own way of being read at half or less
        with _without_words(found):
            found.load()
        return over_black(found if target == found.size else _reduced(found, target))


def over_black(picture: Image.Image) -> np.ndarray:
    """uint8 (height, width, 4) RGBA, upright, opaque: what is transparent shows black."""
    picture = _eight_bits(ImageOps.exif_transpose(picture))
    if picture.has_transparency_data:
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        return np.array(Image.alpha_composite(black, picture.convert("RGBA")))
    return np.array(picture.convert("RGB").convert("RGBA"))


@contextlib.contextmanager
def _without_words(picture: Image.Image) -> Iterator[None]:
    """While a TIFF is decoded: libtiff writes what it thinks of a damaged one to standard error
    itself, and Pillow does not stop it."""
    if picture.format != "TIFF":
        yield
        return
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _full_size(path: Path) -> Size:
    with opened(path) as picture:
        width, height = picture.size
        turned = picture.getexif().get(ORIENTATION, 1) >= 5
    return (height, width) if turned else (width, height)


def _reduced(picture: Image.Image, size: Size) -> Image.Image:
    """Each pixel the mean of what it covers. In bands, so that only they are held as RGBA."""
    result = Image.new("RGBA", size)
    step = picture.height / size[1]
    for top in range(0, size[1], BAND):
        rows = min(BAND, size[1] - top)
        first, last = int(top * step), min(picture.height, -int(-(top + rows) * step // 1))
        band = _eight_bits(picture.crop((0, first, picture.width, last)))
        box = (0.0, top * step - first, float(picture.width), (top + rows) * step - first)
        box = (*box[:3], min(box[3], float(band.height)))
        part = band.convert("RGBA").resize((size[0], rows), Image.Resampling.BOX, box)
        result.paste(part, (0, top))
    result.getexif()[ORIENTATION] = picture.getexif().get(ORIENTATION, 1)
    return result


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
