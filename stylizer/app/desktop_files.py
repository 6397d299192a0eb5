"""install-desktop: the stylizer in the desktop's menu, for this user: a desktop entry, an icon and
AppStream data.

https://specifications.freedesktop.org/desktop-entry-spec and
https://www.freedesktop.org/software/appstream/docs (component type desktop-application).
"""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import platformdirs
from PIL import Image

import stylizer
from stylizer.errors import BadInput, StylizerError
from stylizer.system.files import MADE_BY, write_png, write_text
from stylizer.system.installed import DESKTOP_ID, appimage

ICON_PX = 256
MARK = f"made by {MADE_BY}"
SUMMARY = "Paints any game while you play it"
ENTRY = """# {mark}
[Desktop Entry]
Type=Application
Name=Stylizer
GenericName=Game stylizer
Comment={summary}
Exec={command}
Icon={id}
Terminal=false
Categories=Graphics;
Keywords=game;painting;style;overlay;
StartupWMClass=stylizer
"""
METAINFO = """<?xml version="1.0" encoding="UTF-8"?>
<!-- {mark} -->
<component type="desktop-application">
  <id>{id}</id>
  <metadata_license>MIT</metadata_license>
  <project_license>MIT</project_license>
  <name>Stylizer</name>
  <summary>{summary}</summary>
  <description>
    <p>Takes the frames of a running game's window, of footage or of pictures, pushes every one
    through a neural style network, and shows the painted picture in a window or over the game.
    Everything runs on your machine.</p>
  </description>
  <launchable type="desktop-id">{id}.desktop</launchable>
  <content_rating type="oars-1.1" />
  <provides><binary>stylizer</binary></provides>
  <releases><release version="{version}" date="{date}" /></releases>
</component>
"""
RELEASED = "2026-11-29"


def install(remove: bool) -> list[Path]:
    """Write the files into the user's data folder, or take them away; which ones.

    Raises BadInput on systems without such files and where somebody else's stand in the way,
    StylizerError when they cannot be written.
    """
    if not sys.platform.startswith("linux"):
        raise BadInput("install-desktop writes the files of a Linux desktop; there is none here")
    base = platformdirs.user_data_path().absolute()
    entry = base / "applications" / f"{DESKTOP_ID}.desktop"
    metainfo = base / "metainfo" / f"{DESKTOP_ID}.metainfo.xml"
    icon = base / "icons" / "hicolor" / f"{ICON_PX}x{ICON_PX}" / "apps" / f"{DESKTOP_ID}.png"
    for path in (entry, metainfo):
        if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
            raise BadInput(f"{path} is not ours: move it away first")
    paths = [entry, metainfo, icon]
    try:
        if remove:
            for path in paths:
                path.unlink(missing_ok=True)
            return paths
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StylizerError(f"{error.filename}: {error.strerror}") from error
    facts = {"mark": MARK, "summary": SUMMARY, "id": DESKTOP_ID, "version": stylizer.__version__}
    write_text(entry, ENTRY.format(command=command(), **facts))
    write_text(metainfo, METAINFO.format(date=RELEASED, **facts))
    write_png(icon, draw_icon())
    return paths


def command() -> str:
    """How a menu starts us, quoted as the desktop entry's Exec wants it; a percent sign is doubled
    there."""
    return " ".join(quoted(word) for word in program())


def program() -> list[str]:
    """How others start us: the AppImage, the installed program, else this interpreter with the
    package."""
    if image := appimage():
        return [image]
    installed = shutil.which("stylizer")
    ours = Path(sys.argv[0]).resolve()
    if ours.name == "stylizer":
        installed = str(ours)
    return [installed] if installed else [sys.executable, str(ours)]


def quoted(word: str) -> str:
    """An argument of Exec: in double quotes with its four signs escaped, and once more for the
    file's own strings; plain words stay as they are."""
    word = word.replace("%", "%%")
    if shlex.quote(word) == word:
        return word
    for sign in '\\"`$':
        word = word.replace(sign, f"\\\\{sign}" if sign != "\\" else "\\\\\\\\")
    return f'"{word}"'


def draw_icon() -> np.ndarray:
    """uint8 (256, 256, 3): the panes of a mosaic in the colors of a sky, from fixed seeds."""
    random = np.random.default_rng(7)
    side = ICON_PX
    seeds = random.uniform(0, side, (42, 2))
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    distances = np.hypot(x[None] - seeds[:, 0, None, None], y[None] - seeds[:, 1, None, None])
    order = np.argsort(distances, axis=0)[:2]
    near, next_ = (np.take_along_axis(distances, order[i : i + 1], axis=0)[0] for i in (0, 1))
    height = seeds[:, 1] / side
    low, high = np.array([236, 138, 62]), np.array([38, 88, 168])
    colors = low + (high - low) * (1 - height[:, None]) + random.uniform(-26, 26, (42, 3))
    sun = np.hypot(seeds[:, 0] - side * 0.68, seeds[:, 1] - side * 0.36) < side * 0.17
    colors[sun] = (250, 214, 96)
    picture = np.clip(colors[order[0]], 0, 255)
    picture *= np.clip((next_ - near) / 5, 0.12, 1.0)[..., None]  # dark joints
    large = Image.fromarray(picture.astype(np.uint8))
    return np.asarray(large.resize((side, side), Image.Resampling.LANCZOS))
