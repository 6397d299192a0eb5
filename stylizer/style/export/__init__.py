"""Fast models as shaders of other programs: mpv, ReShade, Magpie."""
