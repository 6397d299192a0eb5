"""Frames are checked at birth; rectangles keep the aspect."""

import numpy as np
import pytest

from stylizer.frame import ChannelOrder, Frame, Rect, StyledImage, letterbox


def test_a_good_frame():
    frame = Frame(np.zeros((4, 6, 4), np.uint8), "BGRA", 1.0, 0)
    assert frame.size == (6, 4)


@pytest.mark.parametrize(
    ("pixels", "order", "what"),
    [
        (np.zeros((4, 6, 3), np.float32), "RGB", "uint8"),
        (np.zeros((4, 6), np.uint8), "RGB", "uint8"),
        (np.zeros((4, 6, 4), np.uint8), "RGB", "does not fit"),
        (np.zeros((4, 6, 3), np.uint8), "BGR", "channel order"),
        (np.zeros((0, 6, 3), np.uint8), "RGB", "pixels"),
        (np.zeros((4, 12, 3), np.uint8)[:, ::2], "RGB", "C-contiguous"),
    ],
)
def test_a_bad_frame_is_refused_with_what_was_expected(pixels, order, what):
    with pytest.raises(ValueError, match=what):
        Frame(pixels, order, 0.0, 0)


def test_rgb_of_every_channel_order():
    rgb = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    alpha = np.full((2, 3, 1), 9, np.uint8)
    rgba = np.concatenate([rgb, alpha], axis=2)
    bgra = np.concatenate([rgb[:, :, ::-1], alpha], axis=2)
    orders: list[tuple[np.ndarray, ChannelOrder]]
    orders = [(rgb, "RGB"), (rgba, "RGBA"), (bgra, "BGRA")]
    for pixels, order in orders:
        frame = Frame(np.ascontiguousarray(pixels), order, 0.0, 0)
        np.testing.assert_array_equal(frame.rgb(), rgb)


def test_styled_image_layouts():
    planar = np.arange(3 * 2 * 4, dtype=np.uint8).reshape(3, 2, 4)
    image = StyledImage(planar, "chw")
    assert image.size == (4, 2)
    np.testing.assert_array_equal(image.rgb(), planar.transpose(1, 2, 0))
    with pytest.raises(ValueError, match="styled image"):
        StyledImage(np.zeros((2, 4, 3), np.uint8), "chw")


@pytest.mark.parametrize(
    ("content", "window", "rect"),
    [
        ((1280, 720), (1280, 720), Rect(0, 0, 1280, 720)),
        ((1280, 720), (1000, 1000), Rect(0, 219, 1000, 562)),
        ((720, 540), (1280, 720), Rect(160, 0, 960, 720)),
        ((10, 1000), (100, 100), Rect(49, 0, 1, 100)),
    ],
)
def test_letterbox(content, window, rect):
    assert letterbox(content, window) == rect


def test_letterbox_refuses_no_size():
    with pytest.raises(ValueError, match="positive"):
        letterbox((0, 10), (100, 100))
