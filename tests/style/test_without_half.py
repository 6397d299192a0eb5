"""A device that refuses fp16 files is given the fp32 file, unless the fp16 file was named."""

from __future__ import annotations

import onnx
import pytest

from stylizer.errors import BadInput
from stylizer.settings import Settings
from stylizer.style import opening, providers
from stylizer.style.opening import open_style

SIZE = (48, 32)


@pytest.fixture
def without_half(monkeypatch) -> list[str]:
    """WebGPU as on a device without shader-f16: fp16 files are refused, others run (on the CPU).
    The precisions tried, one after another; each with a record of its work, then without."""
    tried: list[str] = []
    build = providers.build_session

    def build_session(row: providers.Provider, model: bytes, capture: bool = False):
        kinds = {w.data_type for w in onnx.ModelProto.FromString(model).graph.initializer}
        tried.append("fp16" if onnx.TensorProto.FLOAT16 in kinds else "other")
        if tried[-1] == "fp16":
            raise providers.ProviderProblem("the device lacks shader-f16")
        return build(providers.PROVIDERS["cpu"], model)

    monkeypatch.setattr(providers, "build_session", build_session)
    return tried


def test_a_device_without_fp16_is_given_the_fp32_file(without_half):
    style = open_style(Settings(provider="webgpu"), "mosaic-fast", SIZE)
    assert without_half == ["fp16", "fp16", "other", "other"]
    assert (style.provider, style.model, style.precision) == ("webgpu", "mosaic-fast", "fp32")
    assert "in fp32: the fp16 file does not run there (the device lacks" in style.provider_reason


def test_fp32_is_tried_before_the_next_provider(without_half, monkeypatch):
    monkeypatch.setattr(providers, "is_installed", lambda row: row.name in ("webgpu", "cpu"))
    monkeypatch.setattr(opening, "_frame_ms", lambda style, size: float(style.provider == "cpu"))
    style = open_style(Settings(), "mosaic-fast", SIZE)
    assert (style.provider, style.model) == ("webgpu", "mosaic-fast")


def test_an_fp16_file_that_was_named_is_not_replaced(without_half):
    with pytest.raises(BadInput, match="shader-f16"):
        open_style(Settings(provider="webgpu"), "mosaic-fast-fp16", SIZE)
    assert without_half == ["fp16", "fp16"]
