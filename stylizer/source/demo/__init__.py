"""The demo source: a small island world with exact motion, rendered offscreen."""
