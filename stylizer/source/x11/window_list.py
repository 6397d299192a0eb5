"""The windows that can be captured on X11, and the one that `--window` means."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from stylizer.errors import BadInput
from stylizer.system.x11 import INPUT_ONLY, IS_VIEWABLE, Display, Window

SMALLEST = 32  # pixels a side: below it are helper windows that nobody means
ICONIC = 3  # WM_STATE, ICCCM 4.1.3.1


@dataclass(frozen=True)
class WindowInfo:
    """One window. size: (width, height) in pixels; state: "visible", "minimised" (spelled as
    scripts read it from `windows --json`) or "hidden"; pid None where the window does not tell."""

    id: Window
    title: str
    window_class: str
    pid: int | None
    size: tuple[int, int]
    state: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON and the table; the id as X programs write it."""
        return {
            "id": f"0x{self.id:x}",
            "title": self.title,
            "class": self.window_class,
            "pid": self.pid,
            "size": list(self.size),
            "state": self.state,
        }

    def __str__(self) -> str:
        return f"0x{self.id:x} {self.title or self.window_class or 'untitled'!r}"


def list_windows(display: Display) -> list[WindowInfo]:
    """All windows a user would know, the most recently active first; without a manager too."""
    stacked = display.numbers(display.root, "_NET_CLIENT_LIST_STACKING")
    ids = stacked or display.numbers(display.root, "_NET_CLIENT_LIST") or top_windows(display)
    active = display.numbers(display.root, "_NET_ACTIVE_WINDOW")[:1]
    ids = active + [i for i in reversed(ids) if i not in active]
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


def describe(display: Display, window: Window) -> WindowInfo | None:
    """None when the window is gone."""
    attributes = display.attributes(window)
    if attributes is None:
        return None
    title = display.text(window, "_NET_WM_NAME") or display.text(window, "WM_NAME")
    window_class = display.text(window, "WM_CLASS").split("\0")[-1]
    pid = display.numbers(window, "_NET_WM_PID")
    state = "visible" if attributes.map_state == IS_VIEWABLE else "hidden"
    if state == "hidden" and display.numbers(window, "WM_STATE")[:1] == [ICONIC]:
        state = "minimised"
    size = (attributes.width, attributes.height)
    return WindowInfo(window, title, window_class, pid[0] if pid else None, size, state)


def matching(windows: list[WindowInfo], wanted: str) -> list[WindowInfo]:
    """Those that `--window` names: 0xID, pid:N, class:NAME, or a part of the title (any case).

    Raises BadInput for an id or pid that is no number.
    """
    kind, colon, rest = wanted.partition(":")
    try:
        if wanted.lower().startswith("0x"):
            return [w for w in windows if w.id == int(wanted, 16)]
        if colon and kind == "pid":
            return [w for w in windows if w.pid == int(rest)]
    except ValueError as error:
        raise BadInput(f"--window {wanted}: {rest or wanted!r} is no number") from error
    if colon and kind == "class":
        return [w for w in windows if w.window_class.lower() == rest.lower()]
    return [w for w in windows if wanted.lower() in w.title.lower()]


def find_window(display: Display, wanted: str) -> tuple[WindowInfo, str]:
    """The window meant, and in words why it and not another. Raises BadInput, listing what is."""
    windows = list_windows(display)
    found = matching(windows, wanted)
    if not found and wanted.lower().startswith("0x"):  # past the manager: in no list, yet there
        unlisted = describe(display, int(wanted, 16))
        found = [unlisted] if unlisted else []
    if not found:
        there = "; ".join(str(w) for w in windows) or "none"
        raise BadInput(f"no window matches {wanted!r}; there are: {there}")
    if len(found) == 1:
        return found[0], str(found[0])
    others = ", ".join(str(w) for w in found[1:])
    return found[0], f"{found[0]}, the most recently active of {len(found)} (others: {others})"
