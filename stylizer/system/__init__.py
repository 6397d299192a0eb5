"""Helpers that any room may use: X11, GL, files, the console. No stage, no settings of a run."""
