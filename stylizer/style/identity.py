"""Model "none": shows the source unchanged."""

from __future__ import annotations

import time
from typing import final

from stylizer.frame import Frame, StyledFrame
from stylizer.stages import StyleBackend
from stylizer.style.contract import Size


@final
class IdentityStyle(StyleBackend):
    """Styles nothing: the image is None, so what is shown is the source and only the source."""

    model = "none"
    model_bytes = 0
    provider = "none"
    provider_reason = "none: no model runs"

    def __init__(self, frame_size: Size = (0, 0)) -> None:
        self.inference_size = frame_size

    def style(self, frame: Frame) -> StyledFrame:
        """The frame with no styled image beside it."""
        self.inference_size = frame.size
        return StyledFrame(frame, None, self.model, 0.0, 0.0, time.perf_counter())

    def close(self) -> None:
        """Nothing to free."""
