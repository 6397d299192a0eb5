"""The windows that can be captured on X11, and the one that `--window` means."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from stylizer.errors import BadInput, printable
from stylizer.system import own_windows, sway
from stylizer.system.x11 import Display
from stylizer.system.xlib import INPUT_ONLY, IS_VIEWABLE, Window

SMALLEST = 32  # pixels a side: below it are helper windows that nobody means
PASSING = ("TOOLTIP", "MENU", "DROPDOWN_MENU", "POPUP_MENU", "COMBO", "DND", "NOTIFICATION")
ICONIC = 3  # WM_STATE, ICCCM 4.1.3.1


@dataclass(frozen=True)
class WindowInfo:
    """One window. size: (width, height) in pixels; state: "visible", "minimized" or
    "hidden"; pid None where the window does not tell."""

    id: Window
    title: str
    window_class: str
    pid: int | None
    size: tuple[int, int]
    state: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with "minimised" as scripts know it; the id as X programs write it."""
        return {
            "id": f"0x{self.id:x}",
            "title": self.title,
            "class": self.window_class,
            "pid": self.pid,
            "size": list(self.size),
            "state": "minimised" if self.state == "minimized" else self.state,
        }

    def __str__(self) -> str:
        return f"0x{self.id:x} {self.title or self.window_class or 'untitled'!r}"


def list_windows(display: Display) -> list[WindowInfo]:
    """All windows a user would know, the most recently active first; without a manager too."""
    stacked = display.numbers(display.root, "_NET_CLIENT_LIST_STACKING")
    ids = stacked or display.numbers(display.root, "_NET_CLIENT_LIST") or top_windows(display)
    active = display.numbers(display.root, "_NET_ACTIVE_WINDOW")[:1]
    ids = active + [i for i in reversed(ids) if i not in active]
    if stacked:
        ids += past_the_manager(display, ids)
    found = (describe(display, i) for i in ids)
    return [w for w in found if w is not None and min(w.size) >= SMALLEST and w.pid != os.getpid()]


def top_windows(display: Display) -> list[Window]:
    """Children of the root, bottom first: without a manager these are the programs' own."""
    found = []
    for window in display.children(display.root):
        attributes = display.attributes(window)
        if attributes and attributes.kind != INPUT_ONLY and attributes.map_state == IS_VIEWABLE:
            found.append(window)
    return found


def past_the_manager(display: Display, managed: list[Window]) -> list[Window]:
    """Override-redirect windows with a name, as old full-screen games open them, top first: the
    manager lists none of them. Menus and tooltips are of that kind, too, but say so."""
    frames = {display.top(window) for window in managed}
    passing = {display.atom(f"_NET_WM_WINDOW_TYPE_{kind}") for kind in PASSING}
    found = []
    for window in reversed(top_windows(display)):
        attributes = display.attributes(window)
        if attributes is None or not attributes.override_redirect or window in frames:
            continue
        named = display.text(window, "_NET_WM_NAME") or display.text(window, "WM_NAME")
        if named and not passing & set(display.numbers(window, "_NET_WM_WINDOW_TYPE")):
            found.append(window)
    return found


def describe(display: Display, window: Window) -> WindowInfo | None:
    """None when the window is gone."""
    attributes = display.attributes(window)
    if attributes is None:
        return None
    title = printable(display.text(window, "_NET_WM_NAME") or display.text(window, "WM_NAME"))
    window_class = printable(display.text(window, "WM_CLASS").split("\0")[-1])
    pid = display.numbers(window, "_NET_WM_PID")
    state = "visible" if attributes.map_state == IS_VIEWABLE else "hidden"
    if state == "hidden" and display.numbers(window, "WM_STATE")[:1] == [ICONIC]:
        state = "minimized"
    size = (attributes.width, attributes.height)
    return WindowInfo(window, title, window_class, pid[0] if pid else None, size, state)


def matching(windows: list[WindowInfo], wanted: str) -> list[WindowInfo]:
    """Those that `--window` names: 0xID, pid:N, class:NAME, or a part of the title (any case).

    A terminal shows the running command, and so the game's name, in its title: windows of the
    programs that started this one are not meant by a title. Raises BadInput for a pid that is no
    number and for an empty name.
    """
    kind, colon, rest = wanted.partition(":")
    if not wanted.strip() or (colon and kind in ("pid", "class") and not rest.strip()):
        raise BadInput(f"--window {wanted!r} names no window; see `stylizer windows`")
    if is_id(wanted) and (named := [w for w in windows if w.id == int(wanted, 16)]):
        return named
    if colon and kind == "pid":
        if not rest.strip().isdecimal():
            raise BadInput(f"--window {wanted}: {rest!r} is no number")
        return [w for w in windows if w.pid == int(rest)]
    if colon and kind == "class":
        return [w for w in windows if w.window_class.lower() == rest.lower()]
    started_us = own_windows.started_us()
    titled = [w for w in windows if wanted.lower() in w.title.lower() and w.pid not in started_us]
    # Another stylizer's title names its game, too.
    return [w for w in titled if not is_ours(w)] or titled


def is_ours(window: WindowInfo) -> bool:
    """Whether it is a stylizer's own: by its class, or by its title where that is another's."""
    return window.window_class == own_windows.NAME or own_windows.is_titled_ours(window.title)


def is_id(wanted: str) -> bool:
    """Whether a name may be a window's id; a title may look like one, too."""
    return re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", wanted.strip()) is not None


def native_windows() -> tuple[str, ...]:
    """What is to be said of Wayland's own windows, which X11 does not know; nothing on X11."""
    if not os.environ.get("WAYLAND_DISPLAY"):
        return ()
    if named := ", ".join(map(str, sway.natives())):
        return (f"native Wayland windows, by --source wlroots --window NAME: {named}",)
    return () if sway.runs() else ("native Wayland windows are not listed: --source portal",)


def find_window(display: Display, wanted: str) -> tuple[WindowInfo, str]:
    """The window meant, and in words why it and not another. Raises BadInput, listing what is."""
    windows = list_windows(display)
    found = matching(windows, wanted)
    if not found and is_id(wanted):  # past the manager: in no list, yet there
        unlisted = describe(display, int(wanted, 16))
        found = [unlisted] if unlisted else []
    if not found:
        there = ("; ".join(str(w) for w in windows) or "none", *native_windows())
        raise BadInput(f"no window matches {wanted!r}; there are: {'; '.join(there)}")
    if len(found) == 1:
        return found[0], str(found[0])
    others = ", ".join(str(w) for w in found[1:])
    return found[0], f"{found[0]}, the most recently active of {len(found)} (others: {others})"
