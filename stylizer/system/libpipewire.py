"""libpipewire-0.3 by ctypes: the functions that it exports, and those behind its objects."""

from __future__ import annotations

import ctypes as c
from typing import Any

from stylizer.errors import StylizerError
from stylizer.system.foreign import Signatures, declare

_POINTER, _NUMBER = c.c_void_p, c.c_uint32
_SIGNATURES: Signatures = {
    "pw_thread_loop_new": (_POINTER, [c.c_char_p, _POINTER]),
    "pw_thread_loop_get_loop": (_POINTER, [_POINTER]),
    "pw_thread_loop_start": (c.c_int, [_POINTER]),
    "pw_thread_loop_stop": (None, [_POINTER]),
    "pw_thread_loop_destroy": (None, [_POINTER]),
    "pw_thread_loop_lock": (None, [_POINTER]),
    "pw_thread_loop_unlock": (None, [_POINTER]),
    "pw_context_new": (_POINTER, [_POINTER, _POINTER, c.c_size_t]),
    "pw_context_destroy": (None, [_POINTER]),
    "pw_context_connect": (_POINTER, [_POINTER, _POINTER, c.c_size_t]),
    "pw_context_connect_fd": (_POINTER, [_POINTER, c.c_int, _POINTER, c.c_size_t]),
    "pw_core_disconnect": (c.c_int, [_POINTER]),
    "pw_proxy_add_object_listener": (None, [_POINTER, _POINTER, _POINTER, _POINTER]),
    "pw_proxy_destroy": (None, [_POINTER]),
    "pw_properties_new_string": (_POINTER, [c.c_char_p]),
    "pw_stream_new": (_POINTER, [_POINTER, c.c_char_p, _POINTER]),
    "pw_stream_destroy": (None, [_POINTER]),
    "pw_stream_add_listener": (None, [_POINTER, _POINTER, _POINTER, _POINTER]),
    "pw_stream_connect": (c.c_int, [_POINTER, c.c_int, _NUMBER, c.c_int, _POINTER, _NUMBER]),
    "pw_stream_update_params": (c.c_int, [_POINTER, _POINTER, _NUMBER]),
    "pw_stream_dequeue_buffer": (_POINTER, [_POINTER]),
    "pw_stream_queue_buffer": (c.c_int, [_POINTER, _POINTER]),
    "pw_stream_get_time_n": (c.c_int, [_POINTER, _POINTER, c.c_size_t]),
    "pw_stream_flush": (c.c_int, [_POINTER, c.c_bool]),
    "pw_stream_is_driving": (c.c_bool, [_POINTER]),
    "pw_stream_trigger_process": (c.c_int, [_POINTER]),
}


def library() -> Any:
    """libpipewire-0.3 with the types of what is called. Raises StylizerError without it."""
    try:
        pw = c.CDLL("libpipewire-0.3.so.0")
    except OSError as error:
        raise StylizerError(
            "libpipewire is not installed, which brings a desktop's pictures: "
            "apt-get install libpipewire-0.3-0 (pipewire-libs on Fedora, libpipewire on Arch)"
        ) from error
    declare(pw, _SIGNATURES)
    pw.pw_init(None, None)
    return pw


class _Interface(c.Structure):
    """spa_interface, which every object begins with."""

    _fields_ = [("type", c.c_char_p), ("version", c.c_uint32), ("methods", c.c_void_p),
                ("data", c.c_void_p)]  # fmt: skip


def method(thing: int, number: int, result: Any, *arguments: Any) -> Any:
    """A method that the headers have as a macro: the `number`-th behind an object's version, from
    0, to be called with the arguments after the object."""
    of = _Interface.from_address(thing)
    address = c.c_void_p.from_address(of.methods + c.sizeof(c.c_void_p) * (number + 1)).value
    assert address, "every method is there"
    call = c.CFUNCTYPE(result, c.c_void_p, *arguments)(address)
    return lambda *values: call(of.data, *values)
