"""Opening a video file, and what is to be said of it before its first frame is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
from av.stream import Disposition

from stylizer.errors import BadInput
from stylizer.system.files import av_name

if TYPE_CHECKING:
    from av.container.input import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

HDR = {16: "PQ", 18: "HLG"}  # AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67 in libavutil/pixfmt.h


def remarks(picture: VideoFrame) -> list[str]:
    """What the user would else take for a fault of the style, in words."""
    found = []
    if picture.color_trc in HDR:
        found.append(
            f"high dynamic range ({HDR[picture.color_trc]}), not tone-mapped: its colors look "
            "washed out; convert it to BT.709 first"
        )
    if picture.interlaced_frame:
        found.append("interlaced: moving edges comb; deinterlace it first")
    return found


def checked(path: Path | None) -> Path:
    if path is None:
        raise BadInput("the video source needs a file: add --input FILE")
    path = Path(path)
    if path.is_dir():
        raise BadInput(f"{path} is a folder: the video source needs --input FILE, one video file")
    if not path.exists():
        raise BadInput(f"there is no video file {path}: check the path after --input")
    return path


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    try:
        container = av.open(av_name(path), metadata_errors="replace")
    except PermissionError as error:
        raise BadInput(f"{path} cannot be read: you lack the permission") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise BadInput(
            f"{path} cannot be read as a video: it is damaged, cut off, or of another kind"
        ) from error
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return container, stream
    container.close()
    raise BadInput(f"{path} holds no video: name a file with a picture track after --input")
