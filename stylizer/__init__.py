"""Real-time desktop game-frame stylizer."""

__version__ = "0.1.0"
