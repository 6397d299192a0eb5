"""A mask from a picture file: read once, told in one sentence what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylizer.errors import BadInput
from stylizer.settings import Settings

if TYPE_CHECKING:
    from stylizer.compose.masks import MaskPicture

COLOR = 24  # of 255, between two channels: more than any rounding, and no grayscale picture then


class Masking:
    """The mask file in use, None for none. Main thread only.

    Raises BadInput for a file that is no grayscale picture.
    """

    def __init__(self, settings: Settings) -> None:
        self.picture: MaskPicture | None = None
        self._path: Path | None = None
        self.choose(settings.mask)

    def choose(self, path: Path | None) -> None:
        """Take another file; the one before stays where this one is bad."""
        if path != self._path:
            self.picture = None if path is None else read_mask(path)
            self._path = path


def read_mask(path: Path) -> MaskPicture:
    """A grayscale picture file as a mask, white inside. Raises BadInput for anything else."""
    from stylizer.compose.masks import MaskPicture
    from stylizer.source.picture_file import load_rgba

    if path.is_dir():
        raise BadInput(f"the mask {path} is a folder: name a grayscale picture, white where the "
                       "game stays as it is")  # fmt: skip
    if not path.is_file():  # nobody may write into a pipe
        raise BadInput(f"there is no mask {path}: name a grayscale picture file")
    rgb = load_rgba(path, advice="name a grayscale picture as the mask")[:, :, :3]
    if (rgb.max(axis=2) - rgb.min(axis=2)).max() > COLOR:
        raise BadInput(f"the mask {path} is a picture in colors: a mask is grayscale, white where "
                       "the game stays as it is and black where it is painted")  # fmt: skip
    return MaskPicture(np.ascontiguousarray(rgb[:, :, 1]))
