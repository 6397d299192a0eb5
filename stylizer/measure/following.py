"""How still pictures hold on a recorded game, whose motion is found by optical flow.

As Lai et al. 2018, with OpenCV's DIS flow (Kroeger et al. 2016) of the source at full size: the
picture before, moved along, against this one, over pixels whose flow leads home again and explains
the source's colors there, on pairs that move. Paler pictures flicker less, so sharpness belongs
beside it: the mean gradient, and what is left of that of pictures styled each alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np

from stylizer.frame import IDLE, Frame
from stylizer.measure.flicker import Painter
from stylizer.settings import Settings
from stylizer.stages import SOURCES, SourceEnded, StyleBackend, open_backend
from stylizer.style.opening import open_style

MOVES = 0.5  # mean change of the source, in 255ths, of a pair that moves
CLOSES_PX = 1.0  # a way back and there, |x| + |y|, that misses by less is confirmed
SAME_COLOR = 25  # 255ths that the moved source may differ in any channel
BORDER_PX = 24  # left out: what comes in there was not there before
RATE_FPS = 30  # frames a second of sources that have no clock of their own
UNSET: Any = None  # OpenCV takes None for an array that is not there, its stubs do not know


@dataclass(frozen=True)
class Followed:
    """Errors: RMS in 0..1, None where no pair moves; sharpness: 255ths, Sobel not normalized."""

    followed_frames: int
    moving_pairs: int
    flow_error_rms: float | None
    source_flow_error_rms: float | None
    own_flow_error_rms: float | None
    sharpness_255ths: float
    alone_sharpness_255ths: float
    sharpness_ratio: float | None

    def as_dict(self) -> dict[str, float | int | None]:
        """The figures by their names in the JSON, rounded."""
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in vars(self).items()}


@dataclass
class _Sums:
    frames: int = 0
    errors: list[tuple[float, float]] = field(default_factory=list)  # (styled, source) a pair
    sharpness: list[tuple[float, float]] = field(default_factory=list)  # (shown, alone) a frame


def follow(backend: StyleBackend, model: str, settings: Settings) -> Followed:
    """`measure`, with the model opened a second time where its pictures have a past."""
    if not backend.carries:
        return measure(backend, backend, settings)
    alone = open_style(replace(settings, move_canvas=False), model, settings.size)
    try:
        return measure(backend, alone, settings)
    finally:
        alone.close()


def measure(backend: StyleBackend, alone: StyleBackend, settings: Settings) -> Followed:
    """Figures of `settings.seconds` of the source, frame by frame in lock-step (None: all of it),
    as the settings show it; alone: the same model with nothing carried from frame to frame, the
    same backend where that carries nothing.

    Raises BadInput or StylizerError from source and session.
    """
    painter = Painter(backend, settings)
    sums = _Sums()
    flow = PairFlow()
    before: tuple[np.ndarray, np.ndarray] | None = None
    try:
        for source in frames_in_order(settings):
            shown = painter.paint(source) if before else painter.alone(source)
            now = source, np.ascontiguousarray(shown)
            single = styled_alone(alone, source)
            sums.frames += 1
            sums.sharpness.append((sharpness(now[1]), sharpness(single)))
            if before and before[0].shape == source.shape:
                sums.errors += flow.errors(before, now)
            before = now
    finally:
        painter.close()
    return _figures(sums)


def _figures(sums: _Sums) -> Followed:
    sharp, alone = (float(v) for v in np.mean(sums.sharpness, axis=0))
    error = source = own = None
    if sums.errors:
        error, source = (float(v) for v in np.mean(sums.errors, axis=0))
        own = error - source
    ratio = sharp / alone if alone else None
    return Followed(sums.frames, len(sums.errors), error, source, own, sharp, alone, ratio)


def styled_alone(backend: StyleBackend, source: np.ndarray) -> np.ndarray:
    """uint8 RGB: the picture of a frame that nothing came before, without the stabilizer."""
    backend.forget()
    image = backend.style(Frame(source, "RGB", time.perf_counter(), 0)).image
    return source if image is None else np.ascontiguousarray(image.rgb())


def frames_in_order(settings: Settings) -> Iterator[np.ndarray]:
    """uint8 (height, width, 3) RGB: every frame of the source, to `settings.seconds` of it."""
    source = open_backend(SOURCES, "source", settings.source, replace(settings, sync=True))
    given = 0
    try:
        while True:
            frame = source.read(IDLE)
            if frame is None:
                continue
            at_s = frame.media_time_s
            at_s = given / RATE_FPS if at_s is None else at_s
            if settings.seconds is not None and at_s >= settings.seconds - 1e-6:
                return
            given += 1
            yield np.ascontiguousarray(frame.rgb())
    except SourceEnded:
        return
    finally:
        source.close()


def sharpness(picture: np.ndarray) -> float:
    """Mean length of the luma's gradient, 255ths, by 3x3 Sobel without its division by eight."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = (cv2.Sobel(gray, cv2.CV_32F, *way) for way in ((1, 0), (0, 1)))
    return float(np.hypot(across, down).mean())


class PairFlow:
    """Errors of pairs of frames; keeps what every pair needs."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._places = np.empty((0, 0, 2), np.float32)

    def errors(
        self, before: tuple[np.ndarray, np.ndarray], now: tuple[np.ndarray, np.ndarray]
    ) -> list[tuple[float, float]]:
        """[(styled, source)] RMS in 0..1 of two (source, styled), each uint8 RGB of one size; []
        where the pair does not move or nothing can be followed."""
        if cv2.absdiff(now[0], before[0]).mean() < MOVES:
            return []
        last, this = (cv2.cvtColor(pair[0], cv2.COLOR_RGB2GRAY) for pair in (before, now))
        if self._places.shape[:2] != this.shape:
            height, width = (np.arange(n, dtype=np.float32) for n in this.shape)
            self._places = np.dstack(np.meshgrid(width, height))
        back = self._flow.calc(this, last, UNSET)
        there = self._flow.calc(last, this, UNSET)
        known = self._known(back, there, before[0], now[0])
        if not known.any():
            return []
        styled, source = (self._difference(before[k], now[k], back, known) for k in (1, 0))
        return [(styled, source)]

    def _known(
        self, back: np.ndarray, there: np.ndarray, before: np.ndarray, now: np.ndarray
    ) -> np.ndarray:
        """bool (height, width): where the flow is confirmed both ways and by color."""
        misses = np.abs(self._moved(there, back) + back).sum(axis=2)
        other = cv2.absdiff(self._moved(before, back), now).max(axis=2)
        known = (misses < CLOSES_PX) & (other < SAME_COLOR)
        inner = np.zeros_like(known)
        inside = slice(BORDER_PX, -BORDER_PX)
        inner[inside, inside] = known[inside, inside]
        return inner

    def _difference(
        self, before: np.ndarray, now: np.ndarray, back: np.ndarray, known: np.ndarray
    ) -> float:
        moved = self._moved(before, back).astype(np.float32)
        return float(np.sqrt(np.mean(np.square((moved - now)[known] / 255))))

    def _moved(self, picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
        edge = cv2.BORDER_REPLICATE
        return cv2.remap(picture, self._places + flow, UNSET, cv2.INTER_LINEAR, borderMode=edge)
