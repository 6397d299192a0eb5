"""Measures that need no torch: frame times, and how still a picture is."""
