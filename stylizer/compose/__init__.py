"""Compose: source, styled picture and HUD into one image, in shaders."""
