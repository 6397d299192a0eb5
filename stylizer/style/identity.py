"""Model "none": shows the source unchanged."""

from __future__ import annotations

import time

from stylizer.frame import Frame, StyledFrame
from stylizer.style.contract import Size


class IdentityStyle:
    """Styles nothing: the image is None, so what is shown is the source and only the source."""

    model = "none"
    model_bytes = 0
    provider = "none"
    provider_reason = "none: no model runs"
    resizable = None

    def __init__(self, frame_size: Size = (0, 0)) -> None:
        self.inference_size = frame_size

    def see(self, inference_size: Size | None) -> None:
        """Nothing sees anything."""

    def forget(self) -> None:
        """Nothing is remembered."""

    def warm_up(self, size: Size) -> None:
        """Nothing to warm up."""

    def style(self, frame: Frame) -> StyledFrame:
        """The frame with no styled image beside it."""
        self.inference_size = frame.size
        return StyledFrame(frame, None, self.model, 0.0, 0.0, time.perf_counter())

    def close(self) -> None:
        """Nothing to free."""
