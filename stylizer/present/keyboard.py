"""Where signs lie on the X11 keyboard as it is: "[" is AltGr+8 on a German one."""

from __future__ import annotations

import ctypes as c
from dataclasses import dataclass

from stylizer.system.x11 import Display

CORE_KEYBOARD = 0x100  # XkbUseCoreKbd in XKB.h
# What is held for each of a key's four levels, on keyboards that have them.
LEVELS = ("", "shift", "altgr", "shift+altgr")

_PAGES = {1: "iso8859_2", 2: "iso8859_3", 3: "iso8859_4", 6: "koi8_r", 7: "iso8859_7"}
_PAGES |= {12: "iso8859_8", 13: "tis_620"}


@dataclass(frozen=True)
class Place:
    """A key, by what it gives alone, and what is held with it: ("8", "altgr")."""

    base: str
    held: str

    def __str__(self) -> str:
        return f"{self.held}+{self.base}" if self.held else self.base


def place_of(display: Display, keysym: int) -> Place | None:
    """Where a sign lies; None for one that the keyboard lacks, or that its key gives alone."""
    keycode = display.x.XKeysymToKeycode(display.pointer, keysym)
    if not keycode:
        return None
    group = c.create_string_buffer(32)  # XkbStateRec: the effective group comes first
    display.x.XkbGetState(display.pointer, CORE_KEYBOARD, group)
    signs = [
        display.x.XkbKeycodeToKeysym(display.pointer, keycode, group.raw[0], level)
        for level in range(len(LEVELS))
    ]
    if keysym not in signs[1:] or signs[0] == keysym:
        return None
    base = sign_of(signs[0])
    return Place(base, LEVELS[signs.index(keysym)]) if base else None


def sign_of(keysym: int) -> str:
    """The sign that a keysym stands for; "" for keys that give none (keysymdef.h).

    Letters that are older than Unicode there lie by the character sets of their time.
    """
    if (page := _PAGES.get(keysym >> 8)) and keysym & 0xFF >= 0xA1:
        return bytes([keysym & 0xFF]).decode(page, errors="ignore")
    if 0x21 <= keysym <= 0x7E or 0xA1 <= keysym <= 0xFF:
        return chr(keysym)
    return chr(keysym - 0x1000000) if keysym > 0x1000000 else ""
