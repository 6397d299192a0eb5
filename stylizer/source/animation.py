"""An animated picture (WebP, PNG, AVIF) read by Pillow, with the face of a `VideoFile`.

libavcodec 62.28 decodes no animated WebP, and leaves what is transparent to whoever shows it.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
from PIL import Image

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Size
from stylizer.source.picture_file import opened, over_black, shown_size
from stylizer.source.video_open import checked

SUFFIXES = (".webp", ".png", ".avif")
SHORTEST_MS, INSTEAD_MS = 10, 100  # browsers show a shorter frame, or one without a time, so long


class Animation:
    """The frames of one file, in order.

    frame_rate: frames a second, as the first frame's time has it. Raises BadInput when the file is
    no picture, or larger than can be shown.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = checked(path)
        self._opened = opened(self.path)
        self._picture = self._opened.__enter__()
        size = self._picture.size
        if shown_size(size) != size:
            self.close()
            raise BadInput(
                f"the animation {self.path} has {size[0]}x{size[1]} pixels, more than can be "
                "painted: scale it down first"
            )
        self.frame_rate: float | None = 1000 / self._duration_ms()

    def pictures(self) -> Generator[tuple[np.ndarray, float]]:
        """uint8 (height, width, 4) RGBA over black, and the time in seconds after the first.

        Raises StylizerError where the file is damaged, after all frames before that place.
        """
        time_ms = 0.0
        for number in range(getattr(self._picture, "n_frames", 1)):
            try:
                self._picture.seek(number)
                pixels = over_black(self._picture)
            except Exception as error:  # Pillow raises all kinds
                raise StylizerError(
                    f"{self.path} is damaged or cut off after frame {number - 1} "
                    f"({time_ms / 1000:.2f} s): repair it or convert it again"
                ) from error
            yield pixels, time_ms / 1000
            time_ms += self._duration_ms()

    def rgba(self, picture: np.ndarray) -> np.ndarray:
        """The frame itself."""
        return picture

    def shown_size(self, picture: np.ndarray) -> Size:
        """(width, height)."""
        return picture.shape[1], picture.shape[0]

    def remarks(self, _: np.ndarray) -> list[str]:
        """Nothing need be said of an animation."""
        return []

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._opened.__exit__(None, None, None)

    def _duration_ms(self) -> float:
        stated_ms = self._picture.info.get("duration", 0)
        return float(stated_ms) if stated_ms > SHORTEST_MS else INSTEAD_MS


def is_animation(path: Path) -> bool:
    """Whether a picture file holds more than one picture; False for what cannot be read."""
    try:
        with Image.open(path) as picture:
            return bool(getattr(picture, "is_animated", False))
    except Exception:  # Pillow raises all kinds; the source says what is wrong with it
        return False
