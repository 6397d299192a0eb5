"""What a source gives, read to its end."""

from __future__ import annotations

import numpy as np
import pytest

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import IDLE, Frame
from stylizer.stages import Source, SourceEnded


def frames_of(source: Source, limit: int = 1000) -> list[Frame]:
    """Reads to the end (or the limit) and closes."""
    frames: list[Frame] = []
    try:
        while len(frames) < limit:
            frame = source.read(IDLE)
            if frame is not None:
                frames.append(frame)
    except SourceEnded:
        pass
    finally:
        source.close()
    return frames


def frames_before_error(source: Source) -> tuple[list[Frame], str]:
    frames: list[Frame] = []
    with pytest.raises(StylizerError) as caught:  # noqa: PT012  the loop is what is tested
        while True:
            frame = source.read(IDLE)
            assert frame is not None
            frames.append(frame)
    source.close()
    assert not isinstance(caught.value, BadInput)
    return frames, str(caught.value)


def off(frame: Frame, color: tuple[int, int, int]) -> int:
    """Largest difference of any pixel from one color."""
    return int(np.abs(frame.rgb().astype(int) - color).max())
