"""Pictures on disk: written whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from stylizer.errors import BadInput, StylizerError

PNG_LEVEL = 1  # zlib's fastest: a 720p game frame takes 83 ms, 269 at level 6, and is 13 % larger


def check_writable(path: Path) -> None:
    """Raise BadInput unless a file can be written at `path`; touches nothing."""
    path = Path(path)
    if path.is_dir():
        raise BadInput(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise BadInput(f"there is no folder {path.parent} to write {path.name} in: make it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise BadInput(f"the folder {path.parent} is not writable: choose another for {path.name}")
    if path.exists() and not os.access(path, os.W_OK):
        raise BadInput(f"{path} exists and is not writable: choose another name")


def write_png(path: Path, rgb: np.ndarray) -> None:
    """Write uint8 (height, width, 3) RGB (or 4, RGBA, alpha dropped) as PNG at `path`.

    It is written beside `path` and then moved there, so a reader never sees half a picture.
    Raises BadInput when the place is not writable, StylizerError when writing fails (full disk).
    """
    path = Path(path)
    check_writable(path)
    picture = Image.fromarray(np.ascontiguousarray(rgb[:, :, :3]))
    with whole(path) as file:
        picture.save(file, "PNG", compress_level=PNG_LEVEL)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as `write_png` writes pictures. Raises StylizerError when it cannot."""
    with whole(path) as file:
        file.write(text.encode())


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes its place at `path` only when the block ends well.

    Raises StylizerError when writing fails (full disk); then nothing is left behind.
    """
    with into_place(path) as part, open(part, "wb") as file:
        yield file


@contextmanager
def into_place(path: Path) -> Iterator[Path]:
    """Where to write a file that takes its place at `path` only when the block ends well; raises
    as `whole` does."""
    part = path.with_name(f".{path.name[:200]}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise StylizerError(write_failure(path, error)) from error
    finally:
        part.unlink(missing_ok=True)


def write_failure(path: Path, error: OSError) -> str:
    """One sentence for a write that failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {path} could not be written; free some space or choose another"
    return f"{path} could not be written: {os.strerror(error.errno or errno.EIO).lower()}"


class OutputFolder:
    """Where --output puts pictures: the frame's own name, else 000001.png, 000002.png and so on.

    Makes the folder. Raises BadInput when it cannot be made or written to. A name given twice
    in one run (a.jpg and a.png) becomes "a-2" the second time; older files are replaced.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._count = 0
        self._taken: set[str] = set()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = os.strerror(error.errno or errno.EIO).lower()
            raise BadInput(f"the folder {folder} cannot be made for --output: {reason}") from error
        check_writable(self.folder / "000001.png")

    def write(self, rgb: np.ndarray, name: str = "") -> Path:
        """Write one picture (see write_png) and return its path. name: `Frame.name`."""
        self._count += 1
        stem = name or f"{self._count:06d}"
        free, again = stem, 2
        while free in self._taken:
            free, again = f"{stem}-{again}", again + 1
        self._taken.add(free)
        path = self.folder / f"{free}.png"
        write_png(path, rgb)
        return path
