"""The stabilizer's pixels against numpy: held where the source stands still, new where it moves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from stylizer.compose.compositor import Compositor, Look
from stylizer.frame import Frame, Rect, StyledImage
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import Settings

WIDTH, HEIGHT = 96, 50
KEEP = 0.8


@pytest.fixture(params=[False, True], ids=["packed", "planes"])
def compositor(request: pytest.FixtureRequest) -> Iterator[Compositor]:
    presenter = OffscreenPresenter(Settings(), (64, 48))
    compositor = Compositor(presenter.context, planar_on_gpu=request.param, keep=KEEP)
    yield compositor
    compositor.release()
    assert presenter.context.error == "GL_NO_ERROR"
    presenter.close()


def picture(seed: int, low: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, (HEIGHT, WIDTH, 3), np.uint8)


def show(
    compositor: Compositor, source: np.ndarray, styled: np.ndarray, bottom_up: bool = False
) -> np.ndarray:
    """The picture shown for a new pair, as integers."""
    frame = Frame(source.copy(), "RGB", 0.0, 0)
    if bottom_up:
        image = StyledImage(np.ascontiguousarray(styled[::-1]), bottom_up=True)
    else:
        image = StyledImage(np.ascontiguousarray(styled.transpose(2, 0, 1)), "chw")
    compositor.upload(frame, image)
    return compositor.render(Look())[..., :3].astype(int)


def test_the_first_picture_is_the_styled_one(compositor: Compositor) -> None:
    styled = picture(1)
    assert np.array_equal(show(compositor, picture(0), styled), styled)


def test_a_still_source_holds_the_last_picture(compositor: Compositor) -> None:
    source, first, second = picture(0), picture(1), picture(2)
    show(compositor, source, first)
    expected = KEEP * first.astype(float) + (1 - KEEP) * second
    assert np.abs(show(compositor, source, second) - expected).max() <= 1
    shown = [show(compositor, source, second) for _ in range(60)]
    assert np.abs(shown[-1] - second).max() <= 3, "in the end it lets go"


def test_pictures_given_bottom_up_are_held_alike(compositor: Compositor) -> None:
    source, first, second = picture(0), picture(1), picture(2)
    assert np.array_equal(show(compositor, source, first, bottom_up=True), first)
    expected = KEEP * first.astype(float) + (1 - KEEP) * second
    assert np.abs(show(compositor, source, second, bottom_up=True) - expected).max() <= 1


def test_noise_of_one_step_is_still(compositor: Compositor) -> None:
    source, first, second = picture(0, 10, 240), picture(1), picture(2)
    show(compositor, source, first)
    noisy = source + np.random.default_rng(3).integers(-1, 2, source.shape).astype(np.uint8)
    expected = KEEP * first.astype(float) + (1 - KEEP) * second
    assert np.abs(show(compositor, noisy, second) - expected).max() <= 1


def test_where_the_source_moves_the_new_picture_is_taken_at_once(compositor: Compositor) -> None:
    source, first, second = picture(0, 40, 120), picture(1), picture(2)
    show(compositor, source, first)
    moved = source.copy()
    moved[5:20, 30:60] += 80  # an odd place, so that a flip would show
    shown = show(compositor, moved, second)
    assert np.abs(shown - second)[5:20, 30:60].max() == 0
    held = np.abs(shown - second)
    held[5:20, 30:60] = 255
    assert np.median(held) > 20, "elsewhere the last picture is held"


@pytest.mark.parametrize("how", ["cut", "forget", "size"])
def test_another_scene_or_model_holds_nothing(compositor: Compositor, how: str) -> None:
    source = picture(0, 0, 60)
    show(compositor, source, picture(1))
    second = picture(2)
    if how == "forget":
        compositor.forget()
    elif how == "size":
        source, second = source[:32, :48], second[:32, :48]
    else:  # half the picture changes by far: the still half is another scene's all the same
        source = source.copy()
        source[:, : WIDTH // 2] += 150
    assert np.array_equal(show(compositor, source, np.ascontiguousarray(second)), second)


def test_the_same_pair_drawn_again_is_not_held_again(compositor: Compositor) -> None:
    source, first, second = picture(0), picture(1), picture(2)
    show(compositor, source, first)
    frame = Frame(source.copy(), "RGB", 0.0, 0)
    image = StyledImage(np.ascontiguousarray(second.transpose(2, 0, 1)), "chw")
    compositor.upload(frame, image)
    once = compositor.render(Look())
    compositor.upload(frame, image)
    assert np.array_equal(compositor.render(Look()), once)


def test_the_framebuffer_shows_what_is_recorded(compositor: Compositor) -> None:
    """A plain copy on the screen, a pass of shaders in a recording or under a wipe: one picture."""
    source, first, second = picture(0, 40, 120), picture(1), picture(2)
    presenter = OffscreenPresenter(Settings(), (WIDTH, HEIGHT))
    own = Compositor(presenter.context, keep=KEEP)
    show(own, source, first)
    shown = show(own, source, second)
    whole = Rect(0, 0, WIDTH, HEIGHT)
    own.draw(presenter.framebuffer, whole, Look())
    assert np.array_equal(presenter.read_back(), shown)
    own.draw(presenter.framebuffer, whole, Look(strength=0.5))
    half = (source.astype(float) + shown) / 2
    assert np.abs(presenter.read_back() - half).max() <= 1
    own.release()
    presenter.close()
