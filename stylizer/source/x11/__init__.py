"""Windows on X11: captured, listed, picked."""
