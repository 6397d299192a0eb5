"""PipeWire's parameters: the few of SPA's plain old data that a video stream needs.

A pod is its size, its type and its body, padded to 8 bytes; see
https://docs.pipewire.org/page_spa_pod.html and spa/param/format.h.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator

from stylizer.frame import ChannelOrder

ID, INT, RECTANGLE, FRACTION, ARRAY, OBJECT, CHOICE = 3, 4, 10, 11, 13, 15, 19  # spa/utils/type.h
FORMAT_OBJECT, BUFFERS_OBJECT, META_OBJECT = 0x40003, 0x40004, 0x40005
ENUM_FORMAT, FORMAT, BUFFERS, META = 3, 4, 5, 6  # spa/param/param.h
MEDIA_TYPE, MEDIA_SUBTYPE = 1, 2
VIDEO_FORMAT, VIDEO_SIZE, VIDEO_RATE = 0x20001, 0x20003, 0x20004
VIDEO_RANGE, VIDEO_MATRIX = 0x2000C, 0x2000D
VIDEO, AUDIO, RAW = 2, 1, 1
AUDIO_FORMAT, AUDIO_RATE, AUDIO_CHANNELS, AUDIO_POSITION = 0x10001, 0x10003, 0x10004, 0x10005
S16 = 0x103 if sys.byteorder == "little" else 0x104  # spa/param/audio/raw.h, interleaved
LEFT, RIGHT = 3, 4  # there, too: the channels' places
I420 = 2  # spa/param/video/raw.h
LIMITED, BT601 = 2, 4  # spa/param/video/color.h
# As there -> our order of channels; alpha and x are ignored alike.
# BGRx, BGRA, RGBx, RGBA.
ORDERS: dict[int, ChannelOrder] = {8: "BGRA", 12: "BGRA", 7: "RGBA", 11: "RGBA"}
MEM_PTR, MEM_FD = 1, 2  # spa/buffer/buffer.h
HEADER, VIDEO_CROP = 1, 2  # spa/buffer/meta.h
HEADER_BYTES, CROP_BYTES = 32, 16
RANGE, ENUM, FLAGS = 1, 3, 4  # spa/pod/pod.h
MAX_SIDE = 16384


def pod(kind: int, body: bytes) -> bytes:
    return struct.pack("=II", len(body), kind) + body + bytes(-len(body) % 8)


def an_id(value: int) -> bytes:
    return pod(ID, struct.pack("=I", value))


def choice(how: int, kind: int, values: list[bytes]) -> bytes:
    """A choice among bodies of one type; the first is what is liked best."""
    head = struct.pack("=IIII", how, 0, len(values[0]), kind)
    return pod(CHOICE, head + b"".join(values))


def an_object(kind: int, what: int, properties: dict[int, bytes]) -> bytes:
    body = struct.pack("=II", kind, what)
    for key, value in properties.items():
        body += struct.pack("=II", key, 0) + value
    return pod(OBJECT, body)


def wanted_format() -> bytes:
    """Every size and rate, in any of the orders that a frame may have."""
    orders = [struct.pack("=I", order) for order in (8, *ORDERS)]
    sizes = [struct.pack("=II", *size) for size in ((1280, 720), (1, 1), (MAX_SIDE, MAX_SIDE))]
    rates = [struct.pack("=II", *rate) for rate in ((60, 1), (0, 1), (1000, 1))]
    return an_object(
        FORMAT_OBJECT,
        ENUM_FORMAT,
        {
            MEDIA_TYPE: an_id(VIDEO),
            MEDIA_SUBTYPE: an_id(RAW),
            VIDEO_FORMAT: choice(ENUM, ID, orders),
            VIDEO_SIZE: choice(RANGE, RECTANGLE, sizes),
            VIDEO_RATE: choice(RANGE, FRACTION, rates),
        },
    )


def wanted_sound(rate: int) -> bytes:
    """Stereo, 16 bits, at this rate: PipeWire converts whatever there is."""
    places = struct.pack("=IIII", 4, ID, LEFT, RIGHT)
    return an_object(
        FORMAT_OBJECT,
        ENUM_FORMAT,
        {
            MEDIA_TYPE: an_id(AUDIO),
            MEDIA_SUBTYPE: an_id(RAW),
            AUDIO_FORMAT: an_id(S16),
            AUDIO_RATE: pod(INT, struct.pack("=i", rate)),
            AUDIO_CHANNELS: pod(INT, struct.pack("=i", 2)),
            AUDIO_POSITION: pod(ARRAY, places),
        },
    )


def offered_formats(size: tuple[int, int], rates: tuple[int, ...]) -> list[bytes]:
    """Of a camera: I420, one object a rate, without a choice in it, as browsers want them."""
    return [
        an_object(
            FORMAT_OBJECT,
            ENUM_FORMAT,
            {
                MEDIA_TYPE: an_id(VIDEO),
                MEDIA_SUBTYPE: an_id(RAW),
                VIDEO_FORMAT: an_id(I420),
                VIDEO_SIZE: pod(RECTANGLE, struct.pack("=II", *size)),
                VIDEO_RATE: pod(FRACTION, struct.pack("=II", rate, 1)),
                VIDEO_RANGE: an_id(LIMITED),
                VIDEO_MATRIX: an_id(BT601),
            },
        )
        for rate in rates
    ]


def offered_buffers(size: int, stride: int) -> list[bytes]:
    """Shared memory for pictures of `size` bytes with rows of `stride`, and their times."""
    kinds = [struct.pack("=i", 1 << MEM_PTR | 1 << MEM_FD)]
    counts = [struct.pack("=i", count) for count in (4, 2, 16)]
    one, sizes, rows = (pod(INT, struct.pack("=i", value)) for value in (1, size, stride))
    buffers = {
        1: choice(RANGE, INT, counts),
        2: one,
        3: sizes,
        4: rows,
        6: choice(FLAGS, INT, kinds),
    }
    return [an_object(BUFFERS_OBJECT, BUFFERS, buffers), wanted_meta(HEADER, HEADER_BYTES)]


def wanted_meta(kind: int, size: int) -> bytes:
    return an_object(META_OBJECT, META, {1: an_id(kind), 2: pod(INT, struct.pack("=i", size))})


def wanted_buffers() -> list[bytes]:
    """Shared memory, with the time of each picture and the part of it that is the window."""
    kinds = [struct.pack("=i", 1 << MEM_PTR | 1 << MEM_FD)]
    counts = [struct.pack("=i", count) for count in (4, 2, 16)]
    buffers = {1: choice(RANGE, INT, counts), 6: choice(FLAGS, INT, kinds)}
    return [
        an_object(BUFFERS_OBJECT, BUFFERS, buffers),
        wanted_meta(HEADER, HEADER_BYTES),
        wanted_meta(VIDEO_CROP, CROP_BYTES),
    ]


def chosen_format(data: bytes) -> tuple[int, tuple[int, int]]:
    """(video format, (width, height)) of a Format object. Raises ValueError without them."""
    found = dict(properties(data))
    try:
        (order,) = struct.unpack_from("=I", found[VIDEO_FORMAT])
        width, height = struct.unpack_from("=II", found[VIDEO_SIZE])
    except (KeyError, struct.error) as error:
        raise ValueError("the stream's format names no size") from error
    return order, (width, height)


def chosen_rate(data: bytes) -> float:
    """Pictures a second of a Format object; 0: as they come."""
    count, seconds = struct.unpack_from("=II", dict(properties(data)).get(VIDEO_RATE, bytes(8)))
    return count / seconds if seconds else 0.0


def properties(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(key, body of its value) of an object pod; of a choice, the body of its first value."""
    at = 16
    while at + 16 <= len(data):
        key, _, size, kind = struct.unpack_from("=IIII", data, at)
        body = data[at + 16 : at + 16 + size]
        yield key, body[16:] if kind == CHOICE else body
        at += 16 + size + (-size % 8)
