"""Two styles in one picture: what the compositor makes of them, against numpy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from stylizer.compose.compositor import Compositor, Look
from stylizer.compose.masks import Mask, rasterize
from stylizer.compose.mixer import Mix
from stylizer.frame import Frame, Rect, Shape, StyledImage
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import Settings
from stylizer.system.gl import read_rgb

SIZE = (96, 64)
MASK = Mask((Shape("rectangle", ((0.25, 0.25), (0.75, 0.5))),))
SECOND = Mix(0.3)


@pytest.fixture(scope="module")
def presenter() -> Iterator[OffscreenPresenter]:
    presenter = OffscreenPresenter(Settings(), SIZE)
    yield presenter
    presenter.close()


@pytest.fixture(params=[True, False], ids=["planar", "packed"])
def compositor(
    presenter: OffscreenPresenter, request: pytest.FixtureRequest
) -> Iterator[Compositor]:
    made = Compositor(presenter.context, planar_on_gpu=request.param)
    yield made
    made.release()


def image(seed: int, layout: str = "chw", size: tuple[int, int] = SIZE) -> StyledImage:
    rgb = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    if layout == "chw":
        return StyledImage(np.ascontiguousarray(rgb.transpose(2, 0, 1)), "chw")
    if layout == "bottom up":
        return StyledImage(rgb, bottom_up=True)
    return StyledImage(rgb)


FRAME = Frame(image(1).rgb().copy(), "RGB", 0.0, 0)


@pytest.mark.parametrize("second", ["chw", "hwc", "bottom up"])
@pytest.mark.parametrize("first", ["chw", "hwc", "bottom up"])
def test_a_share_of_the_second(
    compositor: Compositor, presenter: OffscreenPresenter, first: str, second: str
) -> None:
    a, b = image(2, first), image(3, second)
    compositor.mix = SECOND
    compositor.upload(FRAME, a, b)
    wanted = 0.7 * a.rgb() + 0.3 * b.rgb()
    assert np.abs(compositor.render(Look())[..., :3] - wanted).max() <= 1
    compositor.draw(presenter.framebuffer, Rect(0, 0, *SIZE), Look())  # a plain copy
    assert np.abs(read_rgb(presenter.framebuffer) - wanted).max() <= 1
    half = compositor.render(Look(strength=0.5))[..., :3]
    assert np.abs(half - (wanted + FRAME.rgb()) / 2).max() <= 1.5
    compositor.mix = Mix(1.0)  # seen at once, with nothing new
    assert np.array_equal(compositor.render(Look())[..., :3], b.rgb())
    compositor.mix = Mix(0.0)
    assert np.array_equal(compositor.render(Look())[..., :3], a.rgb())


def test_inside_a_mask_is_the_second_alone(compositor: Compositor) -> None:
    a, b = image(2), image(3, "hwc")
    soft = replace(MASK, feather=0.2)
    compositor.upload(FRAME, a, b)
    for mask, share in ((MASK, 0.0), (soft, 0.25)):
        compositor.mix = Mix(share, mask)
        inside = rasterize(mask, SIZE)[..., None] / 255
        part = share + (1 - share) * inside
        wanted = a.rgb() * (1 - part) + b.rgb() * part
        assert np.abs(compositor.render(Look())[..., :3] - wanted).max() <= 1.5
        tinted = compositor.render(Look(mask=mask, mask_strength=1.0, show_mask=True))[..., :3]
        assert (tinted != compositor.render(Look())[..., :3]).any(), "the same mask is shown"


def test_a_smaller_picture_of_the_network_keeps_the_frames_detail(compositor: Compositor) -> None:
    small = (SIZE[0] // 2, SIZE[1] // 2)
    seen = FRAME.pixels[::2, ::2].copy()
    a = replace(image(2, "hwc", small), model_input=seen)
    compositor.mix = SECOND
    compositor.upload(FRAME, a, replace(image(3, "hwc", small), model_input=seen))
    both = compositor.render(Look())
    mixed = (0.7 * a.rgb() + 0.3 * image(3, "hwc", small).rgb()).round().astype(np.uint8)
    compositor.upload(FRAME, StyledImage(mixed, model_input=seen))
    assert np.abs(compositor.render(Look()).astype(int) - both).max() <= 2


def test_a_second_of_another_size_is_taken_all_the_same(compositor: Compositor) -> None:
    other = StyledImage(np.full((16, 24, 3), 200, np.uint8))
    compositor.mix = Mix(1.0)
    compositor.upload(FRAME, image(2), other)
    assert (compositor.render(Look())[..., :3] == 200).all()


def test_it_is_held_still_as_one_picture(presenter: OffscreenPresenter) -> None:
    compositor = Compositor(presenter.context, keep=0.5)
    compositor.mix = SECOND
    compositor.upload(FRAME, image(2), image(3))
    first = compositor.render(Look())[..., :3].astype(int)
    compositor.upload(replace(FRAME), image(4), image(5))
    held = compositor.render(Look())[..., :3]
    fresh = 0.7 * image(4).rgb() + 0.3 * image(5).rgb()
    assert np.abs(held - (fresh + first) / 2).max() <= 2
    compositor.release()


def test_nothing_is_made_or_sent_for_one_style(compositor: Compositor) -> None:
    compositor.mix = SECOND
    compositor.upload(FRAME, image(2))
    compositor.render(Look())
    assert compositor._styled._mixer is None
    assert compositor._styled._second is None
    compositor.upload(FRAME, image(2), image(3))
    sent = compositor.upload_bytes
    compositor.render(Look())
    compositor.render(Look())
    assert compositor.upload_bytes == sent + FRAME.pixels.nbytes * 0
