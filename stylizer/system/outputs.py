"""What a run may write where: every output that a user names goes through here.

A file that is there is replaced only if it carries our mark for that kind of file and is nothing
that the run reads; empty files hold nothing to lose; pipes, devices and symbolic links, which
somebody put there for it, are written through.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from stylizer.errors import BadInput, StylizerError
from stylizer.system.files import MADE_BY, ask_again, check_writable, is_stream, write_png

Kind = Literal["json", "png", "video", "page", "model", "shader"]
JSON_KEY = "made_by"
REMARK = f"made by {MADE_BY}"  # in the comment tag of a video and in a comment of a page
CONTRACT_KEY = "stylizer.contract"  # in the metadata of a model
HEAD = 1 << 16  # a recording's tags stand in front of its first picture
JSON_LIMIT = 1 << 26
WORDS: dict[Kind, str] = {
    "json": "report",
    "png": "picture",
    "video": "recording",
    "page": "page",
    "model": "model",
    "shader": "shader",
}


@dataclass(frozen=True)
class Permission:
    """What may be replaced in one run. read: files it reads, as (device, inode)."""

    read: frozenset[tuple[int, int]] = frozenset()
    overwrite: bool = False

    @staticmethod
    def of(inputs: Iterable[Path | None], overwrite: bool = False) -> Permission:
        """inputs: files that the run reads; None and missing ones do not count."""
        found = (_identity(path) for path in inputs if path is not None)
        return Permission(frozenset(i for i in found if i is not None), overwrite)

    def check(self, path: Path, kind: Kind) -> None:
        """Raise BadInput unless a file of this kind may be written at `path`; touches nothing.

        It is asked again when `path` is written.
        """
        self.check_now(path, kind)
        ask_again(path, partial(self._check, path, kind))

    def check_now(self, path: Path, kind: Kind) -> None:
        """The same for what is written at once, and not asked again."""
        ask_again(path, None)
        self._check(path, kind)

    def _check(self, path: Path, kind: Kind) -> None:
        path = Path(path)
        check_writable(path)
        if self.overwrite or is_stream(path):
            return
        identity = _identity(path)
        if identity is None:
            return
        if identity in self.read:
            raise BadInput(
                f"{path} is read by this run and would be replaced: choose another name, or allow "
                "it with --overwrite"
            )
        if path.is_symlink():
            return  # somebody made it to lead our output there
        if path.stat().st_size and not is_ours(path, kind):
            raise BadInput(
                f"{path} is there already and is no {WORDS[kind]} of ours: choose another name, or "
                "allow it with --overwrite"
            )


def is_ours(path: Path, kind: Kind) -> bool:
    """Whether a file carries our mark for this kind; False for what cannot be read."""
    try:
        return _MARKS[kind](path)
    except (OSError, ValueError, SyntaxError, RecursionError, Image.DecompressionBombError):
        return False


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        there = os.stat(path)
    except OSError:
        return None
    return there.st_dev, there.st_ino


def _json_is_ours(path: Path) -> bool:
    if path.stat().st_size > JSON_LIMIT:
        return False
    stored = json.loads(path.read_bytes())
    return isinstance(stored, dict) and stored.get(JSON_KEY) == MADE_BY


def _png_is_ours(path: Path) -> bool:
    with Image.open(path, formats=["PNG"]) as picture:
        return picture.info.get("Software") == MADE_BY


def _video_is_ours(path: Path) -> bool:
    head = _ends(path)[0]
    return (head[4:8] == b"ftyp" or head[:4] == b"\x1aE\xdf\xa3") and REMARK.encode() in head


def _page_is_ours(path: Path) -> bool:
    return any(REMARK.encode() in part for part in _ends(path))


def _model_is_ours(path: Path) -> bool:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as bytes_:
        return bytes_.find(CONTRACT_KEY.encode()) >= 0


def _ends(path: Path) -> tuple[bytes, bytes]:
    """The first and the last HEAD bytes."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
        file.seek(max(0, path.stat().st_size - HEAD))
        return head, file.read(HEAD)


_MARKS: dict[Kind, Callable[[Path], bool]] = {
    "json": _json_is_ours,
    "png": _png_is_ours,
    "video": _video_is_ours,
    "page": _page_is_ours,
    "model": _model_is_ours,
    "shader": _page_is_ours,
}


def distinct(paths: Iterable[Path | None]) -> None:
    """Raise BadInput when two outputs of one run are the same file."""
    named: set[str] = set()
    for path in paths:
        if path is None or is_stream(path):
            continue
        real = os.path.realpath(path)
        if real in named:
            raise BadInput(f"{path} is named for two outputs: give each a name of its own")
        named.add(real)


def next_free(folder: Path, stem: str, suffix: str) -> Path:
    """stylizer-STEM-001.SUFFIX in a folder, which is made where it is not there: the first name
    that is not taken, as a whole path.

    An empty file is made there, so that no other run takes the name. Raises StylizerError.
    """
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = os.strerror(error.errno or errno.EIO).lower()
        raise StylizerError(f"the folder {folder} cannot be made: {reason}") from error
    for number in range(1, 100_000):
        path = folder / f"stylizer-{stem}-{number:03d}{suffix}"
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        except FileExistsError:
            continue
        except OSError as error:
            reason = os.strerror(error.errno or errno.EIO).lower()
            raise StylizerError(f"nothing can be saved in {folder}: {reason}") from error
        return path
    raise StylizerError(f"the folder {folder} is full of stylizer-{stem} files; move some away")


def drop_empty(path: Path) -> None:
    """Take away the empty file that `next_free` made, where nothing came of it."""
    try:
        if path.stat().st_size == 0:
            path.unlink()
    except OSError:
        return


class OutputFolder:
    """Where --output puts pictures: the frame's own name, else 000001.png, 000002.png and so on.

    Makes the folder. A name given twice in one run (a.jpg and a.png) becomes "a-2" the second
    time. planned: the names to come, as far as they are known.
    Raises BadInput when the folder cannot be made or written to, or a file there must stay.
    """

    def __init__(
        self,
        folder: Path,
        permission: Permission = Permission(),
        planned: Iterable[str] = (),
    ) -> None:
        self.folder = Path(folder)
        self._permission = permission
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = os.strerror(error.errno or errno.EIO).lower()
            raise BadInput(f"the folder {folder} cannot be made for --output: {reason}") from error
        self._forget()
        check_writable(self.folder / "000001.png")
        for name in planned or [""]:
            permission.check_now(self._next_path(name), "png")
        self._forget()

    def write(self, rgb: np.ndarray, name: str = "") -> Path:
        """Write one picture (see write_png) and return its path. name: `Frame.name`."""
        path = self._next_path(name)
        self._permission.check_now(path, "png")
        write_png(path, rgb)
        return path

    def _forget(self) -> None:
        self._count = 0
        self._taken: set[str] = set()

    def _next_path(self, name: str) -> Path:
        self._count += 1
        stem = name or f"{self._count:06d}"
        free, again = stem, 2
        while free in self._taken:
            free, again = f"{stem}-{again}", again + 1
        self._taken.add(free)
        return self.folder / f"{free}.png"
