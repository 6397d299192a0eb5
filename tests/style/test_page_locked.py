"""Memory that CUDA copies directly, with a runtime library that plays CUDA's on the CPU."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stylizer.frame import Frame
from stylizer.style import catalog, ort, providers
from stylizer.style.ort import OrtStyle
from stylizer.style.probe import load_model
from stylizer.system.page_locked import MOST_SPARE, PageLocked

SIZE = (64, 48)


class Runtime:
    """Counts what is taken and given back; copies within memory. fails: the error of cudaHostAlloc
    from the call with that number on."""

    def __init__(self, fails: int | None = None) -> None:
        self.there: dict[int, Any] = {}
        self.copied: list[int] = []
        self.taken, self._fails = 0, fails
        for name in ("cudaHostAlloc", "cudaFreeHost", "cudaMemcpy"):
            setattr(self, name, Function(getattr(self, f"_{name}")))

    def _cudaHostAlloc(self, place: Any, count: int, flags: int) -> int:
        if self._fails is not None and self.taken >= self._fails:
            return 2  # cudaErrorMemoryAllocation
        self.taken += 1
        memory = ctypes.create_string_buffer(b"\xee" * count, count)
        place._obj.value = ctypes.addressof(memory)
        self.there[ctypes.addressof(memory)] = memory
        return 0

    def _cudaFreeHost(self, address: int) -> int:
        del self.there[address]
        return 0

    def _cudaMemcpy(self, into: int, source: int, count: int, kind: int) -> int:
        assert kind == 2
        assert into in self.there, "a picture goes into page-locked memory"
        ctypes.memmove(into, source, count)
        self.copied.append(count)
        return 0

    def holds(self, array: np.ndarray) -> bool:
        return array.ctypes.data in self.there


class Function:
    """As ctypes has them: argtypes can be set."""

    def __init__(self, work: Any) -> None:
        self._work = work

    def __call__(self, *args: Any) -> int:
        return self._work(*args)


def test_a_piece_is_used_again_only_when_nobody_looks_at_it():
    runtime = Runtime()
    memory = PageLocked(lambda name: runtime)
    first = memory.empty((4, 6))
    first.fill(7)
    view = first[1:3].reshape(-1)
    del first
    second = memory.empty((4, 6))
    second.fill(9)
    assert runtime.taken == 2
    assert (view == 7).all()
    del view, second
    third, fourth = memory.empty((24,)), memory.empty((6,), np.uint32)
    assert runtime.taken == 2
    assert third.shape == (24,)
    assert (fourth.shape, fourth.dtype) == ((6,), np.uint32)
    memory.close()
    assert len(runtime.there) == 2, "what is held is still there"
    del third, fourth
    assert not runtime.there


def test_few_are_kept():
    runtime = Runtime()
    memory = PageLocked(lambda name: runtime)
    arrays = [memory.empty((n + 1,)) for n in range(MOST_SPARE + 3)]
    arrays.clear()
    assert len(runtime.there) == MOST_SPARE
    memory.close()
    memory.close()
    assert not runtime.there


def test_what_lies_elsewhere_is_fetched():
    runtime = Runtime()
    memory = PageLocked(lambda name: runtime)
    there = np.arange(24, dtype=np.uint8).reshape(1, 4, 6)
    assert np.array_equal(memory.fetch(there.ctypes.data, (1, 4, 6)), there)


def opened(monkeypatch, runtime: Runtime | None, file: str, **row: Any) -> OrtStyle:
    """A model on the CPU in CUDA's place."""

    def load(name: str) -> Runtime:
        if runtime is None:
            raise OSError(f"{name}: cannot open shared object file")
        return runtime

    monkeypatch.setattr(ort, "PageLocked", lambda: PageLocked(load))
    path = catalog.resolve("mosaic-fast", "cpu").path
    assert path is not None
    told = {"gpu": True, "device": "cpu", "page_locked": True, **row}
    provider = replace(providers.PROVIDERS["cpu"], **told)
    return OrtStyle(*load_model(path.with_name(file), 0), provider, SIZE)


def pictures(style: OrtStyle, sizes: list[tuple[int, int]]) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    frames = [Frame(rng.integers(0, 256, (h, w, 4), np.uint8), "BGRA", 0.0, 0) for w, h in sizes]
    made = [style.style(frame).image for frame in frames]
    return [image.rgb() for image in made if image is not None]


SIZES = [SIZE] * 6 + [(44, 30)] * 3 + [SIZE]


@pytest.mark.parametrize("file", ["mosaic-fast.onnx", "mosaic-fast-int8.onnx"])
def test_frames_and_pictures_lie_there_and_none_is_overwritten(monkeypatch, file):
    runtime = Runtime()
    style = opened(monkeypatch, runtime, file)
    assert "copied by way" not in style.provider_reason
    found = pictures(style, SIZES)
    assert len(runtime.copied) == len(SIZES) + 1, "and the one of the warm-up"
    packed = style._packer.pack(Frame(np.zeros((48, 64, 4), np.uint8), "RGBA", 0.0, 0))
    assert runtime.holds(packed)
    plain = opened(monkeypatch, runtime, file, page_locked=False)
    for mine, other in zip(found, pictures(plain, SIZES), strict=True):
        assert np.array_equal(mine, other)
    style.close()
    del found, packed, style, mine, other
    assert not runtime.there


@pytest.mark.parametrize(
    ("runtime", "told"), [(None, "cannot open shared object"), (Runtime(fails=0), "CUDA error 2")]
)
def test_without_it_pictures_come_all_the_same_and_that_is_said(monkeypatch, runtime, told):
    style = opened(monkeypatch, runtime, "mosaic-fast-int8.onnx")
    assert "copied by way of the driver's own memory (" in style.provider_reason
    assert told in style.provider_reason
    plain = opened(monkeypatch, runtime, "mosaic-fast-int8.onnx", page_locked=False)
    for mine, other in zip(pictures(style, SIZES), pictures(plain, SIZES), strict=True):
        assert np.array_equal(mine, other)
    style.close()
    plain.close()
