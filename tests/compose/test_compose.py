"""The compositor's pixels against numpy, on whatever OpenGL is here (llvmpipe in the suite)."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import numpy as np
import pytest
from noise_pictures import bottom_up, frame_of, noise, pair

from stylizer.compose.compositor import Compositor, Look
from stylizer.errors import StylizerError
from stylizer.frame import Frame, Rect, StyledImage, letterbox
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import Settings
from stylizer.system.gl import read_rgb

SIZES = [(1280, 720), (641, 361), (7, 5), (1, 1)]
LUMA = np.array([0.2126, 0.7152, 0.0722])
# A color whose alpha is not opaque must come through all the same: captured alpha is garbage.
CHANNELS = {"RGB": 3, "RGBA": 4, "BGRA": 4}


@pytest.fixture(scope="module")
def presenter() -> Iterator[OffscreenPresenter]:
    presenter = OffscreenPresenter(Settings(), (64, 48))
    yield presenter
    presenter.close()


def keep_colors(source: np.ndarray, styled: np.ndarray) -> np.ndarray:
    """Styled luma with source chroma by way of Rec. 709 Y'CbCr, 0..1 in and out."""
    luma = styled @ LUMA
    y = source @ LUMA
    cb, cr = (source[..., 2] - y) / 1.8556, (source[..., 0] - y) / 1.5748
    red, blue = luma + 1.5748 * cr, luma + 1.8556 * cb
    green = (luma - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    return np.clip(np.stack([red, green, blue], -1), 0, 1)


def blended(frame: Frame, image: StyledImage, strength: float, colors: bool) -> np.ndarray:
    source, styled = frame.rgb() / 255, image.rgb() / 255
    if colors:
        styled = keep_colors(source, styled)
    return (source * (1 - strength) + styled * strength) * 255


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("order", CHANNELS)
def test_no_model_gives_exactly_the_source(
    compositor: Compositor, order: str, size: tuple[int, int]
) -> None:
    frame = frame_of(noise(size[1], size[0], CHANNELS[order]), order)
    compositor.upload(frame, None)
    shown = compositor.render(Look())
    assert shown.shape == (size[1], size[0], 4)
    assert np.array_equal(shown[..., :3], frame.rgb())
    assert (shown[..., 3] == 255).all()


@pytest.mark.parametrize("look", [Look(show_source=True), Look(strength=0), Look(wipe=1.0)])
def test_source_key_and_ends_of_the_scales_show_the_source(
    compositor: Compositor, look: Look
) -> None:
    frame, image = pair((641, 361))
    compositor.upload(frame, image)
    assert np.array_equal(compositor.render(look)[..., :3], frame.rgb())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("wipe", [None, 0.0])
def test_full_strength_gives_exactly_the_styled_picture(
    compositor: Compositor, size: tuple[int, int], wipe: float | None
) -> None:
    frame, image = pair(size)
    compositor.upload(frame, image)
    assert np.array_equal(compositor.render(Look(wipe=wipe))[..., :3], image.rgb())


@pytest.mark.parametrize("colors", [False, True])
@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 1.0])
def test_blend_is_within_one_step_of_numpy(
    compositor: Compositor, strength: float, colors: bool
) -> None:
    frame, image = pair((641, 361))
    compositor.upload(frame, image)
    shown = compositor.render(Look(strength=strength, keep_colors=colors))[..., :3]
    assert np.abs(shown - blended(frame, image, strength, colors)).max() <= 1


@pytest.mark.parametrize("look", [Look(), Look(0.3), Look(0.7, True), Look(wipe=0.4)])
@pytest.mark.parametrize("size", [(640, 360), (641, 361), (7, 5)])
def test_planar_and_interleaved_are_the_same(
    compositor: Compositor, look: Look, size: tuple[int, int]
) -> None:
    frame, planar = pair(size)
    compositor.upload(frame, planar)
    first = compositor.render(look)
    alpha = np.full((size[1], size[0], 1), 9, np.uint8)
    for pixels in (planar.rgb(), np.concatenate([planar.rgb(), alpha], 2)):
        compositor.upload(frame, StyledImage(np.ascontiguousarray(pixels)))
        assert np.array_equal(compositor.render(look), first)


@pytest.mark.parametrize("look", [Look(), Look(0.3), Look(0.7, True), Look(wipe=0.4)])
@pytest.mark.parametrize("window", [(640, 360), (641, 361), (300, 200)])
def test_a_picture_given_bottom_up_is_the_same(
    presenter: OffscreenPresenter, compositor: Compositor, look: Look, window: tuple[int, int]
) -> None:
    size = (641, 361)
    frame, image = pair(size)
    turned = bottom_up(image)
    assert np.array_equal(turned.rgb(), image.rgb())
    presenter.resize(window)
    shown = []
    for each in (image, turned):
        compositor.upload(frame, each)
        compositor.draw(presenter.framebuffer, letterbox(size, window), look)
        shown += [read_rgb(presenter.framebuffer).astype(int), compositor.render(look)]
    assert np.abs(shown[0] - shown[2]).max() <= (0 if window == size else 1)  # filtered
    assert np.array_equal(shown[1], shown[3])
    if (window, look) == (size, Look()):
        assert np.array_equal(shown[2], image.rgb())


@pytest.mark.parametrize("wipe", [0.25, 0.5, 0.9])
def test_wipe_has_the_source_left_of_a_thin_line(compositor: Compositor, wipe: float) -> None:
    frame, image = pair((641, 361))
    compositor.upload(frame, image)
    shown = compositor.render(Look(wipe=wipe))[..., :3]
    x = round(wipe * 641)
    assert np.array_equal(shown[:, : x - 2], frame.rgb()[:, : x - 2])
    assert np.array_equal(shown[:, x + 2 :], image.rgb()[:, x + 2 :])
    assert (shown[:, x - 1 : x + 1] == 255).all()
    assert shown[:, [x - 2, x + 1]].mean() < 70  # the shade beside the line


@pytest.mark.parametrize("window", [(300, 200), (200, 300), (64, 36)])
def test_letterbox_has_black_bars_and_the_picture_right_way_up(
    presenter: OffscreenPresenter, compositor: Compositor, window: tuple[int, int]
) -> None:
    presenter.resize(window)
    frame = frame_of(np.zeros((36, 64, 3), np.uint8))
    frame.pixels[:18, :, 0] = frame.pixels[18:, :, 2] = 200  # red above, blue below
    compositor.upload(frame, None)
    presenter.framebuffer.clear(1, 1, 1, 1)
    rect = letterbox(frame.size, window)
    compositor.draw(presenter.framebuffer, rect, Look())
    shown = presenter.read_back()
    inside = shown[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width]
    assert tuple(inside[0, 0]) == (200, 0, 0)
    assert tuple(inside[-1, -1]) == (0, 0, 200)
    assert (inside.sum(axis=2) == 200).all()
    assert int(shown.sum()) == int(inside.sum())
    assert presenter.framebuffer.viewport == (0, 0, *window)


def test_other_sizes_are_filtered(presenter: OffscreenPresenter, compositor: Compositor) -> None:
    presenter.resize((40, 20))
    frame, image = pair((20, 10))
    compositor.upload(frame, image)
    compositor.draw(presenter.framebuffer, Rect(0, 0, 40, 20), Look())
    shown = presenter.read_back().astype(float)
    styled = np.pad(image.rgb(), ((1, 1), (1, 1), (0, 0)), "edge").astype(float)
    # Twice the size, bilinear: between two pixels stand 3/4 of the nearer and 1/4 of the other.
    rows = np.stack(
        [0.75 * styled[1:-1] + 0.25 * styled[:-2], 0.75 * styled[1:-1] + 0.25 * styled[2:]], 1
    )
    rows = rows.reshape(20, 22, 3)
    both = np.stack(
        [0.75 * rows[:, 1:-1] + 0.25 * rows[:, :-2], 0.75 * rows[:, 1:-1] + 0.25 * rows[:, 2:]], 2
    )
    assert np.abs(shown - both.reshape(20, 40, 3)).max() <= 2


def test_what_was_uploaded_is_not_sent_again(compositor: Compositor) -> None:
    frame, image = pair((64, 36))
    compositor.upload(frame, image)
    assert np.array_equal(compositor.render(Look(strength=0))[..., :3], frame.rgb())
    sent = compositor.upload_bytes
    assert sent >= frame.pixels.nbytes + image.pixels.nbytes
    compositor.upload(frame, image)
    compositor.upload(frame, None)
    assert np.array_equal(compositor.render(Look())[..., :3], frame.rgb())
    compositor.upload(frame, image)
    assert np.array_equal(compositor.render(Look())[..., :3], image.rgb())
    assert compositor.upload_bytes == sent
    again = frame_of(frame.pixels)
    compositor.upload(again, image)
    assert np.array_equal(compositor.render(Look(show_source=True))[..., :3], frame.rgb())
    assert compositor.upload_bytes == sent + frame.pixels.nbytes


def test_a_source_that_is_not_seen_is_not_sent(compositor: Compositor) -> None:
    frame, image = pair((64, 36))
    compositor.upload(frame, image)
    sent = compositor.upload_bytes
    assert np.array_equal(compositor.render(Look())[..., :3], image.rgb())
    assert compositor.upload_bytes == sent
    later = frame_of(noise(36, 64, 3, seed=5))
    compositor.upload(later, image)
    half = compositor.render(Look(strength=0.5))[..., :3].astype(float)
    assert compositor.upload_bytes == sent + later.pixels.nbytes
    assert np.abs(half - (later.rgb() / 2 + image.rgb() / 2)).max() <= 1


def test_sizes_may_change_from_frame_to_frame(compositor: Compositor) -> None:
    for size in [(64, 36), (33, 21), (64, 36)]:
        frame, image = pair(size)
        compositor.upload(frame, image)
        assert np.array_equal(compositor.render(Look())[..., :3], image.rgb())


def test_pictures_that_do_not_fit_are_refused(compositor: Compositor) -> None:
    with pytest.raises(ValueError, match="nothing was uploaded"):
        compositor.render(Look())
    with pytest.raises(ValueError, match="does not fit"):
        compositor.upload(pair((8, 8))[0], pair((8, 9))[1])
    limit = compositor._context.info["GL_MAX_TEXTURE_SIZE"]
    with pytest.raises(StylizerError, match="larger than"):
        compositor.upload(frame_of(np.zeros((1, limit + 1, 3), np.uint8)), None)


def test_release_twice(presenter: OffscreenPresenter) -> None:
    compositor = Compositor(presenter.context)
    compositor.upload(*pair((16, 8)))
    compositor.render(Look())
    compositor.release()
    compositor.release()


def test_the_hud_may_leave_any_state_behind(
    presenter: OffscreenPresenter, compositor: Compositor
) -> None:
    frame, _ = pair((64, 48))
    presenter.resize((64, 48))
    compositor.upload(frame, None)
    presenter.framebuffer.use()
    presenter.context.enable(moderngl.BLEND | moderngl.CULL_FACE | moderngl.DEPTH_TEST)
    presenter.context.scissor = 3, 3, 5, 5
    compositor.draw(presenter.framebuffer, Rect(0, 0, 64, 48), Look())
    assert np.array_equal(read_rgb(presenter.framebuffer), frame.rgb())
