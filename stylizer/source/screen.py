"""A part of the screen, by python-mss: whatever is seen there, other windows and our own too.

The stated second choice where a window cannot be captured by itself; nothing takes it silently.
"""

from __future__ import annotations

import sys
import time
from typing import Any, final

import mss
import numpy as np
from mss.exception import ScreenShotError

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, InputState, Rect
from stylizer.settings import Settings
from stylizer.stages import Source
from stylizer.system.installed import SCREEN_LIBRARIES

PERIOD_S = 1 / 60  # a screen says nothing of new pictures: it is looked at this often
STILL_PERIOD_S = 1 / 20  # and this often once nothing has changed for STILL_AFTER_S
STILL_AFTER_S = 1.0
WAIT_S = 0.015  # longest wait of one read

Box = dict[str, int]  # left, top, width, height in screen pixels


def open_screen() -> Any:
    """An mss.MSS. Raises StylizerError, with the line that installs what it lacks."""
    try:
        return mss.MSS()
    except ScreenShotError as error:
        why = str(error)
        fix = f": {SCREEN_LIBRARIES}" if "Library" in why else ""  # one of several is named
        raise StylizerError(f"the screen cannot be captured: {why}{fix}") from error


@final
class ScreenSource(Source):
    """Newest picture of `settings.region` of `settings.monitor` (all of it without a region), BGRA.

    Without a monitor the region lies on the whole screen, and no region means monitor 1. A picture
    equal to the last one is no frame. Raises BadInput for a monitor or region that is not there,
    StylizerError when there is no screen; `read` raises StylizerError when the screen goes away.
    """

    sees_all = True

    def __init__(self, settings: Settings) -> None:
        self._mss = open_screen()
        try:
            self._box, where = choose_box(self._mss.monitors, settings.region, settings.monitor)
        except BaseException:
            self.close()
            raise
        self.size = (self._box["width"], self._box["height"])
        if sys.platform.startswith("linux"):
            self.area = Rect(self._box["left"], self._box["top"], *self.size)
        self.capture_method = f"screen (mss): {where}"
        self._last = bytearray()
        self._number = 0
        self._due = self._changed_at = time.perf_counter()

    def read(self, inputs: InputState) -> Frame | None:
        """See stages.Source.read: None while the picture is the last one."""
        now = time.perf_counter()
        if now < self._due:
            time.sleep(min(self._due - now, WAIT_S))
            if time.perf_counter() < self._due:
                return None
        captured_at = time.perf_counter()
        shot = self._grab()
        # The whole is compared, not a hash: memcmp of 1280x720 takes 0.2 ms and never errs.
        changed = shot.raw != self._last
        self._changed_at = captured_at if changed else self._changed_at
        is_still = captured_at - self._changed_at > STILL_AFTER_S
        self._due = max(self._due + PERIOD_S, captured_at)
        if is_still:
            self._due = captured_at + STILL_PERIOD_S
        if not changed:
            return None
        self._last = shot.raw  # a bytearray of its own for each grab: nothing overwrites it
        self.size = (shot.size.width, shot.size.height)
        pixels = np.frombuffer(shot.raw, np.uint8).reshape(self.size[1], self.size[0], 4)
        self._number += 1
        return Frame(pixels, "BGRA", captured_at, self._number - 1)

    def close(self) -> None:
        """Let the screen go; may be called twice."""
        self._mss.close()

    def _grab(self) -> Any:
        try:
            return self._mss.grab(self._box)
        except ScreenShotError:
            return self._grab_anew()

    def _grab_anew(self) -> Any:
        """Its memory has the size of the screen as it was: open it again after a change of it."""
        self._mss.close()
        try:
            self._mss = mss.MSS()
            return self._mss.grab(self._box)
        except ScreenShotError as error:
            box = self._box
            place = f"{box['left']},{box['top']},{box['width']},{box['height']}"
            raise StylizerError(
                f"the region {place} of the screen can no longer be captured ({error}); "
                "start again with a --region that is on it"
            ) from error


def choose_box(
    monitors: list[dict[str, Any]], region: tuple[int, int, int, int] | None, monitor: int | None
) -> tuple[Box, str]:
    """The part of the screen that is meant, and that part in words.

    monitors: as mss gives them, all together first. Raises BadInput, listing what there is.
    """
    there = "; ".join(f"{n}: {describe(m)}" for n, m in enumerate(monitors) if n)
    if monitor is not None and not 1 <= monitor < len(monitors):
        raise BadInput(f"there is no monitor {monitor}; there are: {there or 'none'}")
    if region is None:
        number = monitor or 1
        if number >= len(monitors):
            raise BadInput("no monitor is connected")
        return box_of(monitors[number]), f"monitor {number}, {describe(monitors[number])}"
    area = monitors[monitor or 0]
    x, y, width, height = region
    origin = (area["left"], area["top"]) if monitor else (0, 0)
    box = {"left": origin[0] + x, "top": origin[1] + y, "width": width, "height": height}
    if not is_inside(box, area):
        name = f"monitor {monitor}" if monitor else "the screen"
        raise BadInput(
            f"--region {x},{y},{width},{height} leaves {name} ({describe(area)}); "
            f"the monitors are: {there}"
        )
    return box, f"region {describe(box)}" + (f" of monitor {monitor}" if monitor else "")


def box_of(monitor: dict[str, Any]) -> Box:
    """Place and size alone."""
    return {name: int(monitor[name]) for name in ("left", "top", "width", "height")}


def describe(box: dict[str, Any]) -> str:
    """1280x720 at 0,0"""
    return f"{box['width']}x{box['height']} at {box['left']},{box['top']}"


def is_inside(box: Box, area: dict[str, Any]) -> bool:
    """Whether all of the box lies on the whole."""
    right, bottom = area["left"] + area["width"], area["top"] + area["height"]
    return (
        box["left"] >= area["left"]
        and box["top"] >= area["top"]
        and box["left"] + box["width"] <= right
        and box["top"] + box["height"] <= bottom
    )
