"""wlr-screencopy (versions 1 to 3): pictures of an output or a part of it, without a dialog, into
shared memory. https://wayland.app/protocols/wlr-screencopy-unstable-v1
"""

from __future__ import annotations

from stylizer.errors import StylizerError
from stylizer.source.wayland.copying import ORDERS, SharedBuffer, cut, find_output, shown_at_s
from stylizer.source.wayland.picture import Picture
from stylizer.system.sway import Place
from stylizer.system.wayland import Display, Proxy
from stylizer.system.wayland_library import Interface, core, interface

SCREENCOPY = "zwlr_screencopy_manager_v1"
Y_INVERT = 1
# wlroots 0.15 (sway 1.7) takes a part of a monitor that is turned by 90 degrees for one turned by
# 270, and the other way round: capture_output of its wlr_screencopy_v1.c transforms the box and
# should invert that. The whole is taken there. Other transforms are their own inverse.
QUARTERS = (1, 3)


def _protocol() -> Interface:
    output = core("wl_output")
    frame = interface(
        "zwlr_screencopy_frame_v1", 3,
        [("copy", "o", [core("wl_buffer")]), ("destroy", "", []),
         ("copy_with_damage", "2o", [core("wl_buffer")])],
        [("buffer", "uuuu"), ("flags", "u"), ("ready", "uuu"), ("failed", ""),
         ("damage", "2uuuu"), ("linux_dmabuf", "3uuu"), ("buffer_done", "3")],
    )  # fmt: skip
    return interface(
        SCREENCOPY, 3,
        [("capture_output", "nio", [frame, output]),
         ("capture_output_region", "nioiiii", [frame, output]), ("destroy", "", [])],
    )  # fmt: skip


class Screencopy:
    """Pictures of one output, one under way at a time. One thread.

    Raises StylizerError where the compositor has no wlr-screencopy, BadInput for an output that is
    not there.
    """

    ended = False  # it is not told here

    def __init__(self, output: str | int | None, cursor: bool) -> None:
        self._display = Display()
        try:
            manager = self._display.bind(_protocol())
            if manager is None:
                raise StylizerError(
                    "the compositor has no wlr-screencopy (GNOME and KDE have not): use "
                    "--source portal"
                )
            self._manager, self._cursor = manager, int(cursor)
            self._output = find_output(self._display, output)
            self.what = f"monitor {self._output.name}"
            shm = self._display.bind(core("wl_shm"))
            assert shm is not None, "every compositor has shared memory"
            self._shm = shm
        except BaseException:
            self._display.close()
            raise
        self._frame: Proxy | None = None
        self._place: Place | None = None
        self._buffer: SharedBuffer | None = None
        self._flags, self._is_whole = 0, True
        self._first = True
        self._done: Picture | None = None
        self.failures = 0  # in a row

    def take(self, place: Place | None, wait_s: float) -> Picture | None:
        """The next picture of a window's place on the output (None: all of it), or None when
        nothing has changed within this time. Raises StylizerError when the compositor ends."""
        if self._frame is None or self._place != place:
            self._ask(place)
        self._display.read(wait_s)
        done, self._done = self._done, None
        return done

    def close(self) -> None:
        """Disconnect; may be called twice."""
        self._display.close()

    def _ask(self, place: Place | None) -> None:
        if self._frame is not None:
            self._frame.destroy()
        self._place, self._flags = place, 0
        self._is_whole = place is None or self._output.transform in QUARTERS
        if self._is_whole or place is None:
            frame = self._manager("capture_output", self._cursor, self._output.proxy)
        else:
            part = place.inside
            box = (part.x, part.y, part.width, part.height)
            frame = self._manager("capture_output_region", self._cursor, self._output.proxy, *box)
        self._frame = frame
        frame.on(
            buffer=self._on_buffer, buffer_done=self._copy, flags=self._on_flags,
            ready=self._on_ready, failed=self._on_failed,
        )  # fmt: skip

    def _on_buffer(self, *shape: int) -> None:
        if self._buffer is None or shape != self._buffer.shape:
            self._make_buffer(*shape)
        if self._version() < 3:  # no buffer_done will come
            self._copy()

    def _copy(self) -> None:
        """The first picture at once, later ones when something has changed."""
        with_damage = self._version() >= 2 and not self._first
        assert self._frame is not None
        assert self._buffer is not None
        self._frame("copy_with_damage" if with_damage else "copy", self._buffer.proxy)

    def _on_flags(self, flags: int) -> None:
        self._flags = flags

    def _on_ready(self, high: int, low: int, nanoseconds: int) -> None:
        assert self._buffer is not None
        at_s = shown_at_s(high, low, nanoseconds)
        upside_down, turned = bool(self._flags & Y_INVERT), self._output.transform
        picture: Picture | None = self._buffer.copy(at_s, turned, upside_down)
        if self._is_whole and self._place is not None:
            picture = cut(picture, self._place.inside, self._place.monitor)
        if picture is None:  # as the compositor refuses a part that is outside
            self._on_failed()
            return
        self._done, self._first, self.failures = picture, False, 0
        self._end_frame()

    def _on_failed(self) -> None:
        self.failures += 1
        self._end_frame()

    def _end_frame(self) -> None:
        if self._frame is not None:
            self._frame.destroy()
        self._frame = None

    def _version(self) -> int:
        return self._display.version_of(self._manager)

    def _make_buffer(self, kind: int, width: int, height: int, stride: int) -> None:
        if kind not in ORDERS:
            raise StylizerError(
                f"the compositor's pictures have a format unknown to us ({kind:#x}): use "
                "--source portal"
            )
        if self._buffer is not None:
            self._buffer.close()
        self._buffer = SharedBuffer(self._shm, kind, width, height, stride)
