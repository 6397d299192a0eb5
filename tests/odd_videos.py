"""Whole videos that are not as most are: late pictures, joined streams, several sound tracks."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.stream import Disposition
from flat_clips import COLORS, flat, write_video

SIZE = (160, 96)


def colors(count: int) -> list[np.ndarray]:
    return [flat(SIZE, COLORS[n % len(COLORS)]) for n in range(count)]


def late_picture(path: Path, late_s: float, frames: int = 30, rate: int = 15) -> Path:
    """A copy, packet by packet, whose picture begins later than its sound."""
    base = write_video(path.with_name("base.mp4"), colors(frames), rate=rate, sound="aac")
    with av.open(str(base)) as source, av.open(str(path), "w") as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is None or packet.pts is None:
                continue
            if packet.stream.type == "video":
                late = round(late_s / packet.time_base)
                packet.pts, packet.dts = packet.pts + late, packet.dts + late
            packet.stream = streams[packet.stream.index]
            target.mux(packet)
    return path


def joined(path: Path, frames: int = 30, rate: int = 15) -> Path:
    """Two transport streams one behind the other, as `cat` joins them: the clock starts anew."""
    part = write_video(path.with_name("part.ts"), colors(frames), rate=rate, sound="aac")
    path.write_bytes(part.read_bytes() * 2)
    return path


def two_sounds(path: Path, default: int, frames: int = 30, rate: int = 15) -> Path:
    """Tracks of 440 and 880 Hz; the one of that number is marked as the default."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=rate)
        video.width, video.height = SIZE
        video.pix_fmt = "yuv420p"
        tracks = []
        for number in range(2):
            track = container.add_stream("aac", rate=48000)
            track.layout = "mono"
            track.disposition = Disposition.default if number == default else Disposition(0)
            tracks.append(track)
        for number, picture in enumerate(colors(frames)):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for track, pitch in zip(tracks, (440, 880), strict=True):
            for start in range(0, frames * 48000 // rate, 1024):
                phase = np.arange(start, start + 1024) * (2 * np.pi * pitch / 48000)
                block = av.AudioFrame.from_ndarray(
                    np.sin(phase).astype(np.float32)[None] / 2, "fltp", "mono"
                )
                block.sample_rate, block.pts = 48000, start
                container.mux(track.encode(block))
            container.mux(track.encode(None))
    return path
