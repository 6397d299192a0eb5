"""Sessions by size: frames go on while one is made, which then takes over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from stylizer.frame import Frame
from stylizer.style import catalog, providers
from stylizer.style.ort import OrtStyle
from stylizer.style.probe import load_model
from stylizer.style.sizes import MOST, BySize

FRAME, SMALL, SMALLER = (96, 64), (64, 48), (48, 32)


class Builds:
    """Real sessions, of which all but the first wait for `go`; counted."""

    def __init__(self) -> None:
        self.count, self.go, self.fails = 0, threading.Event(), False
        self._build = providers.build_session

    def __call__(self, row: providers.Provider, model: bytes, capture: bool = False):
        self.count += 1
        if self.count > 1:
            assert self.go.wait(30)
            if self.fails:
                raise providers.ProviderProblem("no memory is left")
        return self._build(row, model, capture)


@pytest.fixture
def builds(monkeypatch) -> Builds:
    builds = Builds()
    monkeypatch.setattr(providers, "build_session", builds)
    return builds


@pytest.fixture
def style(builds) -> Iterator[OrtStyle]:
    """The CPU bound as a GPU is that plans each size."""
    file = catalog.resolve("mosaic-fast", "cpu")
    assert file.path is not None
    model, proto = load_model(file.path, 0)
    row = replace(providers.PROVIDERS["cpu"], gpu=True, device="cpu", plans=True)
    style = OrtStyle(model, proto, row, FRAME, move_canvas=False)
    yield style
    builds.go.set()
    style.close()
    style.close()


def seen(style: OrtStyle) -> tuple[int, int]:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (FRAME[1], FRAME[0], 4), np.uint8)
    image = style.style(Frame(pixels, "RGBA", 0.0, 0)).image
    assert image is not None
    return image.size


def made(style: OrtStyle, size: tuple[int, int]) -> None:
    """Wait until the size is there."""
    assert style._sizes is not None
    coming = style._sizes._coming
    assert coming is not None
    assert coming[0] == size
    coming[1].exception(timeout=30)


def test_frames_go_on_until_the_size_is_there(style, builds):
    assert seen(style) == FRAME
    style.set_inference_size(SMALL)
    assert [seen(style) for _ in range(3)] == [FRAME] * 3
    builds.go.set()
    made(style, SMALL)
    assert seen(style) == SMALL
    assert builds.count == 2
    style.set_inference_size(None)
    assert seen(style) == FRAME, "the first session is kept"
    style.set_inference_size(SMALL)
    assert seen(style) == SMALL
    assert builds.count == 2, "nothing is made twice"


def test_the_last_wish_counts(style, builds):
    style.set_inference_size(SMALL)
    seen(style)
    style.set_inference_size(SMALLER)
    seen(style)
    builds.go.set()
    made(style, SMALL)
    assert seen(style) == FRAME, "nobody wants that one any more"
    made(style, SMALLER)
    assert seen(style) == SMALLER


def test_a_size_that_cannot_be_made_is_run_by_the_session_there_is(style, builds):
    builds.fails = True
    builds.go.set()
    style.set_inference_size(SMALL)
    seen(style)
    made(style, SMALL)
    assert seen(style) == SMALL
    assert builds.count == 2


def test_other_providers_take_a_size_at_once():
    assert [row.name for row in providers.PROVIDERS.values() if row.plans] == ["cuda"]


def test_few_are_kept():
    sizes = BySize("usual", (0, 0), lambda size: f"of {size}")
    for side in range(1, 3 * MOST):
        while not sizes.ready((side, side)):
            pass
        assert sizes.at((side, side)) == f"of {(side, side)}"
    assert len(sizes._made) == MOST
    assert sizes.at((1, 1)) == "usual", "any size can be run"
    sizes.close()
