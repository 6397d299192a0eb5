"""Work recorded once and replayed: a record is only kept where its pictures are right.

What the CPU's sessions lack is played by one that records as CUDA and WebGPU do; the last test
records on a real device, which here is SwiftShader (see scripts/gpu_proof.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from moving_frames import moving_frames

from stylizer.frame import Frame
from stylizer.settings import Settings
from stylizer.style import catalog, providers
from stylizer.style import ort as backend
from stylizer.style.captured import Captured
from stylizer.style.opening import open_style
from stylizer.style.ort import OrtStyle
from stylizer.style.probe import load_model
from stylizer.style.sizes import MOST

SIZE = (128, 104)  # large enough for motion to be seen
SMALL = (64, 48)
REFUSED = (
    "[ONNXRuntimeError] : 1 : FAIL : This session cannot use the graph capture feature as "
    "requested by the user as all compute graph nodes have not been partitioned to the device"
)


class Recording:
    """A session of the CPU that keeps the first binding of each number and runs it ever after,
    whatever is bound later. stale: what it gave first is what it gives ever after."""

    def __init__(self, session: ort.InferenceSession, stale: bool) -> None:
        self._session, self._stale = session, stale
        self.records: dict[str, Any] = {}
        self.replays = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run_with_iobinding(self, binding: Any, options: ort.RunOptions) -> None:
        number = options.get_run_config_entry("gpu_graph_id")
        self.replays += number in self.records
        if number in self.records and self._stale:
            return
        self._session.run_with_iobinding(self.records.setdefault(number, binding))

    def release_captured_graph(self, number: int) -> None:
        del self.records[str(number)]


@pytest.fixture
def opened(monkeypatch) -> Callable[..., tuple[OrtStyle, list[Recording]]]:
    """Opens a fast model on the CPU in the place of a provider that records."""

    def opening(fault: str = "", **row: Any) -> tuple[OrtStyle, list[Recording]]:
        made: list[Recording] = []
        build = providers.build_session

        def built(row: Any, model: bytes, capture: bool = False) -> Any:
            if not capture:
                return build(row, model)
            if fault == "refuses":
                raise providers.ProviderProblem(backend.first_line(RuntimeError(REFUSED)))
            made.append(Recording(build(row, model), fault == "stale"))
            return made[-1]

        monkeypatch.setattr(providers, "build_session", built)
        told = {"gpu": True, "device": "cpu", "capture": "graphs", **row}
        style = OrtStyle(*loaded(), replace(providers.PROVIDERS["cpu"], **told), SIZE)
        return style, made

    return opening


def loaded() -> tuple[Any, Any]:
    path = catalog.resolve("mosaic-fast", "webgpu").path
    assert path is not None
    return load_model(path.with_name("mosaic-fast.onnx"), 0)


def frames(size: tuple[int, int], count: int = 4) -> list[Frame]:
    return moving_frames(size, (8, 4), count=count)


def pictures(style: Any, given: list[Frame]) -> list[np.ndarray]:
    """All are held, so that one drawn over would be seen."""
    made = [style.style(frame).image for frame in given]
    return [image.rgb() for image in made]


@pytest.fixture
def wanted() -> list[np.ndarray]:
    """By the CPU, frames of two sizes in turns."""
    style = OrtStyle(*loaded(), providers.PROVIDERS["cpu"], SIZE)
    found = pictures(style, in_turns())
    style.close()
    return found


def in_turns() -> list[Frame]:
    return [*frames(SIZE), *frames((144, 112)), *frames(SIZE)]


@pytest.mark.parametrize("rgba_output", [False, True])
def test_replays_are_the_pictures_of_their_frames(opened, wanted, rgba_output):
    style, (session,) = opened(rgba_output=rgba_output)
    assert isinstance(style._run, Captured)
    assert "called by itself" not in style.provider_reason
    before = session.replays
    found = pictures(style, in_turns())
    assert session.replays - before == len(found) - 1, "all but the first of the new size"
    assert len(session.records) == 2
    for mine, other in zip(found, wanted, strict=True):
        assert np.array_equal(mine, other)
    style.close()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("stale", "a replay gave another picture"),
        ("refuses", "all compute graph nodes have not been partitioned to the device"),
    ],
)
def test_a_record_that_is_no_good_is_not_used_and_that_is_said(opened, wanted, fault, told):
    style, _ = opened(fault)
    assert not isinstance(style._run, Captured)
    assert "each operator called by itself (" in style.provider_reason
    assert told in style.provider_reason
    for mine, other in zip(pictures(style, in_turns()), wanted, strict=True):
        assert np.array_equal(mine, other)
    style.close()


def test_few_records_are_kept(opened):
    style, (session,) = opened()
    for width in range(16, 16 + 8 * (MOST + 3), 8):
        style.style(frames((width, 48), 1)[0])
    assert len(session.records) == MOST
    style.close()


def test_sessions_by_size_record_as_well(opened):
    style, made = opened(plans=True)
    given = frames(SIZE)
    style.set_inference_size((32, 24))
    style.style(given[0])
    assert style._sizes is not None
    assert style._sizes._coming is not None
    runner = style._sizes._coming[1].result(timeout=60)
    assert isinstance(runner, Captured)
    assert len(made) == 2
    pictures(style, given)
    assert style._run is runner
    style.close()


def test_webgpu_replays():
    """On a real device: nothing is left to the CPU, and replays give what runs without give."""
    try:
        style = open_style(Settings(provider="webgpu"), "mosaic-fast", SMALL)
    except Exception as problem:
        pytest.skip(f"onnxruntime-ep-webgpu with a device is not there: {problem}")
    assert isinstance(style, OrtStyle)
    assert isinstance(style._run, Captured)
    assert not re.search("operators on the CPU|called by itself", style.provider_reason)
    given = frames(SMALL, 2)
    replayed = pictures(style, given)
    style.close()
    row = replace(providers.PROVIDERS["webgpu"], capture="", rgba_output=False)
    plain = OrtStyle(*loaded(), row, SMALL)
    for mine, other in zip(replayed, pictures(plain, given), strict=True):
        assert np.abs(mine.astype(int) - other).max() <= 1
    plain.close()
