"""ext-image-copy-capture (version 1): a window's own pixels, or a monitor's, without a dialog, into
shared memory. https://wayland.app/protocols/ext-image-copy-capture-v1, and beside it
ext-image-capture-source-v1 and ext-foreign-toplevel-list-v1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from stylizer.errors import BadInput, StylizerError
from stylizer.source.wayland.copying import ORDERS, SharedBuffer, find_output, shown_at_s
from stylizer.source.wayland.picture import Picture
from stylizer.system import own_windows, sway
from stylizer.system.wayland import Display, Proxy
from stylizer.system.wayland_library import Interface, core, interface

WITH_POINTER = 1  # ext_image_copy_capture_manager_v1.options
OTHER_BUFFER = 1  # failure_reason: the buffer no longer fits
WINDOWS = "ext_foreign_toplevel_image_capture_source_manager_v1"
OUTPUTS = "ext_output_image_capture_source_manager_v1"
SESSIONS = "ext_image_copy_capture_manager_v1"


@cache
def _source() -> Interface:
    return interface("ext_image_capture_source_v1", 1, [("destroy", "", [])])


@cache
def _toplevel() -> Interface:
    return interface(
        "ext_foreign_toplevel_handle_v1", 1,
        [("destroy", "", [])],
        [("closed", ""), ("done", ""), ("title", "s"), ("app_id", "s"), ("identifier", "s")],
    )  # fmt: skip


def _toplevels() -> Interface:
    return interface(
        "ext_foreign_toplevel_list_v1", 1,
        [("stop", "", []), ("destroy", "", [])],
        [("toplevel", "n", [_toplevel()]), ("finished", "")],
    )  # fmt: skip


def _sources_of(name: str, what: Interface) -> Interface:
    """What makes a source of an object of this kind."""
    return interface(name, 1, [("create_source", "no", [_source(), what]), ("destroy", "", [])])


def _sessions() -> Interface:
    frame = interface(
        "ext_image_copy_capture_frame_v1", 1,
        [("destroy", "", []), ("attach_buffer", "o", [core("wl_buffer")]),
         ("damage_buffer", "iiii", []), ("capture", "", [])],
        [("transform", "u"), ("damage", "iiii"), ("presentation_time", "uuu"), ("ready", ""),
         ("failed", "u")],
    )  # fmt: skip
    session = interface(
        "ext_image_copy_capture_session_v1", 1,
        [("create_frame", "n", [frame]), ("destroy", "", [])],
        [("buffer_size", "uu"), ("shm_format", "u"), ("dmabuf_device", "a"),
         ("dmabuf_format", "ua"), ("done", ""), ("stopped", "")],
    )  # fmt: skip
    return interface(SESSIONS, 1, [("create_session", "nou", [session, _source()])])


@dataclass(eq=False)
class Toplevel:
    """A window that the compositor lists."""

    proxy: Proxy
    title: str = ""
    app: str = ""
    identifier: str = ""

    def __str__(self) -> str:
        return repr(self.title or self.app or "untitled")


def offers(manager: str) -> bool:
    """Whether the compositor has this manager of copies. Raises StylizerError without one."""
    display = Display()
    try:
        return bool(display.all_of(manager))
    finally:
        display.close()


class ImageCopy:
    """Pictures of one window or monitor, one under way at a time. One thread.

    window: as `--window` names it; output: where there is none. Raises BadInput where that is not
    there, StylizerError where the compositor does not copy it in this way.
    """

    def __init__(self, output: str | int | None, window: str | None, cursor: bool) -> None:
        self._display = Display()
        try:
            if window:
                shown, self.what = self._find_window(window)
                manager = self._bind(_sources_of(WINDOWS, _toplevel()))
            else:
                monitor = find_output(self._display, output)
                shown, self.what = monitor.proxy, f"monitor {monitor.name}"
                manager = self._bind(_sources_of(OUTPUTS, core("wl_output")))
            sessions, self._shm = self._bind(_sessions()), self._bind(core("wl_shm"))
        except BaseException:
            self._display.close()
            raise
        self.ended = False  # the window was closed, or the monitor taken away
        self.failures = 0  # in a row
        self._size, self._kinds = (0, 0), list[int]()  # of a buffer that would fit now
        self._wanted: tuple[int, int, int, int] | None = None
        self._frame: Proxy | None = None
        self._buffer: SharedBuffer | None = None
        self._at_s, self._transform = 0.0, 0
        self._done: Picture | None = None
        options = WITH_POINTER if cursor else 0
        self._session: Proxy = sessions("create_session", manager("create_source", shown), options)
        self._session.on(
            buffer_size=self._on_size, shm_format=self._on_format, done=self._on_done,
            stopped=self._on_stopped,
        )  # fmt: skip

    def take(self, place: sway.Place | None, wait_s: float) -> Picture | None:
        """The next picture, or None when nothing has changed within this time; `place` is not
        asked for here. Raises StylizerError when the compositor ends."""
        if self._frame is None and self._wanted is not None and not self.ended:
            self._ask(self._wanted)
        self._display.read(wait_s)
        done, self._done = self._done, None
        return done

    def close(self) -> None:
        """Disconnect; may be called twice."""
        self._display.close()

    def _bind(self, kind: Interface) -> Proxy:
        bound = self._display.bind(kind)
        if bound is None:
            raise StylizerError(f"the compositor has no {kind.name}: use --source portal")
        return bound

    def _find_window(self, wanted: str) -> tuple[Proxy, str]:
        """By what sway tells of it, where sway runs, or by what every such compositor does."""
        there = self._listed()
        if sway.runs():
            place = sway.find(wanted)
            found = [one for one in there if place.toplevel and one.identifier == place.toplevel]
            found = found or [
                one for one in there if (one.title, one.app) == (place.title, place.app)
            ]
        else:
            kind, _, rest = wanted.partition(":")
            named = [one for one in there if kind == "class" and one.app.lower() == rest.lower()]
            found = named or [one for one in there if wanted.lower() in one.title.lower()]
        if not found:
            listed = "; ".join(map(str, there)) or "none"
            raise BadInput(f"no window matches {wanted!r}; there are: {listed}")
        return found[0].proxy, str(found[0])

    def _listed(self) -> list[Toplevel]:
        found: list[Toplevel] = []

        def add(proxy: Proxy) -> None:
            found.append(one := Toplevel(proxy))
            proxy.on(
                title=lambda text: setattr(one, "title", text),
                app_id=lambda text: setattr(one, "app", text),
                identifier=lambda text: setattr(one, "identifier", text),
            )

        self._bind(_toplevels()).on(toplevel=add)
        self._display.roundtrip()  # they are there
        self._display.roundtrip()  # and have told their names
        return [one for one in found if not own_windows.is_titled_ours(one.title)]

    def _ask(self, wanted: tuple[int, int, int, int]) -> None:
        frame: Proxy = self._session("create_frame")
        self._frame = frame
        frame.on(
            transform=self._on_transform, presentation_time=self._on_time, ready=self._on_ready,
            failed=self._on_failed,
        )  # fmt: skip
        if self._buffer is None or self._buffer.shape != wanted:
            if self._buffer is not None:
                self._buffer.close()
            self._buffer = SharedBuffer(self._shm, *wanted)
        frame("attach_buffer", self._buffer.proxy)
        frame("damage_buffer", 0, 0, *self._size)
        frame("capture")

    def _on_size(self, width: int, height: int) -> None:
        self._size = width, height

    def _on_format(self, kind: int) -> None:
        self._kinds.append(kind)

    def _on_done(self) -> None:
        known = [kind for kind in self._kinds if kind in ORDERS]
        if not known:
            raise StylizerError(
                f"the compositor's pictures have formats unknown to us ({self._kinds}): use "
                "--source portal"
            )
        width, height = self._size
        self._wanted = (known[0], width, height, width * 4) if width and height else None
        self._kinds = []

    def _on_transform(self, transform: int) -> None:
        self._transform = transform

    def _on_time(self, high: int, low: int, nanoseconds: int) -> None:
        self._at_s = shown_at_s(high, low, nanoseconds)

    def _on_ready(self) -> None:
        assert self._buffer is not None
        self._done, self.failures = self._buffer.copy(self._at_s, self._transform), 0
        self._end_frame()

    def _on_failed(self, reason: int) -> None:
        self.failures += reason != OTHER_BUFFER
        self._end_frame()

    def _on_stopped(self) -> None:
        self.ended = True

    def _end_frame(self) -> None:
        if self._frame is not None:
            self._frame.destroy()
        self._frame = None
