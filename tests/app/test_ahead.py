"""What is loaded while the start window waits: taken by the run that wants it, and by no other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from stylizer.app.ahead import Ahead
from stylizer.run.pipeline import run
from stylizer.settings import Settings

LIKELY = Settings(
    source="synthetic", size=(64, 48), model="mosaic-fast", provider="cpu", present="offscreen",
    frames=2, sync=True, hud="off",
)  # fmt: skip


@pytest.fixture
def ahead() -> Iterator[Ahead]:
    one = Ahead()
    yield one
    one.close()


def test_the_demo_is_drawn_once(ahead: Ahead):
    while (demo := ahead.take_demo()) is None:
        time.sleep(0.05)
    assert demo.shape == (270, 480, 3)
    assert demo.std() > 10
    assert ahead.take_demo() is None


def test_the_run_that_was_expected_paints_by_the_model_opened_ahead(ahead: Ahead):
    ahead.expect(LIKELY, (640, 360), "")  # of another size than the run's
    assert ahead.expects
    given = []

    def opened_ahead(settings: Settings, name: str):
        given.append(ahead.model(settings, name))
        given[-1].provider_reason = "opened ahead"
        return given[-1]

    result = run(LIKELY, opened_ahead=opened_ahead)
    assert len(given) == 1
    assert result.facts["provider_reason"] == "opened ahead"
    assert ahead.model(LIKELY, LIKELY.model) is None  # it was that run's


def test_another_run_opens_its_own(ahead: Ahead):
    assert ahead.model(LIKELY, LIKELY.model) is None  # nothing was expected yet
    ahead.expect(LIKELY, (64, 48), "")
    assert ahead.model(LIKELY, "ink-fast") is None
    other = replace(LIKELY, model="ink-fast")
    assert ahead.model(other, other.model) is None
    smaller = replace(LIKELY, inference_size=(32, 32))
    assert ahead.model(smaller, smaller.model) is None
    assert ahead.model(LIKELY, LIKELY.model) is not None


def test_shaders_of_a_gpu_are_left_to_the_run(ahead: Ahead):
    auto = replace(LIKELY, provider="auto")
    ahead.expect(auto, (64, 48), "")
    assert ahead.expects
    assert ahead.model(auto, auto.model) is None


def test_a_model_that_cannot_be_opened_is_the_runs_to_say(ahead: Ahead):
    missing = replace(LIKELY, model="no-such-model")
    ahead.expect(missing, (64, 48), "")
    assert ahead.model(missing, missing.model) is None
