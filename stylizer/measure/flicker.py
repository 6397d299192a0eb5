"""How still a model's picture holds: what changes in it beyond what changes in its source.

Recorded games are followed by optical flow in `following`. Here are four measures, each on styled
pictures from the model's real session, RMS in 0..1:
- warp error: the next styled frame, fetched along the demo scene's exact motion, against this one,
  over pixels that are seen in both (as Lai et al. 2018, with rendered motion for optical flow);
- shift error: the picture of a source shifted by whole pixels against the shifted picture;
- noise response: change of a still frame's picture when each value changes by -1, 0 or +1;
- still identity: largest change between two pictures of the very same frame.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stylizer.frame import IDLE, Frame
from stylizer.settings import Settings
from stylizer.source.demo.motion import bilinear, demo_moments, motion_between, picture
from stylizer.stages import PRESENTERS, SOURCES, SourceEnded, StyleBackend, open_backend

if TYPE_CHECKING:
    from stylizer.compose.compositor import Compositor

SHIFTS = ((1, 0), (2, 1), (3, 0), (5, 3), (7, 2))  # (x, y) pixels
BORDER = 40  # pixels left out of the shift error
ROOM = 8  # pixels a shifted picture is smaller than its source: no shift needs invented pixels
NOISE_PAIRS = 16

LEAD = 4  # frames shown before a measured pair when pictures have a past: stabilizer, canvas


@dataclass(frozen=True)
class Flicker:
    """One model's figures. Errors: RMS in 0..1; noise: 255ths; None where there is no motion."""

    frames: int
    warp_error: float | None
    untouched_warp_error: float | None
    shift_error: float
    noise_p99: float
    noise_mean: float
    still_difference: int

    def as_dict(self) -> dict[str, float | int | None]:
        """The figures by their names in the JSON, rounded."""
        return {
            key: None if value is None else round(value, 5) for key, value in vars(self).items()
        }


class Painter:
    """Pictures (uint8 RGB) as the program would show them one after another."""

    def __init__(self, backend: StyleBackend, settings: Settings) -> None:
        self.lead = LEAD if settings.stabilize or backend.carries else 0
        self._backend = backend
        self._compositor: Compositor | None = None
        if settings.stabilize:
            from stylizer.compose.compositor import Compositor

            self._presenter = open_backend(
                PRESENTERS, "presenter", "offscreen", settings, settings.size
            )
            self._compositor = Compositor(self._presenter.context, keep=settings.stabilize)

    def paint(self, source: np.ndarray) -> np.ndarray:
        """The picture shown for the next frame."""
        frame = Frame(np.ascontiguousarray(source), "RGB", time.perf_counter(), 0)
        image = self._backend.style(frame).image
        if self._compositor is not None:
            from stylizer.compose.compositor import Look

            with self._presenter.context:  # the demo scene has one of its own on this thread
                self._compositor.upload(frame, image)
                return self._compositor.render(Look())[..., :3]
        return source if image is None else image.rgb()

    def alone(self, source: np.ndarray) -> np.ndarray:
        """The picture shown for a frame that nothing came before."""
        self._backend.forget()
        if self._compositor is not None:
            self._compositor.forget()
        return self.paint(source)

    def close(self) -> None:
        if self._compositor is not None:
            with self._presenter.context:
                self._compositor.release()
            self._presenter.close()


def measure(backend: StyleBackend, settings: Settings, count: int) -> Flicker:
    """Figures of an open backend on `count` moments of `settings.source`, with the stabilizer if
    the settings have it.

    Raises BadInput or StylizerError from source and session.
    """
    painter = Painter(backend, settings)
    try:
        warps = list(warp_errors(painter, settings, count)) if settings.source == "demo" else []
        stills = list(still_frames(settings, count))
        noise = noise_changes(painter, stills[0], settings.seed)
        first = painter.alone(stills[0]).copy()
        return Flicker(
            count,
            rms([styled for styled, _ in warps]) if warps else None,
            rms([untouched for _, untouched in warps]) if warps else None,
            rms([shift_error(painter, still) for still in stills]),
            float(np.percentile(noise, 99)),
            float(noise.mean()),
            int(np.abs(painter.paint(stills[0]).astype(int) - first).max()),
        )
    finally:
        painter.close()


def rms(errors: list[float]) -> float:
    """Root mean square of root mean squares."""
    return float(np.sqrt(np.mean(np.square(errors))))


def still_frames(settings: Settings, count: int) -> Iterator[np.ndarray]:
    """RGB pictures of the source: spread over the demo's flight, else one a second or so."""
    if settings.source == "demo":
        yield from (picture(scene, n) for scene, n in demo_moments(settings, count))
        return
    source = open_backend(SOURCES, "source", settings.source, replace(settings, sync=True))
    taken = 0
    try:
        for number in range(30 * count):
            frame = source.read(IDLE)
            if frame is not None and number % 30 == 0:
                taken += 1
                yield frame.rgb().copy()
    except SourceEnded:
        if not taken:
            raise
    finally:
        source.close()


def warp_errors(painter: Painter, settings: Settings, count: int) -> Iterator[tuple[float, float]]:
    """(styled, untouched) warp error of frames n and n + 1, n spread over the demo's flight."""
    for scene, n in demo_moments(settings, count):
        pictures = [picture(scene, k) for k in range(n, n + painter.lead + 2)]
        painted = [painter.alone(pictures[0]).copy()]
        painted += [painter.paint(later).copy() for later in pictures[1:]]
        last = n + painter.lead
        x, y, visible = motion_between(scene, last, last + 1)
        yield warp_error(painted[-2:], x, y, visible), warp_error(pictures[-2:], x, y, visible)


def warp_error(pair: list[np.ndarray], x: np.ndarray, y: np.ndarray, visible: np.ndarray) -> float:
    """RMS in 0..1 between pair[0] and pair[1] fetched at (x, y), over the pixels `visible`."""
    fetched = bilinear(pair[1].astype(np.float32), x, y)
    difference = (fetched - pair[0])[visible] / 255
    return float(np.sqrt(np.mean(np.square(difference))))


def shift_error(painter: Painter, source: np.ndarray) -> float:
    """RMS in 0..1 over SHIFTS; the source has real pixels wherever it is shifted from."""
    height, width = source.shape[0] - ROOM, source.shape[1] - ROOM
    home = painter.alone(source[:height, :width]).astype(np.float32)
    errors = []
    for dx, dy in SHIFTS:
        moved = painter.alone(source[dy : dy + height, dx : dx + width]).astype(np.float32)
        difference = home[dy:, dx:] - moved[: height - dy, : width - dx]
        inner = difference[BORDER:-BORDER, BORDER:-BORDER] / 255
        errors.append(float(np.sqrt(np.mean(np.square(inner)))))
    return rms(errors)


def noise_changes(painter: Painter, source: np.ndarray, seed: int) -> np.ndarray:
    """Absolute changes, in 255ths, of the picture's values over NOISE_PAIRS noisy copies."""
    rng = np.random.default_rng(seed)
    home = painter.alone(source).astype(np.int16)
    changes = []
    for _ in range(NOISE_PAIRS):
        noise = rng.integers(-1, 2, source.shape, np.int16)
        noisy = np.clip(source + noise, 0, 255).astype(np.uint8)
        changes.append(np.abs(painter.paint(noisy) - home).astype(np.uint8))
    return np.stack(changes)
