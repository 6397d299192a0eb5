"""Smaller and faster models from trained ones."""
