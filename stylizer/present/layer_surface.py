"""wlr-layer-shell (versions 1 to 4): a surface over all windows of a monitor, through which clicks
go. https://wayland.app/protocols/wlr-layer-shell-unstable-v1
"""

from __future__ import annotations

from functools import partial

from stylizer.errors import BadInput
from stylizer.frame import Rect, UiEvent
from stylizer.system.wayland import Display, Proxy
from stylizer.system.wayland_library import Interface, core, interface

OVERLAY, ALL_EDGES, UNDER_PANELS = 3, 0b1111, -1
BUTTONS = {0x110: 0, 0x111: 1, 0x112: 2}  # linux/input-event-codes.h: left, right, middle
MOUSE = 1  # wl_seat.capability
NOTCH = 15.0  # what compositors give for one of a wheel
NO_LAYERS = (
    "this desktop lets no program lie over a game and let its input through (no wlr-layer-shell; "
    "GNOME has none): show the picture in a window beside it, or start the game as an X11 program "
    "and use --window NAME --present overlay"
)


def _protocol() -> Interface:
    surface = interface(
        "zwlr_layer_surface_v1", 4,
        [("set_size", "uu", []), ("set_anchor", "u", []), ("set_exclusive_zone", "i", []),
         ("set_margin", "iiii", []), ("set_keyboard_interactivity", "u", []),
         ("get_popup", "o", []), ("ack_configure", "u", []), ("destroy", "", []),
         ("set_layer", "2u", [])],
        [("configure", "uuu"), ("closed", "")],
    )  # fmt: skip
    return interface(
        "zwlr_layer_shell_v1", 4,
        [("get_layer_surface", "no?ous", [surface, core("wl_surface"), core("wl_output")]),
         ("destroy", "3", [])],
    )  # fmt: skip


class LayerSurface:
    """Over all of the monitor that the compositor chooses, the one in use. One thread.

    size: (width, height) in pixels; scale: pixels of a unit of the desktop's. Raises BadInput where
    the compositor has no layers, StylizerError without one.
    """

    def __init__(self) -> None:
        self.display = Display()
        try:
            layers = self.display.bind(_protocol())
            if layers is None:
                raise BadInput(NO_LAYERS)
            self._open(layers)
        except BaseException:
            self.display.close()
            raise

    def _open(self, layers: Proxy) -> None:
        display = self.display
        self._units, self.scale, self.is_closed = (0, 0), 1, False
        self._events: list[UiEvent] = []
        self._at = (0.0, 0.0)
        self._scales: dict[Proxy, int] = {}
        self._output: Proxy | None = None
        for number in display.all_of("wl_output"):
            if output := display.bind(core("wl_output"), number):
                output.on(scale=partial(self._rescale, output))
        compositor = display.bind(core("wl_compositor"))
        assert compositor is not None, "every compositor is one"
        self._compositor = compositor
        self.surface: Proxy = compositor("create_surface")
        self.surface.on(enter=self._enter)
        self._layer = layers("get_layer_surface", self.surface, None, OVERLAY, "stylizer")
        self._layer.on(configure=self._configure, closed=self._close)
        self._layer("set_anchor", ALL_EDGES)
        self._layer("set_exclusive_zone", UNDER_PANELS)
        self.take_mouse(None)
        self.surface("commit")
        self._mouse: Proxy | None = None
        if seat := display.bind(core("wl_seat"), version=1):
            seat.on(capabilities=partial(self._listen, seat))
        display.roundtrip()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self._units[0] * self.scale, self._units[1] * self.scale

    def take_mouse(self, area: Rect | None) -> None:
        """Clicks into this part of the surface are its own from the next picture on; None: all go
        through."""
        region = self._compositor("create_region")
        if area is not None:
            x, y, width, height = (
                side // self.scale for side in (area.x, area.y, area.width, area.height)
            )
            region("add", x, y, width, height)
        self.surface("set_input_region", region)
        region.destroy()

    def take_events(self) -> list[UiEvent]:
        """What the mouse did there since the last call."""
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Take it off the screen; may be called twice."""
        self.display.close()

    def _configure(self, serial: int, width: int, height: int) -> None:
        self._layer("ack_configure", serial)
        self._units = (width, height)

    def _close(self) -> None:
        self.is_closed = True

    def _enter(self, output: Proxy | None) -> None:
        """On this monitor now."""
        if output is not None:
            self._output = output
            self._rescale(output, self._scales.get(output, 1))

    def _rescale(self, output: Proxy, scale: int) -> None:
        self._scales[output] = scale
        if output is self._output:
            self.scale = scale
            self.surface("set_buffer_scale", scale)

    def _listen(self, seat: Proxy, kinds: int) -> None:
        """A mouse was plugged in, or the last one out."""
        if kinds & MOUSE and self._mouse is None:
            mouse: Proxy = seat("get_pointer")
            self._mouse = mouse.on(
                enter=lambda serial, surface, x, y: self._move(x, y),
                motion=lambda time_ms, x, y: self._move(x, y),
                button=self._button, axis=self._axis,
            )  # fmt: skip
        elif not kinds & MOUSE and self._mouse is not None:
            self._mouse.destroy("")  # version 1 knows no release
            self._mouse = None

    def _move(self, x: float, y: float) -> None:
        self._at = (x * self.scale, y * self.scale)
        self._events.append(UiEvent("move", *self._at))

    def _button(self, serial: int, time_ms: int, button: int, state: int) -> None:
        if button in BUTTONS:
            event = UiEvent("button", *self._at, number=BUTTONS[button], down=bool(state))
            self._events.append(event)

    def _axis(self, time_ms: int, axis: int, value: float) -> None:
        notches = -value / NOTCH
        x, y = (0.0, notches) if axis == 0 else (notches, 0.0)
        self._events.append(UiEvent("wheel", x, y))
