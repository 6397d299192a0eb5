"""Windows as old or unusual programs open them, by Xlib alone: border, depth, title, pid, past the
manager.

`odd_window.py '{"title": "T", ...}'` (see DEFAULTS); says its id when it is there. Its quarters
are red, green, blue and gray, within a white line along its edge; they are drawn again and again.
pieces: rectangles to draw instead, red.
"""

import ctypes as c
import json
import sys
import time
from ctypes.util import find_library

DEFAULTS = {
    "title": "odd", "latin1": False, "compound": "", "border": 0, "depth": 0, "pid": 0,
    "override": False,
    "size": [320, 200], "at": [40, 40], "pieces": None,
}  # fmt: skip
words = DEFAULTS | json.loads(sys.argv[1])
x = c.CDLL(find_library("X11"))
for name in ("XOpenDisplay", "XDefaultVisual", "XCreateGC"):
    getattr(x, name).restype = c.c_void_p
for name in ("XDefaultRootWindow", "XCreateWindow", "XInternAtom", "XCreateColormap"):
    getattr(x, name).restype = c.c_ulong
display = c.c_void_p(x.XOpenDisplay(None))
root = c.c_ulong(x.XDefaultRootWindow(display))
depth = words["depth"] or x.XDefaultDepth(display, 0)


class Attributes(c.Structure):
    """XSetWindowAttributes of Xlib.h."""

    _fields_ = [
        ("background_pixmap", c.c_ulong), ("background_pixel", c.c_ulong),
        ("border_pixmap", c.c_ulong), ("border_pixel", c.c_ulong), ("bit_gravity", c.c_int),
        ("win_gravity", c.c_int), ("backing_store", c.c_int), ("backing_planes", c.c_ulong),
        ("backing_pixel", c.c_ulong), ("save_under", c.c_int), ("event_mask", c.c_long),
        ("do_not_propagate_mask", c.c_long), ("override_redirect", c.c_int),
        ("colormap", c.c_ulong), ("cursor", c.c_ulong),
    ]  # fmt: skip


def pixel(red: int, green: int, blue: int) -> int:
    if depth == 30:
        return red * 1023 // 255 << 20 | green * 1023 // 255 << 10 | blue * 1023 // 255
    return red << 16 | green << 8 | blue


BACKGROUND, BORDER, OVERRIDE = 1 << 1, 1 << 3, 1 << 9
values = Attributes(border_pixel=pixel(255, 0, 255), override_redirect=int(words["override"]))
width, height = words["size"]
window = c.c_ulong(
    x.XCreateWindow(
        display, root, *words["at"], width, height, words["border"], depth, 1, None,
        c.c_ulong(BACKGROUND | BORDER | OVERRIDE), c.byref(values),
    )
)  # fmt: skip


def put(name: str, kind: int, bits: int, data: bytes, count: int) -> None:
    atom = c.c_ulong(x.XInternAtom(display, name.encode(), 0))
    x.XChangeProperty(display, window, atom, c.c_ulong(kind), bits, 0, data, count)


STRING, CARDINAL = 31, 6  # Xatom.h
if words["latin1"]:
    put("WM_NAME", STRING, 8, words["title"].encode("latin-1"), len(words["title"]))
elif words["compound"]:  # bytes in hexadecimal, as ISO 2022 has them
    text = bytes.fromhex(words["compound"])
    put("WM_NAME", x.XInternAtom(display, b"COMPOUND_TEXT", 0), 8, text, len(text))
else:
    text = words["title"].encode()
    put("_NET_WM_NAME", x.XInternAtom(display, b"UTF8_STRING", 0), 8, text, len(text))
if words["pid"]:
    put("_NET_WM_PID", CARDINAL, 32, bytes(c.c_ulong(words["pid"])), 1)
x.XMapRaised(display, window)
gc = c.c_void_p(x.XCreateGC(display, window, c.c_ulong(0), None))


def box(color: tuple[int, int, int], *place: int) -> None:
    x.XSetForeground(display, gc, c.c_ulong(pixel(*color)))
    x.XFillRectangle(display, window, gc, *place)


def draw_quarters() -> None:
    box((255, 255, 255), 0, 0, width, height)
    for number, color in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128))):
        half_w, half_h = width // 2 - 1, height // 2 - 1
        box(color, 1 + number % 2 * half_w, 1 + number // 2 * half_h, half_w, half_h)


said = False
while True:
    if words["pieces"] is None:
        draw_quarters()
    for piece in words["pieces"] or []:
        box((255, 0, 0), *piece)
        x.XSync(display, 0)  # else Xlib makes one request of them, which damages all around them
    x.XSync(display, 0)
    if not said:
        print(f"{window.value:#x}", flush=True)
        said = True
    time.sleep(0.05)
