"""Present: own the GL context and hand finished images to the display, or to nobody."""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # else pygame greets on stdout
