"""A connection to a Wayland compositor and its objects, whose requests and events are called by
their names; see `wayland_library` for what they are made of.
"""

from __future__ import annotations

import ctypes as c
import os
import select
import time
from collections.abc import Callable
from typing import Any

from stylizer.errors import StylizerError
from stylizer.system.wayland_library import (
    DISPATCHER,
    Argument,
    Interface,
    InterfaceStruct,
    core,
    letters_of,
    library,
)

Handlers = dict[str, Callable[..., object]]


class Proxy:
    """An object of the compositor's, by its address. Made by `Display` and by requests."""

    def __init__(self, display: Display, pointer: int, kind: Interface) -> None:
        self.display, self.pointer, self.kind = display, pointer, kind
        display.objects[pointer] = self
        self._handlers: Handlers = {}

    def __call__(self, request: str, *values: Any) -> Any:
        """Send a request; returns the object it makes, if it makes one."""
        opcode = self.kind.opcodes[request]
        letters, made = self.kind.request(opcode)
        given = iter(values)
        arguments = (Argument * max(1, len(letters)))()
        for at, letter in enumerate(letters):
            if letter != "n":
                _put(arguments[at], letter, next(given))
        if made is None:
            library().wl_proxy_marshal_array(self.pointer, opcode, arguments)
            return None
        version = library().wl_proxy_get_version(self.pointer)
        pointer = library().wl_proxy_marshal_array_constructor_versioned(
            self.pointer, opcode, arguments, made, version
        )
        return Proxy(self.display, pointer, self.display.kind_at(made))

    def on(self, **handlers: Callable[..., object]) -> Proxy:
        """Call these on its events, with their arguments; others are passed over."""
        if not self._handlers:
            library().wl_proxy_add_dispatcher(self.pointer, self.display.dispatcher, None, None)
        self._handlers |= handlers
        return self

    def handle(self, event: str, values: list[Any]) -> None:
        handler = self._handlers.get(event)
        if handler is not None:
            handler(*values)

    def destroy(self, request: str = "destroy") -> None:
        """Say goodbye by this request, if it has it, and forget the object; may be called twice."""
        if self.pointer and self.display.pointer:
            if request in self.kind.opcodes:
                self(request)
            self.display.objects.pop(self.pointer, None)
            library().wl_proxy_destroy(self.pointer)
        self.pointer = 0


class Display:
    """A connection to a compositor. One thread.

    name: as WAYLAND_DISPLAY has it, which is taken without one. Raises StylizerError where there is
    no compositor; `read` and `roundtrip` do when it ended or refused something.
    """

    def __init__(self, name: str | None = None) -> None:
        self.objects: dict[int, Proxy] = {}
        self._kinds: dict[int, Interface] = {}
        self.dispatcher = DISPATCHER(self._dispatch)
        self._failure: BaseException | None = None
        self.pointer = None
        places = name, *map(os.environ.get, ("WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"))
        # Without such a place the library would say so in its own words, too.
        if "WAYLAND_SOCKET" in os.environ or any(p and p.startswith("/") for p in places):
            self.pointer = library().wl_display_connect(name.encode() if name else None)
        if not self.pointer:
            raise StylizerError(
                "there is no Wayland compositor: set WAYLAND_DISPLAY and XDG_RUNTIME_DIR as in the "
                "desktop's own terminal"
            )
        self._display = Proxy(self, self.pointer, core("wl_display"))
        self.globals: dict[int, tuple[str, int]] = {}  # name (a number) -> interface, version
        self.registry = self._display("get_registry").on(
            **{"global": self._add_global, "global_remove": lambda n: self.globals.pop(n, None)}
        )
        self.roundtrip()

    def bind(self, kind: Interface, number: int | None = None, version: int = 99) -> Proxy | None:
        """The compositor's object of this kind, the first or the one of this number; None: it has
        none."""
        for name, (what, offered) in sorted(self.globals.items()):
            if what == kind.name and number in (None, name):
                version = min(version, offered, kind.version)
                arguments = (Argument * 4)()
                for at, (letter, value) in enumerate(
                    zip("usu", (name, what, version), strict=True)
                ):
                    _put(arguments[at], letter, value)
                pointer = library().wl_proxy_marshal_array_constructor_versioned(
                    self.registry.pointer, 0, arguments, c.addressof(kind.struct), version
                )
                self._kinds[c.addressof(kind.struct)] = kind
                return Proxy(self, pointer, kind)
        return None

    def version_of(self, proxy: Proxy) -> int:
        """The version that an object was bound with."""
        return library().wl_proxy_get_version(proxy.pointer)

    def all_of(self, name: str) -> list[int]:
        """The numbers of the compositor's objects of an interface, for `bind`."""
        return sorted(n for n, (what, _) in self.globals.items() if what == name)

    def kind_at(self, address: int) -> Interface:
        """The interface at an address, ours or libwayland's."""
        if address not in self._kinds:
            self._kinds[address] = Interface(InterfaceStruct.from_address(address))
        return self._kinds[address]

    def roundtrip(self) -> None:
        """Until all that was asked is answered."""
        self._check(library().wl_display_roundtrip(self.pointer))

    def read(self, timeout_s: float = 0.0) -> None:
        """Send what waits, and handle the events that come within this time, back at the first."""
        wl = library()
        deadline = time.monotonic() + timeout_s
        while wl.wl_display_prepare_read(self.pointer) != 0:
            self._check(wl.wl_display_dispatch_pending(self.pointer))
            deadline = 0.0  # something was handled
        wl.wl_display_flush(self.pointer)
        wait_s = max(0.0, deadline - time.monotonic())
        if select.select([wl.wl_display_get_fd(self.pointer)], [], [], wait_s)[0]:
            self._check(wl.wl_display_read_events(self.pointer))
        else:
            wl.wl_display_cancel_read(self.pointer)
        self._check(wl.wl_display_dispatch_pending(self.pointer))

    def close(self) -> None:
        """Disconnect; the compositor frees all objects. May be called twice."""
        if self.pointer:
            wl = library()
            for proxy in list(self.objects.values()):
                if proxy.pointer != self.pointer:
                    wl.wl_proxy_destroy(proxy.pointer)
                proxy.pointer = 0
            self.objects.clear()
            wl.wl_display_disconnect(self.pointer)
            self.pointer = 0

    def _add_global(self, number: int, name: str, version: int) -> None:
        self.globals[number] = (name, version)

    def _dispatch(self, _: int, target: int, opcode: int, message: Any, arguments: Any) -> int:
        proxy = self.objects.get(target)
        if proxy is None:
            return 0
        event = message.contents
        kinds = c.cast(event.types, c.POINTER(c.c_void_p))
        values = [
            self._get(arguments[at], letter, kinds[at] if letter == "n" else None)
            for at, letter in enumerate(letters_of(event))
        ]
        try:
            proxy.handle(event.name.decode(), values)
        except BaseException as error:  # C cannot carry it
            self._failure = self._failure or error
        return 0

    def _get(self, argument: Argument, letter: str, kind: int | None) -> Any:
        if letter == "n" and argument.o and kind:
            return Proxy(self, argument.o, self.kind_at(kind))
        if letter in "so":
            if letter == "s":
                return (argument.s or b"").decode(errors="replace")
            return self.objects.get(argument.o or 0)
        if letter == "f":
            return argument.i / 256
        return argument.i if letter in "ih" else argument.u

    def _check(self, result: int) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if result < 0:
            code = library().wl_display_get_error(self.pointer)
            raise StylizerError(f"the Wayland compositor ended the connection (error {code})")


def _put(argument: Any, letter: str, value: Any) -> None:
    if letter == "s":
        argument.s = None if value is None else value.encode()
    elif letter == "o":
        argument.o = value.pointer if value is not None else None
    elif letter == "f":
        argument.i = round(value * 256)
    elif letter in "ih":
        argument.i = value
    else:
        argument.u = value
