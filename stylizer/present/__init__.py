"""Present: own the GL context and hand finished images to the display, or to nobody."""
