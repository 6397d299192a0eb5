"""Styled pictures smaller than the frame, drawn by the compositor with the frame's own detail."""

from __future__ import annotations

import numpy as np
import pytest
from noise_pictures import bottom_up, frame_of, noise

from stylizer.compose.compositor import Compositor, Look
from stylizer.frame import Frame, StyledImage


def small_pair(change: int) -> tuple[Frame, StyledImage]:
    """A frame of 64x48 of which the network saw half and gave it back changed by a constant."""
    source = noise(48, 64, 4) // 2 + 40
    seen = np.ascontiguousarray(source[::2, ::2])
    planes = np.ascontiguousarray(seen[..., :3].transpose(2, 0, 1)) + np.uint8(change)
    return frame_of(source, "RGBA"), StyledImage(planes, "chw", seen)


@pytest.mark.parametrize("look", [Look(), Look(0.5), Look(detail=False)])
def test_a_small_picture_given_bottom_up_is_the_same(compositor: Compositor, look: Look) -> None:
    frame, image = small_pair(30)
    compositor.upload(frame, image)
    expected = compositor.render(look)
    compositor.upload(frame, bottom_up(image))
    assert np.array_equal(compositor.render(look), expected)


def test_below_full_size_the_frame_keeps_its_own_detail(compositor: Compositor) -> None:
    frame, image = small_pair(30)
    compositor.upload(frame, image)
    shown = compositor.render(Look())[..., :3].astype(int)
    assert np.abs(shown - (frame.rgb().astype(int) + 30)).max() <= 1
    half = compositor.render(Look(strength=0.5))[..., :3].astype(int)
    assert np.abs(half - (frame.rgb().astype(int) + 15)).max() <= 1


def test_below_full_size_it_may_be_upsampled_plainly(compositor: Compositor) -> None:
    frame, image = small_pair(30)
    compositor.upload(frame, image)
    shown = compositor.render(Look(detail=False))[..., :3].astype(int)
    coarse = image.rgb().astype(int)
    # Linear filtering meets the small picture's own values nowhere; its mean it keeps.
    assert np.abs(shown.mean(axis=(0, 1)) - coarse.mean(axis=(0, 1))).max() < 2
    assert shown.std() < 0.9 * frame.rgb().std()


def test_a_small_image_without_what_was_seen_is_refused(compositor: Compositor) -> None:
    frame, image = small_pair(0)
    with pytest.raises(ValueError, match="does not fit"):
        compositor.upload(frame, StyledImage(image.pixels, "chw"))
