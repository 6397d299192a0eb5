"""A picture or a folder of pictures as a source; each picture stands alone."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import final

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, InputState
from stylizer.settings import Settings
from stylizer.source.picture_file import header_size, load_rgba, reduced_from
from stylizer.stages import Source, SourceEnded
from stylizer.system.pictures import SUFFIXES
from stylizer.system.terminal import tell


@final
class ImagesSource(Source):
    """The pictures of `settings.input`, RGBA, in natural order of their names (2 before 10).

    EXIF orientation is applied; transparency is laid over black; 16-bit pictures are reduced to
    8 bits (value / 257); of an animation the first picture counts. `Frame.name` is the file's
    stem. Sizes may differ; what is larger than any graphics driver takes comes reduced, and that
    is said.

    Raises BadInput for a missing path, an empty folder, or where no file's header is a picture's
    (every header is looked at before the first picture is given). Single files of a folder that
    are none, or damaged, are named and left out: after the last picture `read` then raises
    StylizerError.
    """

    capture_method = "picture files (Pillow)"

    def __init__(self, settings: Settings) -> None:
        self._left = picture_paths(settings.input)
        self._of = len(self._left)
        self._number = 0
        self._skipped: list[str] = []
        sizes, faults = {}, []
        for path in self._left:
            try:
                sizes[path] = header_size(path)
            except BadInput as error:
                faults.append((path, error))
        if not sizes:
            raise faults[0][1]
        for path, error in faults:
            self._skip(path, error)
        self._left = list(sizes)
        self.size = sizes[self._left[0]]

    def read(self, inputs: InputState) -> Frame:
        """The next picture. Raises SourceEnded after the last, StylizerError if some were left
        out."""
        while self._left:
            path = self._left.pop(0)
            try:
                pixels = load_rgba(path)
            except BadInput as error:
                if self._of == 1:
                    raise StylizerError(str(error)) from error
                self._skip(path, error)
                continue
            full_size = reduced_from(path)
            frame = Frame(pixels, "RGBA", time.perf_counter(), self._number, name=path.stem)
            self._number += 1
            self.size = frame.size
            if full_size is not None:
                tell(
                    f"{path} has {full_size[0]}x{full_size[1]} pixels, more than can be painted; "
                    f"it is reduced to {frame.size[0]}x{frame.size[1]}"
                )
            return frame
        if self._skipped:
            raise StylizerError(
                f"{len(self._skipped)} of {self._of} pictures could not be read and were left out: "
                f"{', '.join(self._skipped)}"
            )
        raise SourceEnded

    def close(self) -> None:
        """Nothing is held open; no more pictures after this."""
        self._left, self._skipped = [], []

    def _skip(self, path: Path, error: BadInput) -> None:
        self._skipped.append(path.name)
        tell(f"left out: {error}")


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


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key: runs of digits compare as numbers, the rest without case."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p] + [
        (2, 0, path.name)
    ]
