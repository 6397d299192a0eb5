"""Masks: their shapes against simple arithmetic, and what the compositor makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from stylizer.compose.compositor import Compositor, Look
from stylizer.compose.masks import TINT, TINT_SHARE, Mask, MaskPicture, rasterize
from stylizer.frame import Frame, Shape, StyledImage, letterbox
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import Settings
from stylizer.system.gl import read_rgb

SIZE = (320, 180)
BOX = Shape("rectangle", ((0.25, 0.5), (0.75, 0.25)))  # 80..240, 45..90
MASK = Mask((BOX,))


@pytest.fixture(scope="module")
def presenter() -> Iterator[OffscreenPresenter]:
    presenter = OffscreenPresenter(Settings(), SIZE)
    yield presenter
    presenter.close()


def pair(size: tuple[int, int] = SIZE) -> tuple[Frame, StyledImage]:
    width, height = size
    random = np.random.default_rng(3)
    source = random.integers(0, 256, (height, width, 3), np.uint8)
    styled = random.integers(0, 256, (3, height, width), np.uint8)
    return Frame(source, "RGB", 0.0, 0), StyledImage(styled, "chw")


def boxed() -> np.ndarray:
    inside = np.zeros((180, 320), bool)
    inside[45:90, 80:240] = True
    return inside


def test_a_rectangle_is_sharp_and_whole() -> None:
    assert np.array_equal(rasterize(MASK, SIZE), boxed() * np.uint8(255))


def test_a_soft_edge_lies_around_it() -> None:
    """Of 18 pixels: from whole at the last pixel inside to nothing 18 pixels further."""
    drawn = rasterize(replace(MASK, feather=0.1), SIZE)
    assert (drawn[boxed()] == 255).all()
    row = drawn[60, 240:262].astype(float)
    assert np.abs(row[:18] - 255 * (1 - (np.arange(18) + 1) / 19)).max() <= 1
    assert not row[18:].any()
    assert np.array_equal(drawn[:, ::-1], drawn), "as wide on both sides"


def test_an_ellipse() -> None:
    shape = Shape("ellipse", ((0.25, 0.25), (0.75, 0.75)))
    drawn = rasterize(Mask((shape,)), SIZE)
    y, x = np.mgrid[:180, :320] + 0.5
    radius = np.hypot((x - 160) / 80, (y - 90) / 45)
    assert (drawn[radius < 0.98] == 255).all()
    assert (drawn[radius > 1.02] == 0).all()
    assert abs(drawn.sum() / 255 - np.pi * 80 * 45) < 60


def test_a_polygon() -> None:
    triangle = Shape("polygon", ((0.0, 1.0), (0.5, 0.0), (1.0, 1.0)))
    drawn = rasterize(Mask((triangle,)), SIZE) > 127
    y, x = np.mgrid[:180, :320] + 0.5
    assert np.array_equal(drawn, np.abs(x - 160) / 160 < y / 180)
    star = Shape("polygon", ((0.2, 0.9), (0.5, 0.05), (0.8, 0.9), (0.05, 0.35), (0.95, 0.35)))
    drawn = rasterize(Mask((star,)), SIZE)
    assert drawn[90, 160] == 0, "crossed sides: every second part"
    assert drawn[30, 160] == 255


def test_shapes_and_a_picture_add_up_at_any_size() -> None:
    pixels = np.zeros((90, 160), np.uint8)
    pixels[60:] = 200
    both = Mask((BOX,), picture=MaskPicture(pixels))
    drawn = rasterize(both, SIZE)
    assert (drawn[boxed()] == 255).all()
    assert (drawn[125:] == 200).all()
    assert not drawn[:45].any()
    assert rasterize(both, (31, 17)).shape == (17, 31)
    assert (pixels[60:] == 200).all(), "what came from the file stays as it is"


def test_inside_is_the_source_outside_the_style_exactly(compositor: Compositor) -> None:
    frame, image = pair()
    compositor.upload(frame, image)
    shown = compositor.render(Look(mask=MASK))[..., :3]
    assert np.array_equal(shown[boxed()], frame.rgb()[boxed()])
    assert np.array_equal(shown[~boxed()], image.rgb()[~boxed()])


@pytest.mark.parametrize("strength", [1.0, 0.6])
@pytest.mark.parametrize("inside", [0.0, 0.25])
def test_weaker_and_feathered_is_within_a_step_of_numpy(
    compositor: Compositor, strength: float, inside: float
) -> None:
    frame, image = pair()
    compositor.upload(frame, image)
    mask = replace(MASK, feather=0.1)
    shown = compositor.render(Look(strength, mask=mask, mask_strength=inside))[..., :3]
    m = rasterize(mask, SIZE)[..., None] / 255
    share = strength * (1 - m * (1 - inside))
    expected = frame.rgb() * (1 - share) + image.rgb() * share
    assert np.abs(shown - expected).max() <= 1


def test_with_the_other_ways_of_showing(compositor: Compositor) -> None:
    """Wiped, with the game's colors, bottom up, held still, at full strength inside: all told."""
    frame, image = pair()
    compositor.upload(frame, image)
    wiped = compositor.render(Look(wipe=0.5, mask=MASK))[..., :3]
    right = boxed() & (np.arange(320) > 162)
    assert np.array_equal(wiped[right], frame.rgb()[right])
    assert np.array_equal(wiped[100:, 163:], image.rgb()[100:, 163:])
    colors = compositor.render(Look(keep_colors=True, mask=MASK))[..., :3]
    assert np.array_equal(colors[boxed()], frame.rgb()[boxed()])
    same = [Look(mask=MASK, mask_strength=1.0), Look(mask=Mask()), Look()]
    shown = [compositor.render(look) for look in same]
    assert np.array_equal(shown[0], shown[2])
    assert np.array_equal(shown[1], shown[2])
    turned = StyledImage(np.ascontiguousarray(image.rgb()[::-1]), bottom_up=True)
    compositor.upload(frame, turned)
    shown = compositor.render(Look(mask=MASK))[..., :3]
    assert np.array_equal(shown[boxed()], frame.rgb()[boxed()])
    assert np.array_equal(shown[~boxed()], image.rgb()[~boxed()])


def test_a_network_that_sees_less_and_a_stabilizer(presenter: OffscreenPresenter) -> None:
    compositor = Compositor(presenter.context, keep=0.5)
    source = pair()[0].pixels
    seen = np.ascontiguousarray(source[::2, ::2])
    styled = StyledImage(np.ascontiguousarray(255 - seen), "hwc", seen)
    frame = Frame(source, "RGB", 0.0, 0)
    compositor.upload(frame, styled)
    shown = compositor.render(Look(mask=MASK))[..., :3]
    assert np.array_equal(shown[boxed()], source[boxed()])
    assert (shown[~boxed()] != source[~boxed()]).any(axis=-1).mean() > 0.9
    compositor.release()


def test_without_a_mask_nothing_of_it_is_made(compositor: Compositor) -> None:
    """No texture, no upload, and the program of before: the plain variant, compiled once."""
    frame, image = pair()
    compositor.upload(frame, image)
    compositor.render(Look(0.5))
    sent, made = compositor.upload_bytes, len(compositor._programs._made)
    compositor.render(Look(0.5, mask=Mask()))
    compositor.render(Look(0.5, mask=MASK, mask_strength=1.0))
    assert compositor.upload_bytes == sent
    assert len(compositor._programs._made) == made
    assert compositor._mask._texture is None
    assert not any(v.masked or v.tinted for v in compositor._programs._made)


def test_a_mask_is_sent_once_and_again_for_another_size(compositor: Compositor) -> None:
    for size in (SIZE, (64, 36)):
        frame, image = pair(size)
        compositor.upload(frame, image)
        compositor.render(Look(mask=MASK))
        sent = compositor.upload_bytes
        compositor.render(Look(mask=Mask((BOX,))))
        assert compositor.upload_bytes == sent
        compositor.render(Look(mask=replace(MASK, feather=0.05)))
        assert compositor.upload_bytes == sent + size[0] * size[1]


def test_in_a_letterboxed_window(presenter: OffscreenPresenter, compositor: Compositor) -> None:
    presenter.resize((320, 300))
    frame, image = pair()
    frame.pixels[:], image.pixels[:] = 40, 200
    compositor.upload(frame, image)
    rect = letterbox(SIZE, (320, 300))
    compositor.draw(presenter.framebuffer, rect, Look(mask=MASK))
    shown = read_rgb(presenter.framebuffer)[rect.y : rect.y + rect.height]
    assert (shown[boxed()] == 40).all()
    assert (shown[~boxed()] == 200).all()
    presenter.resize((160, 90))  # half
    compositor.draw(presenter.framebuffer, letterbox(SIZE, (160, 90)), Look(mask=MASK))
    shown = read_rgb(presenter.framebuffer)
    assert (shown[24:44, 41:119] == 40).all()
    assert (shown[:21] == 200).all()
    presenter.resize(SIZE)


@pytest.mark.parametrize("look", [Look(), Look(0.5), Look(show_source=True)])
def test_shown_it_is_tinted_with_an_outline(compositor: Compositor, look: Look) -> None:
    frame, image = pair()
    frame.pixels[:], image.pixels[:] = 40, 40
    compositor.upload(frame, image)
    shown = compositor.render(replace(look, mask=MASK, show_mask=True))[..., :3].astype(float)
    tint = np.array(TINT) * 255
    assert np.abs(shown[60:70, 100:200] - (40 + (tint - 40) * TINT_SHARE)).max() <= 1
    assert (shown[100:] == 40).all(), "outside nothing changes"
    assert np.abs(shown[60, [79, 80]] - tint).max() <= 1
    assert (shown[60, [78, 81]] < 40).all(), "a shade beside the line"
    assert np.array_equal(shown[::-1, ::-1][:, 80:240], shown[::-1][:, 80:240])
