"""WebGPU comes to ONNX Runtime as a plugin: registered by path, chosen by device, not by name."""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any

import onnxruntime as ort

from stylizer.system.muted import muted


def session(
    model: bytes, options: ort.SessionOptions, given: dict[str, Any]
) -> ort.InferenceSession | None:
    """A session on the first device, with the provider's options; None where there is no device.

    Muted: looking for one, Dawn and the Vulkan drivers print what they miss.
    """
    with muted():
        name = _plugin()
        device = next((d for d in ort.get_ep_devices() if d.ep_name == name), None)
        if device is None:
            return None
        options.add_provider_for_devices([device], given)
        return ort.InferenceSession(model, options, enable_fallback=0)


@lru_cache(maxsize=1)
def _plugin() -> str:
    """Register it, which ONNX Runtime lets a process do once; its provider's name."""
    plugin = importlib.import_module("onnxruntime_ep_webgpu")
    ort.register_execution_provider_library("stylizer_webgpu", plugin.get_library_path())
    return plugin.get_ep_name()
