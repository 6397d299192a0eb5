"""The canvas goes with the picture: shifts, cuts, walking, fades."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from canvas_files import HALF, KINDS, styled

from stylizer.app.options import build_parser
from stylizer.app.run_settings import run_settings
from stylizer.frame import Frame, StyledImage
from stylizer.settings import Settings
from stylizer.style.canvas import mixed, sharper
from stylizer.style.opening import open_style

# --- the canvas goes with the picture -------------------------------------------------------------

WIDE = (320, 240)
RIM = 32  # pixels: what comes in at the edge has no motion to measure


def soft_tile(side: int = 64) -> np.ndarray:
    """A seamless tile of soft blobs, uint8 (side, side, 3)."""
    noise = np.random.default_rng(4).normal(0, 1, (side, side, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(np.tile(noise, (3, 3, 1)), (0, 0), 4)[side : 2 * side, side : 2 * side]
    return np.clip(soft / soft.std() * 20 + 128, 60, 200).astype(np.uint8)


def scene(seed: int = 0) -> np.ndarray:
    """uint8 BGRA, 64 pixels larger on each side than WIDE."""
    noise = np.random.default_rng(seed).normal(0, 1, (368, 448, 4)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 6)
    return np.clip(soft / soft.std() * 12 + 128, 80, 180).astype(np.uint8)


def view(picture: np.ndarray, x: int = 0, y: int = 0) -> Frame:
    part = picture[64 + y : 64 + y + WIDE[1], 64 + x : 64 + x + WIDE[0]]
    return Frame(np.ascontiguousarray(part), "BGRA", 0.0, 0)


@pytest.fixture(params=["blocks", "float32"])
def soft_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return KINDS[request.param](tmp_path / "m.onnx", soft_tile())


def canvas_seen(style, frame: Frame) -> np.ndarray:
    """The canvas in what a network of these tests gives, integers (height, width, 3)."""
    return styled(style, frame) - frame.rgb() + 128


def resting(x: int = 0, y: int = 0) -> np.ndarray:
    """The canvas when the camera has gone by (x, y)."""
    return np.roll(np.tile(soft_tile(), (4, 5, 1)), (-y, -x), (0, 1))[: WIDE[1], : WIDE[0]]


def inner_error(got: np.ndarray, wanted: np.ndarray) -> float:
    part = np.s_[RIM:-RIM, RIM:-RIM]
    return float(np.abs(got[part] - wanted[part].astype(int)).mean())


def test_the_canvas_moves_by_the_shift_of_the_picture(soft_path):
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture = scene()
    assert np.array_equal(canvas_seen(style, view(picture)), resting())
    got = resting()
    for number in range(1, 6):
        got = canvas_seen(style, view(picture, 4 * number, -2 * number))
    wanted = resting(20, -10)
    assert inner_error(got, wanted) < 3.5, "less than a pixel"
    assert inner_error(got, resting()) > 10, "it is not where it was"


@pytest.mark.parametrize("kind", HALF)
def test_a_canvas_of_half_the_size_moves_by_half_as_many_pixels(tmp_path, kind):
    path = HALF[kind](tmp_path / "m.onnx", soft_tile())
    style = open_style(Settings(provider="cpu"), str(path), WIDE)
    picture = scene()
    for number in range(6):
        got = canvas_seen(style, view(picture, 4 * number, -2 * number))
    assert inner_error(got[::2, ::2], resting(10, -5)[: WIDE[1] // 2, : WIDE[0] // 2]) < 3.5


def test_a_canvas_between_pixels_stays_sharp():
    """Read halfway between its pixels, a tile of strokes two pixels wide keeps its contrast."""
    rows = np.where(np.arange(64) // 2 % 2, 160, 96).astype(np.uint8)
    tile = np.dstack([np.tile(rows[:, None], (1, 64))] * 4)
    halfway = (sharper(tile).astype(float) + np.roll(sharper(tile), 1, 0)) / 2
    plain = (tile.astype(float) + np.roll(tile, 1, 0)) / 2
    assert 1.1 * plain.std() < halfway.std() < 1.1 * tile.std()


def test_still_frames_give_identical_bytes(soft_path):
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture = scene()
    for number in range(3):
        style.style(view(picture, 5 * number, 3))
    moved = styled(style, view(picture, 10, 3))
    assert not np.array_equal(canvas_seen(style, view(picture, 10, 3)), resting())
    for _ in range(3):
        assert np.array_equal(styled(style, view(picture, 10, 3)), moved)


def test_a_cut_starts_anew(soft_path):
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture = scene()
    for number in range(3):
        style.style(view(picture, 5 * number))
    other = Frame(255 - scene(9)[:240, :320] // 2, "BGRA", 0.0, 0)
    assert np.array_equal(canvas_seen(style, other)[100], resting()[100])


@pytest.mark.parametrize("settings", [{"source": "images"}, {"move_canvas": False}])
def test_the_canvas_of_images_and_one_told_so_never_moves(soft_path, settings):
    style = open_style(Settings(provider="cpu", **settings), str(soft_path), WIDE)
    picture = scene()
    for number in range(4):
        got = canvas_seen(style, view(picture, 6 * number, 2))
        assert np.array_equal(got, resting())


@pytest.mark.parametrize(
    ("words", "moves"),
    [
        ([], True),
        (["--stabilise", "0.8"], True),
        (["--stabilise", "0"], False),
        (["--stabilise", "0", "--move-canvas"], True),
        (["--no-move-canvas"], False),
        (["--source", "images", "--input", "."], False),
    ],
)
def test_when_the_canvas_moves(words, moves):
    assert run_settings(build_parser().parse_args(["run", *words])).canvas_moves == moves


def test_what_the_network_sees_may_be_smaller_than_the_frame(soft_path):
    style = open_style(Settings(provider="cpu", inference_size=(160, 120)), str(soft_path), WIDE)
    picture, image = scene(), None
    for number in range(5):
        image = style.style(view(picture, 8 * number)).image
    assert isinstance(image, StyledImage)
    assert image.model_input is not None
    got = image.rgb().astype(int) - image.model_input[..., 2::-1] + 128
    assert inner_error(got, resting(16)[:120, :160]) < 2.0


def test_a_fade_keeps_the_contrast_and_ends_in_the_fresh_texture():
    old, fresh = (
        np.dstack([tile, tile[..., :1]]) for tile in (soft_tile(), soft_tile()[::-1, ::-1])
    )
    for share in (0.25, 0.5, 0.75):
        faded = old.copy()
        mixed(faded, np.ascontiguousarray(fresh), share)
        plain = (1 - share) * old[..., 1] + share * fresh[..., 1]
        assert faded[..., 1].std() > 1.05 * plain.std()
        assert faded[..., 1].std() < 1.02 * old[..., 1].std()
    alike = old.copy()
    mixed(alike, old, 0.5)
    assert np.abs(alike.astype(int) - old).max() <= 1, "what is the same stays as it is"


def test_walking_forward_goes_on_without_a_jump(soft_path):
    """A zoom without end: from frame to frame the canvas changes less than if it began anew."""
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture, changes, last = scene(), [], None
    for number in range(40):
        side = int(300 / 1.015 ** (number % 20))
        grown = cv2.resize(picture[: side * 3 // 4 + 64, : side + 64], WIDE)
        canvas = canvas_seen(style, Frame(grown, "BGRA", 0.0, 0))
        if last is not None:
            changes.append(np.abs(canvas - last)[RIM:-RIM, RIM:-RIM].mean())
        last = canvas
    assert np.median(changes) < 12


def test_warming_up_moves_nothing(soft_path):
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture = scene()
    style.style(view(picture))
    style.style(view(picture, 5))
    style.warm_up(WIDE)
    assert np.array_equal(canvas_seen(style, view(picture)), resting())


def test_a_frame_told_to_be_a_first_one_starts_anew(soft_path):
    style = open_style(Settings(provider="cpu"), str(soft_path), WIDE)
    picture = scene()
    for number in range(3):
        style.style(view(picture, 5 * number))
    style.forget()
    assert np.array_equal(canvas_seen(style, view(picture, 15)), resting())
