"""The finder on recorded games (clips/) against masks drawn by hand, and on pictures made here."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from stylizer.compose.masks import Mask, rasterize
from stylizer.frame import Shape
from stylizer.rules import shape
from stylizer.run.hud_finder import ENOUGH, HudFinder

CLIPS = Path(__file__).with_name("clips")
TRUTH = tomllib.loads((CLIPS / "truth.toml").read_text())
SIZE = (240, 160)


def frames_of(clip: Path) -> Iterator[np.ndarray]:
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def inside(shapes: tuple[Shape, ...], size: tuple[int, int]) -> np.ndarray:
    return rasterize(Mask(shapes), size) > 127


@pytest.mark.parametrize("game", TRUTH)
def test_a_games_hud_is_found_and_its_scene_is_not(game: str) -> None:
    finder, size = HudFinder(), (0, 0)
    for pixels in frames_of(CLIPS / f"{game}.mp4"):
        finder.look(pixels)
        size = pixels.shape[1], pixels.shape[0]
    truth = inside(tuple(shape(text) for text in TRUTH[game]), size)
    found = inside(finder.shapes(), size)
    kept, wrong = found[truth].mean(), found[~truth].mean()
    print(f"{game}: found {kept:.0%} of the mask, {wrong:.1%} of the scene")
    assert kept >= 0.8
    assert wrong <= 0.02


def moving(step: int, x: int, y: int) -> np.ndarray:
    """A scene of noise that has gone so many steps of (x, y) pixels."""
    wide = np.random.default_rng(1).integers(0, 256, (1000, 1000, 1), np.uint8)
    start_x, start_y = 100 + step * x, 100 + step * y
    part = wide[start_y : start_y + SIZE[1], start_x : start_x + SIZE[0]]
    return np.repeat(part, 3, axis=2)


def with_bar(pixels: np.ndarray) -> np.ndarray:
    """With a HUD: a bar with marks on it, 60 x 12 at (10, 8)."""
    pixels[8:20, 10:70] = 20
    pixels[11:17, 14:66:6] = 230
    pixels[11:17, 15:66:6] = 230
    return pixels


def test_a_bar_over_a_moving_scene() -> None:
    finder = HudFinder()
    for step in range(2 * ENOUGH):
        assert finder.ready == (step > ENOUGH)
        finder.look(with_bar(moving(step, 3, 2)))
    (bar,) = finder.shapes()
    assert np.allclose(np.array(bar.box) * [*SIZE, *SIZE], [10, 8, 70, 20], atol=4)


def test_while_nothing_moves_nothing_is_said() -> None:
    finder = HudFinder()
    for _ in range(3 * ENOUGH):
        finder.look(with_bar(moving(0, 0, 0)))
    assert finder.moved == 0
    assert finder.shapes() == ()


def test_flat_parts_and_what_slides_along_itself_are_no_hud() -> None:
    """A ground that scrolls, below a flat sky: its rim seems to stand still."""
    finder = HudFinder()
    for step in range(3 * ENOUGH):
        pixels = moving(step, 4, 0)
        pixels[:80] = 90
        pixels[80:84] = 250
        finder.look(pixels)
    assert finder.ready
    assert finder.shapes() == ()


def test_it_holds_on_to_what_was_found_and_lets_go_of_what_has_gone() -> None:
    finder, never = HudFinder(), HudFinder()

    def look(who: HudFinder, steps: range, bar: set[int]) -> None:
        for step in steps:
            pixels = moving(step, 3, 2)
            who.look(with_bar(pixels) if step in bar else pixels)

    look(finder, range(40), bar=set(range(40)))
    before = np.count_nonzero(finder.found)
    look(finder, range(40, 50), bar=set())  # covered for two seconds, by an explosion say
    assert np.count_nonzero(finder.found) > 0.8 * before
    look(never, range(10, 50), bar=set(range(10, 50)) - set(range(10, 50, 3)))
    assert np.count_nonzero(never.found) < 0.3 * before, "as often there, but never found"
    look(finder, range(50, 150), bar=set())
    assert not finder.found.any()
    assert finder.shapes() == ()


def test_another_size_begins_anew() -> None:
    finder = HudFinder()
    for step in range(2 * ENOUGH):
        finder.look(with_bar(moving(step, 3, 2)))
    finder.look(np.zeros((90, 120, 3), np.uint8))
    assert not finder.ready
    assert finder.shapes() == ()
