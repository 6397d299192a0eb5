# What stylizer uses of windows-capture 2.0.1 (MIT), as its wheel's windows_capture/__init__.py
# declares it: pyright then checks our file on systems that cannot install the package.
from collections.abc import Callable
from typing import Any

import numpy

class Frame:
    frame_buffer: numpy.ndarray
    width: int
    height: int
    timespan: int

class InternalCaptureControl:
    def stop(self) -> None: ...

class CaptureControl:
    def is_finished(self) -> bool: ...
    def wait(self) -> None: ...
    def stop(self) -> None: ...

class WindowsCapture:
    def __init__(
        self,
        cursor_capture: bool | None = True,
        draw_border: bool | None = None,
        secondary_window: bool | None = None,
        minimum_update_interval: int | None = None,
        dirty_region: bool | None = None,
        monitor_index: int | None = None,
        window_name: str | None = None,
        window_hwnd: int | None = None,
    ) -> None: ...
    def start_free_threaded(self) -> CaptureControl: ...
    def event(self, handler: Callable[..., Any]) -> Callable[..., Any]: ...
