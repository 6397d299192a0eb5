"""Which font of the system has a sign, by fontconfig: what desktops show such text with."""

from __future__ import annotations

import ctypes as c
from ctypes.util import find_library
from functools import cache
from typing import NamedTuple


class FontFile(NamedTuple):
    """number: of the font in a file that holds several."""

    path: str
    number: int


def font_with(sign: str) -> FontFile | None:
    """A font without serifs, in outlines, that has this character, the one for the user's language
    first; None: there is none here, or no fontconfig."""
    library = _library()
    if library is None:
        return None
    wanted = library.FcNameParse(f"sans:charset={ord(sign):x}:color=false:scalable=true".encode())
    library.FcConfigSubstitute(None, wanted, 0)
    library.FcDefaultSubstitute(wanted)
    found = library.FcFontMatch(None, wanted, c.byref(c.c_int()))
    library.FcPatternDestroy(wanted)
    if not found:
        return None
    try:
        return _file(library, found, sign)
    finally:
        library.FcPatternDestroy(found)


def _file(library: c.CDLL, found: int, sign: str) -> FontFile | None:
    """The best match may still lack the sign: then no font has it."""
    path, number = c.c_char_p(), c.c_int()
    signs, colored, scalable = c.c_void_p(), c.c_int(), c.c_int(1)
    library.FcPatternGetCharSet(found, b"charset", 0, c.byref(signs))
    library.FcPatternGetBool(found, b"color", 0, c.byref(colored))
    library.FcPatternGetBool(found, b"scalable", 0, c.byref(scalable))
    library.FcPatternGetString(found, b"file", 0, c.byref(path))
    library.FcPatternGetInteger(found, b"index", 0, c.byref(number))
    has = signs.value and library.FcCharSetHasChar(signs, ord(sign))
    if not has or colored.value or not scalable.value or path.value is None:
        return None
    return FontFile(path.value.decode(errors="surrogateescape"), number.value & 0xFFFF)


@cache
def _library() -> c.CDLL | None:
    try:
        library = c.CDLL(find_library("fontconfig") or "libfontconfig.so.1")
    except OSError:
        return None
    pointer, name = c.c_void_p, c.c_char_p
    calls = {
        "FcNameParse": (pointer, name),
        "FcConfigSubstitute": (c.c_int, pointer, pointer, c.c_int),
        "FcDefaultSubstitute": (None, pointer),
        "FcFontMatch": (pointer, pointer, pointer, pointer),
        "FcPatternDestroy": (None, pointer),
        "FcPatternGetCharSet": (c.c_int, pointer, name, c.c_int, pointer),
        "FcPatternGetBool": (c.c_int, pointer, name, c.c_int, pointer),
        "FcPatternGetString": (c.c_int, pointer, name, c.c_int, pointer),
        "FcPatternGetInteger": (c.c_int, pointer, name, c.c_int, pointer),
        "FcCharSetHasChar": (c.c_int, pointer, c.c_uint32),
    }
    for call, (result, *arguments) in calls.items():
        function = getattr(library, call)
        function.restype, function.argtypes = result, arguments
    return library if library.FcInit() else None
