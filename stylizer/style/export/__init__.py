"""Fast models as shaders of other programs: mpv, ReShade, Magpie."""

PROGRAMS = ("mpv", "reshade", "magpie")  # as `--to` names them
