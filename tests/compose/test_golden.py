"""The compositor's passes against stored pictures (tests/golden), on the software renderer.

`GOLDEN=write pytest tests/compose/test_golden.py` stores what is drawn now: look at it before it is
committed. On another renderer the passes are drawn all the same, and not compared.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_hud import DATA

from stylizer.compose.compositor import Compositor, Look
from stylizer.compose.hud import Hud
from stylizer.frame import Frame, StyledImage, letterbox
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import Settings
from stylizer.stages import is_software_gl

FOLDER = Path(__file__).parents[1] / "golden"
WIDTH, HEIGHT = 160, 96
MEAN, MOST = 0.25, 3  # of 255: what another version of the renderer may round otherwise
Draw = Callable[[OffscreenPresenter], np.ndarray]


def scene(shift: int = 0) -> np.ndarray:
    """A sky, a sun, a checkered floor and thin lines: uint8 (HEIGHT, WIDTH, 3)."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    picture = np.stack([60 + y, 120 + y // 2, 230 - y], 2)
    floor = y >= 60
    checks = ((x - shift) // 8 + y // 6) % 2 == 0
    picture[floor] = np.where(checks[floor][:, None], (190, 150, 90), (70, 60, 50))
    picture[(x - 40 - shift) ** 2 + (y - 24) ** 2 < 144] = (250, 220, 120)
    picture[(x + y) % 40 == 0] = (20, 20, 30)
    return picture.astype(np.uint8)


def stylized(picture: np.ndarray) -> np.ndarray:
    """Something else of the same size: other colors, in stripes, so that a flip shows."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    strokes = 30 * np.sin((x + 2 * y) / 3)[:, :, None]
    return np.clip(255 - picture[:, :, [1, 2, 0]] + strokes, 0, 255).astype(np.uint8)


def blend(presenter: OffscreenPresenter, look: Look, small: bool = False) -> np.ndarray:
    """A pair, the frame as captures give it; small: the network saw a quarter of the pixels."""
    source = scene()
    seen = source[::2, ::2]
    styled = stylized(seen if small else source)
    compositor = Compositor(presenter.context)
    try:
        planes = np.ascontiguousarray(styled.transpose(2, 0, 1))
        image = StyledImage(planes, "chw", as_captured(seen) if small else None)
        compositor.upload(Frame(as_captured(source), "BGRA", 0.0, 0), image)
        rect = letterbox((WIDTH, HEIGHT), presenter.framebuffer.size)
        compositor.draw(presenter.framebuffer, rect, look)
        return presenter.read_back()
    finally:
        compositor.release()


def as_captured(rgb: np.ndarray) -> np.ndarray:
    """The picture as BGRA with an alpha that means nothing."""
    alpha = np.full((*rgb.shape[:2], 1), 9, np.uint8)
    return np.ascontiguousarray(np.concatenate([rgb[:, :, ::-1], alpha], 2))


def stabilized(presenter: OffscreenPresenter) -> np.ndarray:
    """The second of two pairs: the sun and the floor have moved, the sky stands still."""
    compositor = Compositor(presenter.context, keep=0.8)
    try:
        for shift, styled in ((0, stylized(scene())), (12, 255 - stylized(scene()))):
            planes = np.ascontiguousarray(styled.transpose(2, 0, 1))
            compositor.upload(Frame(scene(shift), "RGB", 0.0, 0), StyledImage(planes, "chw"))
        return np.ascontiguousarray(compositor.render(Look())[:, :, :3])
    finally:
        compositor.release()


def figures(presenter: OffscreenPresenter, **changes: object) -> np.ndarray:
    """The HUD over a plain picture."""
    presenter.resize((640, 400))
    hud = Hud(presenter.context, 1.0)
    try:
        presenter.framebuffer.use()
        presenter.framebuffer.clear(0.8, 0.7, 0.4, 1.0)
        hud.draw(presenter.framebuffer, replace(DATA, **changes))  # pyright: ignore[reportArgumentType]
        return presenter.read_back()
    finally:
        hud.release()


def letterboxed(presenter: OffscreenPresenter) -> np.ndarray:
    presenter.resize((320, 150))
    return blend(presenter, Look(0.7))


PASSES: dict[str, Draw] = {
    "source": lambda p: blend(p, Look(show_source=True)),
    "styled": lambda p: blend(p, Look()),
    "half": lambda p: blend(p, Look(0.5)),
    "colors-kept": lambda p: blend(p, Look(keep_colors=True)),
    "wipe": lambda p: blend(p, Look(wipe=0.4)),
    "small-with-detail": lambda p: blend(p, Look(), small=True),
    "small-upsampled": lambda p: blend(p, Look(detail=False), small=True),
    "letterboxed": letterboxed,
    "stabilized": stabilized,
    "hud-fps": lambda p: figures(p, mode="fps"),
    "hud-graph": lambda p: figures(p, mode="graph"),
}


@pytest.fixture
def presenter() -> Iterator[OffscreenPresenter]:
    presenter = OffscreenPresenter(Settings(), (WIDTH, HEIGHT))
    yield presenter
    assert presenter.context.error == "GL_NO_ERROR"
    presenter.close()


def stored(name: str) -> np.ndarray:
    return np.asarray(Image.open(FOLDER / f"{name}.png").convert("RGB"))


def is_like(got: np.ndarray, wanted: np.ndarray) -> bool:
    difference = np.abs(got.astype(int) - wanted)
    return bool(difference.mean() <= MEAN and difference.max() <= MOST)


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_draws_what_is_stored(presenter: OffscreenPresenter, name: str, tmp_path) -> None:
    got = PASSES[name](presenter)[..., :3]
    if not is_software_gl(presenter.context.info["GL_RENDERER"]):
        pytest.skip("stored pictures are the software renderer's")
    if os.environ.get("GOLDEN") == "write":
        Image.fromarray(got).save(FOLDER / f"{name}.png")
        pytest.skip(f"wrote {name}.png")
    wanted = stored(name)
    assert got.shape == wanted.shape
    Image.fromarray(got).save(tmp_path / f"{name}.png")
    difference = np.abs(got.astype(int) - wanted)
    assert is_like(got, wanted), (
        f"{tmp_path / name}.png is off by {difference.mean():.2f} in the mean, "
        f"{difference.max()} at most"
    )


def test_every_stored_picture_has_a_pass() -> None:
    assert {path.stem for path in FOLDER.glob("*.png")} == set(PASSES)


@pytest.mark.parametrize("strength", [0.48, 0.52])
def test_a_pass_that_is_a_little_wrong_is_seen(
    presenter: OffscreenPresenter, strength: float
) -> None:
    got = blend(presenter, Look(strength))[..., :3]
    assert not is_like(got, stored("half"))
    assert not is_like(stored("half")[::-1], stored("half")), "a flip"
    assert not is_like(stored("half")[..., ::-1], stored("half")), "blue for red"
    assert not is_like(stored("small-upsampled"), stored("small-with-detail"))
