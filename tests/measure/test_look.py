"""The figures of a painted frame: what is known of them, and what must not pass for a painting."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from stylizer.measure.look import GOALS, GOALS_MOSAIC, goals_of, look, missed
from stylizer.measure.regularity import regularity
from stylizer.painting.grade import color_grade, colors_of
from stylizer.source.demo.scene import DemoScene

SIZE = (640, 360)
MOMENT = 60  # of the flight: mountains, a village and a flat foreground


@pytest.fixture(scope="module")
def frame() -> Iterator[np.ndarray]:
    scene = DemoScene(SIZE, 0)
    try:
        yield scene.render(MOMENT)[..., :3].copy()
    finally:
        scene.close()


def test_the_source_is_like_itself_and_a_flat_picture_like_nothing(frame: np.ndarray):
    same, flat = look(frame, frame), look(frame, np.full_like(frame, 128))
    for name in ("grad4", "ssim4", "luma8", "chroma8", "edges", "detail"):
        assert same[name] == pytest.approx(1, abs=0.01), name
    for name in ("grad4", "luma8", "chroma8", "detail", "rms", "range", "strokes", "acf_peak"):
        assert flat[name] == pytest.approx(0, abs=0.01), name


def test_source_with_film_grain_and_the_bare_graded_source_are_no_paintings(frame: np.ndarray):
    grain = np.random.default_rng(0).normal(0, 16, (*frame.shape[:2], 1))
    grainy = np.clip(frame + grain, 0, 255).astype(np.uint8)
    painting = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    matrix, offset = color_grade(colors_of([frame]), colors_of([painting]))
    graded = np.clip((frame / 255 @ matrix.T + offset) * 255, 0, 255).astype(np.uint8)
    for goals in (GOALS, GOALS_MOSAIC):
        assert {"acf_peak", "strokes"} & set(missed(look(frame, grainy), goals))
        assert "strokes" in missed(look(frame, graded), goals)


def test_strokes_in_calm_places_are_seen_and_fine_grain_is_not(frame: np.ndarray):
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.normal(0, 40, (SIZE[1] // 10, SIZE[0] // 10)).astype(np.float32))
    strokes = np.asarray(coarse.resize(SIZE, Image.Resampling.BICUBIC))[..., None]
    marked = np.clip(frame + strokes, 0, 255).astype(np.uint8)
    grain = rng.normal(0, 16, frame.shape)
    bare, grainy = look(frame, frame), look(frame, np.clip(frame + grain, 0, 255).astype(np.uint8))
    assert look(frame, marked)["strokes"] > bare["strokes"] + 0.03
    assert grainy["strokes"] < bare["strokes"] + 0.01


def test_a_net_is_regular_and_noise_is_not():
    y, x = np.mgrid[:128, :192]
    net = 0.1 * np.sin(2 * np.pi * x / 16) * np.sin(2 * np.pi * y / 16)
    rough = np.random.default_rng(0).normal(0, 0.1, net.shape)
    assert regularity(net) > 1.5
    assert regularity(rough) < regularity(net) / 2
    assert regularity(np.zeros((128, 192))) == 0
    assert regularity(net[:40]) == 0


def test_two_sizes_are_refused(frame: np.ndarray):
    with pytest.raises(ValueError, match="not its source's"):
        look(frame, frame[1:])


def test_goals_follow_the_style():
    colored = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    ink = np.repeat(colored[..., :1], 3, axis=2)
    assert goals_of("mosaic", colored)["edges"] == (0.80, float("inf"))
    assert goals_of("udnie", colored)["edges"] == (0.76, float("inf"))
    assert "chroma8" not in goals_of("udnie", ink)
    assert goals_of("udnie", ink)["luma8"][0] == 0.8
    assert missed({"edges": 0.7, "carpet": 0.4}, GOALS) == ["edges"]
    assert missed({"edges": float("nan")}, GOALS) == ["edges"]
