"""libwayland-client by ctypes: its functions, and what interfaces are, ours described as its own.

How a request's arguments are passed is read from libwayland's description (`struct wl_interface`),
given by the library for the core protocol and by `interface` for others. See
https://wayland.freedesktop.org/docs/html/apb.html and wayland-util.h.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Sequence
from functools import cache
from typing import Any

from stylizer.errors import StylizerError
from stylizer.system.foreign import Signatures, declare


class Message(c.Structure):
    """wl_message"""

    _fields_ = [("name", c.c_char_p), ("signature", c.c_char_p), ("types", c.c_void_p)]


class InterfaceStruct(c.Structure):
    """wl_interface"""

    _fields_ = [
        ("name", c.c_char_p), ("version", c.c_int),
        ("method_count", c.c_int), ("methods", c.POINTER(Message)),
        ("event_count", c.c_int), ("events", c.POINTER(Message)),
    ]  # fmt: skip


class Argument(c.Union):
    """wl_argument"""

    _fields_ = [("i", c.c_int32), ("u", c.c_uint32), ("s", c.c_char_p), ("o", c.c_void_p)]


DISPATCHER = c.CFUNCTYPE(
    c.c_int, c.c_void_p, c.c_void_p, c.c_uint32, c.POINTER(Message), c.POINTER(Argument)
)
_POINTER, _NUMBER = c.c_void_p, c.c_uint32
_SIGNATURES: Signatures = {
    "wl_display_connect": (_POINTER, [c.c_char_p]),
    "wl_display_disconnect": (None, [_POINTER]),
    "wl_display_get_fd": (c.c_int, [_POINTER]),
    "wl_display_get_error": (c.c_int, [_POINTER]),
    "wl_display_flush": (c.c_int, [_POINTER]),
    "wl_display_roundtrip": (c.c_int, [_POINTER]),
    "wl_display_dispatch_pending": (c.c_int, [_POINTER]),
    "wl_display_prepare_read": (c.c_int, [_POINTER]),
    "wl_display_read_events": (c.c_int, [_POINTER]),
    "wl_display_cancel_read": (None, [_POINTER]),
    "wl_proxy_destroy": (None, [_POINTER]),
    "wl_proxy_get_version": (_NUMBER, [_POINTER]),
    "wl_proxy_marshal_array": (None, [_POINTER, _NUMBER, _POINTER]),
    "wl_proxy_marshal_array_constructor_versioned": (
        _POINTER, [_POINTER, _NUMBER, _POINTER, _POINTER, _NUMBER]),
    "wl_proxy_add_dispatcher": (c.c_int, [_POINTER, DISPATCHER, _POINTER, _POINTER]),
}  # fmt: skip


class Interface:
    """A wl_interface: its requests and events by name."""

    def __init__(self, struct: InterfaceStruct, keep: object = None) -> None:
        self.struct, self._keep = struct, keep  # the struct points into what is kept
        self.name = struct.name.decode()
        self.version = struct.version
        self.opcodes = {struct.methods[i].name.decode(): i for i in range(struct.method_count)}

    def request(self, opcode: int) -> tuple[str, int | None]:
        """(its arguments' letters, address of the interface of the object it makes)."""
        message = self.struct.methods[opcode]
        letters = letters_of(message)
        if "n" not in letters:
            return letters, None
        types = c.cast(message.types, c.POINTER(c.c_void_p))
        return letters, types[letters.index("n")]


def letters_of(message: Message) -> str:
    """A signature without versions and question marks, as in "iuo"."""
    return "".join(letter for letter in message.signature.decode() if letter in "iufsonah")


def interface(
    name: str,
    version: int,
    requests: list[tuple[str, str, list[Interface | None]]],
    events: Sequence[tuple[str, str] | tuple[str, str, list[Interface | None]]] = (),
) -> Interface:
    """Describe an interface as a protocol's XML does.

    requests: (name, signature, the interface of each object or new object among its arguments).
    events: the same; without the list where no new object is among the arguments.
    """
    keep: list[object] = []

    def messages(rows: list[tuple[str, str, list[Interface | None]]]) -> Any:
        array = (Message * max(1, len(rows)))()
        for i, (row, signature, kinds) in enumerate(rows):
            letters = [letter for letter in signature if letter in "iufsonah"]
            left = iter(kinds)
            types = (c.c_void_p * max(1, len(letters)))()
            for at, letter in enumerate(letters):
                kind = next(left, None) if letter in "on" else None
                types[at] = c.addressof(kind.struct) if kind else None
            keep.extend((types, kinds))
            array[i] = Message(row.encode(), signature.encode(), c.addressof(types))
        keep.append(array)
        return array

    rows = [(row[0], row[1], row[2] if len(row) == 3 else []) for row in events]
    struct = InterfaceStruct(
        name.encode(), version, len(requests), messages(requests), len(rows), messages(rows)
    )
    return Interface(struct, keep)


@cache
def core(name: str) -> Interface:
    """An interface of the core protocol, as "wl_surface"."""
    return Interface(InterfaceStruct.in_dll(library(), f"{name}_interface"))


@cache
def library() -> Any:
    """libwayland-client with the types of what is called. Raises StylizerError without it.

    The system's own, which Mesa uses, too: a wheel's copy cannot share objects with it.
    """
    try:
        wl = c.CDLL("libwayland-client.so.0")
    except OSError as error:
        raise StylizerError(
            "libwayland is not installed: apt-get install libwayland-client0"
        ) from error
    declare(wl, _SIGNATURES)
    return wl
