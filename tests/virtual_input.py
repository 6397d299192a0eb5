"""A mouse and a keyboard for a compositor without them, by the virtual-pointer and virtual-keyboard
protocols, version 1 of each."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from stylizer.system.wayland import Display
from stylizer.system.wayland_library import core, interface

LEFT = 0x110  # BTN_LEFT of linux/input-event-codes.h
KEYS = {"c": 46, "x": 45, "h": 35, "escape": 1, "ctrl": 29, "alt": 56, "f9": 67}  # the same
MODIFIERS = {"ctrl": 4, "alt": 8}  # bits of the keymap below
XKB_V1 = 1
KEYMAP = """xkb_keymap { xkb_keycodes { include "evdev+aliases(qwerty)" };
xkb_types { include "complete" }; xkb_compatibility { include "complete" };
xkb_symbols { include "pc+us+inet(evdev)" }; };"""

POINTER = interface(
    "zwlr_virtual_pointer_v1", 1,
    [("motion", "uff", []), ("motion_absolute", "uuuuu", []), ("button", "uuu", []),
     ("axis", "uuf", []), ("frame", "", [])],
)  # fmt: skip
POINTERS = interface(
    "zwlr_virtual_pointer_manager_v1", 1,
    [("create_virtual_pointer", "?on", [core("wl_seat"), POINTER]), ("destroy", "", [])],
)  # fmt: skip
KEYBOARD = interface(
    "zwp_virtual_keyboard_v1", 1,
    [("keymap", "uhu", []), ("key", "uuu", []), ("modifiers", "uuuu", [])],
)  # fmt: skip
KEYBOARDS = interface(
    "zwp_virtual_keyboard_manager_v1", 1,
    [("create_virtual_keyboard", "on", [core("wl_seat"), KEYBOARD])],
)  # fmt: skip


class Hands:
    """One mouse and one keyboard with the US layout."""

    def __init__(self, display: Display) -> None:
        pointers, keyboards = display.bind(POINTERS), display.bind(KEYBOARDS)
        seat = display.bind(core("wl_seat"))
        assert pointers
        assert keyboards
        self._display = display
        self._pointer = pointers("create_virtual_pointer", None)
        self._keyboard = keyboards("create_virtual_keyboard", seat)
        text = KEYMAP.encode() + b"\0"
        fd = os.memfd_create("keymap")
        os.write(fd, text)
        self._keyboard("keymap", XKB_V1, fd, len(text))
        os.close(fd)
        display.roundtrip()

    def move(self, x: int, y: int, size: tuple[int, int]) -> None:
        """To a place on all of the outputs, which have this size together."""
        self._pointer("motion_absolute", self._now(), x, y, *size)
        self._done()

    def click(self) -> None:
        for state in (1, 0):
            self._pointer("button", self._now(), LEFT, state)
            self._done()

    def press(self, combination: str) -> None:
        """As "ctrl+alt+c"."""
        *modifiers, key = combination.split("+")
        held = sum(MODIFIERS[name] for name in modifiers)
        for name in modifiers:
            self._key(name, 1)
        self._keyboard("modifiers", held, 0, 0, 0)
        self._key(key, 1)
        time.sleep(0.05)
        self._key(key, 0)
        for name in modifiers:
            self._key(name, 0)
        self._keyboard("modifiers", 0, 0, 0, 0)
        self._display.roundtrip()

    def _key(self, name: str, state: int) -> None:
        self._keyboard("key", self._now(), KEYS[name], state)
        self._display.roundtrip()

    def _done(self) -> None:
        self._pointer("frame")
        self._display.roundtrip()

    def _now(self) -> int:
        return int(time.monotonic() * 1000) & 0xFFFFFFFF


@contextmanager
def hands(name: str) -> Iterator[Hands]:
    """On the compositor of this socket; gone with the block."""
    display = Display(name)
    try:
        yield Hands(display)
    finally:
        display.close()
