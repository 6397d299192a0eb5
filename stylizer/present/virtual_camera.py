"""A camera that shows the finished picture, for OBS, browsers and calls: a video source of PipeWire
(Linux), no kernel module.

Its own thread sends the newest picture at a steady rate while somebody looks; nobody waits for it.
"""

from __future__ import annotations

import ctypes as c
import sys
import threading
import time

import numpy as np
from av.video.reformatter import Colorspace

from stylizer.errors import BadInput, StylizerError
from stylizer.present.fitting import Fitting
from stylizer.system import pods
from stylizer.system.pipewire import (
    ANY,
    DRIVER,
    MAP_BUFFERS,
    OUTPUT,
    STREAMING,
    Buffer,
    Stream,
    meta_of,
)

NAME = "Stylizer"  # as programs list it
# What a program looks for: the class lists it, the role lets the desktop's portal give it to
# browsers and sandboxed programs. The priority is below that of a real camera (700 and more).
PROPERTIES = (
    "media.type=Video media.category=Capture media.role=Camera media.class=Video/Source "
    f"node.name=stylizer.camera node.description={NAME} priority.session=100"
)
RATES = (30, 60)  # pictures a second, as the program that looks chooses
NEEDED = (
    "--camera needs PipeWire and WirePlumber running (apt-get install pipewire wireplumber, "
    "then log in again)"
)
ELSEWHERE = (
    "--camera is there on Linux with PipeWire only, not on this system; let OBS capture the window"
)


def check_camera() -> None:
    """Raise BadInput, with what to do, where no camera can be made."""
    if not sys.platform.startswith("linux"):
        raise BadInput(ELSEWHERE)
    try:
        Stream(None).close()
    except StylizerError as error:
        raise BadInput(f"{NEEDED}: {error}") from error


class VirtualCamera:
    """The camera, of the first picture's size: later ones of another size are letterboxed into it,
    since programs do not expect that a camera changes its size. Made and used by one thread.

    size: (width, height); odd sides are padded by an edge pixel. A failure (PipeWire gone) ends it:
    `failure` says why, in one sentence, and whatever is given later is dropped. Raises
    StylizerError when PipeWire cannot be reached.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.failure = ""
        self._fitting = Fitting(size)
        self._node = CameraNode(self._fitting.padded)
        self._newest: np.ndarray | None = None  # replaced whole, never written to
        self._made: tuple[np.ndarray, np.ndarray] | None = None  # of which picture, what is sent
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def add(self, pixels: np.ndarray) -> None:
        """Show uint8 (height, width, 4 RGBA) from now on; never waits."""
        self._newest = np.array(pixels, order="C")

    def close(self) -> None:
        """Take the camera away and end the thread; may be called twice."""
        self._closed.set()
        self._thread.join()

    # --- on the thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            due = time.perf_counter()
            while not self._closed.wait(max(0.0, due - time.perf_counter())):
                self._turn()
                # Late by more than a turn, it does not hurry to catch up.
                due = max(due, time.perf_counter() - 1 / self._node.rate) + 1 / self._node.rate
        except BaseException as error:  # no thread may die unseen
            self.failure = f"the camera ended, the picture goes on: {error}"
        finally:
            self._node.close()

    def _turn(self) -> None:
        if self._node.broken:
            raise StylizerError(self._node.broken)
        newest = self._newest
        if newest is None or not self._node.is_watched:
            return
        if self._made is None or self._made[0] is not newest:
            # As webcams do it: programs that ask for no matrix take that of BT.601.
            planes = self._fitting.yuv(self._fitting.fit(newest), Colorspace.ITU601).to_ndarray()
            self._made = newest, planes
        self._node.send(self._made[1])


class CameraNode(Stream):
    """The camera in PipeWire's graph, which it drives: a turn of the graph is a picture sent.

    size: (width, height), even. I420 is all that it offers: every program takes it (Chromium no
    RGBx), and all who look at once must agree on one format.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._row, self._bytes = size[0], size[0] * size[1] * 3 // 2
        self.rate = float(RATES[0])  # as agreed with who looks
        self._picture: np.ndarray | None = None
        self._sent = 0
        super().__init__(None)
        try:
            formats = pods.offered_formats(size, RATES)
            self._open(PROPERTIES, OUTPUT, ANY, DRIVER | MAP_BUFFERS, formats)
        except BaseException:
            self.close()
            raise

    @property
    def is_watched(self) -> bool:
        """Whether a program takes the pictures."""
        return self._state == STREAMING

    def send(self, picture: np.ndarray) -> None:
        """Give out uint8 (height * 3 / 2, width), the three planes; the array is kept, not
        copied."""
        self._pw.pw_thread_loop_lock(self._loop)
        try:
            self._picture = picture
            # While another node drives, as at first, that one calls for the picture. Asked for
            # all the same, PipeWire 0.3.65 sometimes delivered only every second one from then on.
            if self._pw.pw_stream_is_driving(self._stream):
                self._pw.pw_stream_trigger_process(self._stream)
        finally:
            self._pw.pw_thread_loop_unlock(self._loop)

    # --- on PipeWire's thread, or within `send` ----------------------------------------------

    def _on_state(self, _: int, before: int, state: int, error: bytes | None) -> None:
        super()._on_state(_, before, state, error)
        if before == STREAMING:  # what waits is not for who looks next
            self._pw.pw_stream_flush(self._stream, False)

    def _on_format(self, param: bytes) -> list[bytes]:
        self.rate = pods.chosen_rate(param) or float(RATES[0])
        return pods.offered_buffers(self._bytes, self._row)

    def _on_process(self, _: int) -> None:
        """Fill a buffer, where the program that looks has given one back."""
        picture = self._picture
        if picture is None:
            return
        address = self._pw.pw_stream_dequeue_buffer(self._stream)
        if not address:
            return
        buffer = Buffer.from_address(address).buffer.contents
        data = buffer.datas[0]
        fits = bool(data.data) and data.maxsize >= self._bytes == picture.nbytes
        if fits:
            c.memmove(data.data, picture.ctypes.data, self._bytes)
        chunk = data.chunk.contents
        chunk.offset, chunk.flags = 0, 0
        chunk.size, chunk.stride = self._bytes if fits else 0, self._row
        header = meta_of(buffer, pods.HEADER, pods.HEADER_BYTES)
        if header:  # spa_meta_header: flags, offset, pts, dts_offset, seq
            c.c_uint64.from_address(header).value = 0
            c.c_int64.from_address(header + 8).value = time.monotonic_ns()
            c.c_uint64.from_address(header + 24).value = self._sent
        self._sent += fits
        self._pw.pw_stream_queue_buffer(self._stream, address)
