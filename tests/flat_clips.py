"""Videos of flat colors, with a tone."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container.output import OutputContainer
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

# Flat colors whose BT.709 and BT.601 readings differ by 20 of 255 and more.
COLORS = ((200, 40, 40), (40, 180, 60), (30, 80, 210), (220, 200, 40), (128, 128, 128))
EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


@dataclass(frozen=True)
class Clip:
    """A generated video: frame n is filled with COLORS[n % 5]."""

    path: Path
    frames: int = 30
    rate: int = 15
    size: tuple[int, int] = (160, 96)

    def color(self, number: int) -> tuple[int, int, int]:
        """RGB of frame `number`."""
        return COLORS[number % len(COLORS)]


def flat(size: tuple[int, int], color: tuple[int, int, int]) -> np.ndarray:
    """uint8 (height, width, 3) filled with one RGB color."""
    return np.full((size[1], size[0], 3), color, np.uint8)


def write_video(
    path: Path,
    pictures: list[np.ndarray],
    *,
    rate: int = 15,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    colorspace: int = 1,
    color_range: int = 1,
    tagged: bool = True,
    times: list[int] | None = None,
    rotation: int = 0,
    sound: str | None = None,
    container_options: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode RGB pictures; times are time stamps in 1/1000 s, else frame n is at n / rate.
    colorspace, color_range: libavutil's numbers (1 BT.709, 5 BT.601; 1 limited, 2 full).
    """
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = pictures[0].shape[1], pictures[0].shape[0]
        stream.pix_fmt = pix_fmt
        unit = Fraction(1, 1000) if times else Fraction(1, rate)
        stream.time_base = stream.codec_context.time_base = unit
        if tagged:
            context = stream.codec_context
            context.colorspace, context.color_range = colorspace, color_range
        if rotation:
            stream.set_display_rotation(rotation)
        tone = _add_tone(container, sound) if sound else None
        for number, picture in zip(times or count(), pictures, strict=False):
            frame = _frame(picture, pix_fmt, colorspace, color_range)
            frame.pts, frame.time_base = number, unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            _write_tone(container, tone, len(pictures) / rate)
    return path


def _frame(picture: np.ndarray, pix_fmt: str, colorspace: int, color_range: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(picture, "rgb24")
    if pix_fmt.startswith(("rgb", "bgr", "gbr")):
        return frame
    return frame.reformat(
        format=pix_fmt,
        src_color_range=2,
        dst_colorspace=colorspace,
        dst_color_range=color_range,
        interpolation=EXACT,
    )


def _add_tone(container: OutputContainer, codec: str) -> AudioStream:
    stream = container.add_stream(codec, rate=48000)
    assert isinstance(stream, AudioStream)
    stream.layout = "mono"
    return stream


def _write_tone(container: OutputContainer, stream: AudioStream, seconds: float):
    """A 440 Hz sine at half volume."""
    rate, block = 48000, stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.format, stream.layout, rate)
    for start in range(0, int(seconds * rate), block):
        phase = np.arange(start, start + block) * (2 * np.pi * 440 / rate)
        samples = (np.sin(phase) * 16000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        for converted in resampler.resample(frame):
            container.mux(stream.encode(converted))
    container.mux(stream.encode(None))
