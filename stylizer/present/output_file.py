"""The file under the muxer of a recording: kept for one run, pipes and devices included."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from stylizer.errors import BadInput
from stylizer.system.files import is_stream, open_stream, refusal

if sys.platform == "win32":
    import msvcrt

    FAR = 1 << 62  # Windows locks bytes, here one far behind the end

    def lock(descriptor: int) -> None:
        """Keep others from recording into this file. Raises OSError when somebody does."""
        os.lseek(descriptor, FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def lock(descriptor: int) -> None:
        """Keep others from recording into this file. Raises OSError when somebody does."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class OutputFile:
    """Opened by the first write and unbuffered.

    libavformat's own file loses "disk full" when it comes with a fragmented file's last write
    (seen in 62.12); here the first failure is kept in `error`. One that was removed is written no
    further: what it holds is lost, and what stands at its name by now is somebody else's.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.error: Exception | None = None
        self.written = False
        self.gone = False  # what was written does not stand at its name any more
        self._file: io.FileIO | None = None
        self._stream = is_stream(path)

    def write(self, data: bytes) -> int:
        """Write all of `data`; called by the muxer."""
        try:
            if self._file is None:
                self._file = io.FileIO(self._open(), "wb")
                self.written = True
            self.check_there()
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]
        except Exception as error:
            self.error = self.error or error
            raise
        return len(data)

    def _open(self) -> int:
        if self._stream:
            return open_stream(Path(self.name))
        binary = getattr(os, "O_BINARY", 0)
        opened = os.open(self.name, os.O_RDWR | os.O_CREAT | binary, 0o666)
        try:
            try:
                lock(opened)
            except OSError as error:
                raise being_recorded(self.name) from error
            if (refused := refusal(Path(self.name))) is not None:
                raise BadInput(f"{refused}; it stays")
            os.ftruncate(opened, 0)
        except BaseException:
            os.close(opened)
            raise
        return opened

    def seekable(self) -> bool:
        """Asked by the muxer: it completes its header at the end only where it can."""
        return not self._stream

    def seek(self, offset: int, whence: int = 0) -> int:
        """Called by the muxer, to complete what it wrote before."""
        return self._file.seek(offset, whence) if self._file else 0

    def tell(self) -> int:
        """Bytes from the beginning."""
        return self._file.tell() if self._file else 0

    def check_there(self) -> None:
        """Raise FileNotFoundError when what was written no longer stands at its name."""
        if self._file is None or self._file.closed or self._stream:
            return
        try:
            there, ours = os.stat(self.name), os.fstat(self._file.fileno())
            self.gone = (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)
        except OSError:
            self.gone = True
        if self.gone:
            raise FileNotFoundError("the file was removed or replaced meanwhile")

    def close(self) -> None:
        """Close the file, if it was opened."""
        if self._file:
            self._file.close()


def check_unlocked(path: Path) -> None:
    """Raise BadInput when another run records into `path`."""
    if not path.is_file() or is_stream(path):
        return
    try:
        opened = os.open(path, os.O_RDWR)
    except OSError:
        return  # others say why it cannot be written
    try:
        lock(opened)
    except OSError as error:
        raise being_recorded(str(path)) from error
    finally:
        os.close(opened)


def being_recorded(name: str) -> BadInput:
    return BadInput(f"another run records into {name}: choose another name")
