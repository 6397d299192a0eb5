"""The settings file: what may stand in it, how it is read, and which game section applies.

    values.py  parsers of single values, shared with the options of the command line
    table.py   every key: its parser, what is allowed, what it means
    read.py    TOML -> SettingsFile, and how its layers lie over each other
    games.py   which [[game]] section fits a window
    keep.py    what the panel saves, written into the file with its comments kept
    text.py    the commented file of `settings --init`, and what is in force, as rows

Only the command line reads it: everything else gets finished Settings, and the panel what keep.py
keeps for it (run/presets.py).
"""
