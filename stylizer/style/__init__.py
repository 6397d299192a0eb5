"""The style stage: frames in, styled images of the same size out.

Importing this loads neither onnx nor onnxruntime; the functions below do when called.
"""

from __future__ import annotations

from stylizer.style.opening import open_style

__all__ = ["open_style"]
