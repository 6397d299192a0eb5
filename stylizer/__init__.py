"""Real-time desktop game-frame stylizer."""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # else pygame greets on stdout
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # else ONNX Runtime tells Microsoft

__version__ = "0.1.0"
