"""Files on disk: written whole or not at all; pipes, devices and links are written through."""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from PIL import Image, PngImagePlugin

from stylizer.errors import BadInput, StylizerError

MADE_BY = "stylizer"  # our mark: what carries it may be replaced, see outputs.py
PIPE_WAIT_S = 10.0  # for somebody to open the other end of a named pipe
PNG_LEVEL = 1  # zlib's fastest: a 720p game frame takes 83 ms, 269 at level 6, and is 13 % larger

_checks: dict[str, Callable[[], object]] = {}  # of the outputs that were named, by whole path


def check_writable(path: Path) -> None:
    """Raise BadInput unless a file can be written at `path`; touches nothing."""
    path = Path(path)
    if path.is_dir():
        raise BadInput(f"{path} is a folder: name a file in it")
    if path.is_symlink():  # it is written through
        if leads_nowhere(path):
            raise BadInput(f"{path} is a link that leads in a circle: choose another name")
        path = Path(os.path.realpath(path))
    if is_stream(path):
        if not os.access(path, os.W_OK):
            raise BadInput(f"{path} is not writable: choose another")
        return
    if not path.parent.is_dir():
        raise BadInput(f"there is no folder {path.parent} to write {path.name} in: make it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise BadInput(f"the folder {path.parent} is not writable: choose another for {path.name}")
    if path.exists() and not os.access(path, os.W_OK):
        raise BadInput(f"{path} exists and is not writable: choose another name")


def leads_nowhere(link: Path) -> bool:
    """Whether links follow each other without end, so that there is no file to write."""
    try:
        link.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def av_name(path: Path) -> str:
    """What libav opens for reading: "file:" keeps a colon from being read as a protocol; a name
    that is no UTF-8, which it cannot be told, is opened here (PyAV takes an open file as well)."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return cast("str", open(path, "rb"))
    return f"file:{path}"


def is_stream(path: Path) -> bool:
    """Whether a pipe, a device or an open descriptor (/dev/stdout) is there, not a plain file."""
    if descriptor(path) is not None:
        return True
    try:
        return not stat.S_ISREG(os.stat(path).st_mode) and not path.is_dir()
    except OSError:
        return False


def descriptor(path: Path) -> int | None:
    """The number of our own open file that /dev/stdout, /dev/stderr or /dev/fd/N names."""
    named = {"/dev/stdout": 1, "/dev/stderr": 2}.get(str(path))
    if named is None and str(path.parent) in ("/dev/fd", "/proc/self/fd") and path.name.isdigit():
        named = int(path.name)
    return named


def open_stream(path: Path) -> int:
    """A descriptor to write a pipe or a device; the caller closes it.

    Raises OSError, for a pipe that nobody reads after PIPE_WAIT_S.
    """
    number = descriptor(path)
    if number is not None:
        return os.dup(number)
    deadline = time.monotonic() + PIPE_WAIT_S
    while True:
        try:
            # Without O_NONBLOCK a pipe without a reader holds the program for ever.
            opened = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
            continue
        os.set_blocking(opened, True)
        return opened


def write_png(path: Path, rgb: np.ndarray) -> None:
    """Write uint8 (height, width, 3) RGB (or 4, RGBA, alpha dropped) as PNG at `path`.

    It is written beside `path` and then moved there, so a reader never sees half a picture.
    Raises BadInput when the place is not writable, StylizerError when writing fails (full disk).
    """
    path = Path(path)
    check_writable(path)
    picture = Image.fromarray(np.ascontiguousarray(rgb[:, :, :3]))
    with atomic_write(path) as file:
        picture.save(file, "PNG", compress_level=PNG_LEVEL, pnginfo=_mark())


def _mark() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", MADE_BY)  # a keyword of the PNG standard
    return info


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as `write_png` writes pictures. Raises StylizerError when it cannot."""
    with atomic_write(path) as file:
        file.write(text.encode())


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes its place at `path` only when the block ends well.

    A pipe or a device gets the bytes themselves; behind a link its target is replaced.
    Raises StylizerError when writing fails (full disk); then nothing is left behind.
    """
    path = Path(path)
    if is_stream(path):
        with io.BytesIO() as bytes_:
            yield bytes_
            _write_stream(path, bytes_.getbuffer())
        return
    with into_place(path) as part, open(part, "wb") as file:
        yield file


@contextmanager
def into_place(path: Path) -> Iterator[Path]:
    """Where to write a file that takes its place at `path` only when the block ends well; behind a
    link its target is replaced. Raises as `whole` does, and where something that must stay came to
    that name since it was allowed: what was made is then beside it, under the next free name."""
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    name = os.fsencode(target.name)[:200].decode(errors="ignore")  # of 255 bytes, not letters
    part = target.with_name(f".{name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        try:
            yield part
            refused = refusal(path)
            if refused is None:
                os.replace(part, target)
            else:
                beside = _put_beside(part, target)
                raise StylizerError(f"{refused}; it stays, and this run's is {beside}")
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StylizerError(write_failure(path, error)) from error


def ask_again(path: Path, check: Callable[[], object] | None) -> None:
    """`check` raises BadInput where `path` may not be replaced; it is asked once more when `path`
    is written, for a run may take hours. None: it need not be."""
    if check is None:
        _checks.pop(os.path.abspath(path), None)
    else:
        _checks[os.path.abspath(path)] = check


def refusal(path: Path) -> str | None:
    """Why what was allowed is allowed no more; None: it still is, or was never asked for."""
    try:
        if (check := _checks.get(os.path.abspath(path))) is not None:
            check()
    except BadInput as error:
        return str(error).partition(": choose")[0]
    return None


def _put_beside(part: Path, target: Path) -> Path:
    """Move a finished file to the first of NAME-2, NAME-3 and so on that is not taken."""
    for number in itertools.count(2):
        beside = target.with_name(f"{target.stem[:200]}-{number}{target.suffix}")
        with contextlib.suppress(FileExistsError):
            os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            os.replace(part, beside)
            return beside
    raise AssertionError


def _write_stream(path: Path, data: memoryview) -> None:
    """Opened only when all is there: PNG wants to seek, and a pipe's reader gets all or nothing."""
    try:
        with data, open(open_stream(path), "wb", buffering=0) as stream:
            left = data
            while left:
                left = left[stream.write(left) :]
    except OSError as error:
        raise StylizerError(write_failure(path, error)) from error


def write_failure(path: Path, error: OSError) -> str:
    """One sentence for a write that failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {path} could not be written; free some space or choose another"
    if error.errno == errno.ENXIO:
        return f"{path} could not be written: nobody reads that pipe"
    return f"{path} could not be written: {os.strerror(error.errno or errno.EIO).lower()}"
