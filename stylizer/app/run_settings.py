"""From the command line and the settings file to the Settings of a run, and what is clicked."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from stylizer.app.settings_file.games import layered
from stylizer.app.settings_file.read import Layer, over, read_file, settings_path
from stylizer.errors import BadInput
from stylizer.settings import Settings, unsaid

LONGEST_REPLAY_S = 600  # some gigabytes in the temporary folder
FILE_SOURCES = ("video", "images")
WAYLAND = ("portal", "wlroots")
OVERLAY_WHY = {
    "screen": ": a screen region holds whatever lies over the game, so the overlay would be "
    "painted again and again; a captured window's own pixels never hold it"
}


def run_settings(args: argparse.Namespace, lowest: Layer | None = None) -> Settings:
    """Settings of `run`: defaults, the settings file over them, the options given over both.

    lowest: other defaults, where nobody says anything else.

    Raises BadInput when they do not fit together, or the file is broken.
    """
    given = {k: v for k, v in vars(args).items() if k in Settings.__dataclass_fields__}
    named = getattr(args, "settings", None)
    file = read_file(settings_path(named), required=named is not None)
    chosen, preset = layered(file, given)
    args = argparse.Namespace(**(unsaid() | over(lowest or {}, chosen)))
    source = args.source or guess_source(args)
    check_together(args, source, given)
    offscreen = args.present == "offscreen"
    file_work = args.record is not None or offscreen
    names = vars(args)
    options = {k: names[k] for k in Settings.__dataclass_fields__ if k in names}
    options |= {
        "source": source,
        "sync": args.sync or source == "images" or (source == "video" and file_work),
        "hud": ("off" if offscreen else "fps") if args.hud == "auto" else args.hud,
        "warmup": args.warmup if args.warmup is not None else (3 if offscreen else 1),
        "preset": preset,
        "move_canvas": canvas_moves(args, given),
    }
    return Settings(**options)


def canvas_moves(args: argparse.Namespace, given: dict[str, Any]) -> bool:
    """No stabilizing at all, said on the command line, holds the canvas too."""
    if "move_canvas" not in given and given.get("stabilize") == 0:
        return False
    return args.move_canvas


def check_together(args: argparse.Namespace, source: str, given: dict[str, Any]) -> None:
    """Raise BadInput for settings that contradict each other; given: those of the command line."""
    if source in FILE_SOURCES and args.input is None:
        raise BadInput(f"--source {source} needs --input PATH")
    # With the portal the name is the game's, for which the choice is remembered; sway tells where
    # the window of that name is.
    if source not in WAYLAND and (source == "window") != (args.window is not None):
        raise BadInput("--source window and --window NAME belong together; see `stylizer windows`")
    if source != "portal" and args.ask:
        raise BadInput(f"--ask belongs to --source portal, not to {source}")
    if source != "pipewire" and "node" in given:
        raise BadInput(f"--node belongs to --source pipewire, not to {source}")
    if source not in WAYLAND and given.get("cursor"):
        raise BadInput(f"--cursor belongs to --source portal or wlroots, not to {source}")
    if source != "screen" and (args.region or (args.monitor and source != "wlroots")):
        raise BadInput(f"--region and --monitor belong to --source screen, not to {source}")
    if args.window and args.monitor:
        raise BadInput("--window tells the monitor itself: leave out --monitor")
    if source not in FILE_SOURCES and args.input is not None:
        raise BadInput(f"--input belongs to --source video or images, not to {source}")
    if args.present == "overlay" and source != "window":
        raise BadInput(f"--present overlay needs --window NAME{OVERLAY_WHY.get(source, '')}")
    if given.get("grab_keys") and args.present == "offscreen":
        raise BadInput("--grab-keys belongs to --present window; offscreen has no keys")
    if given.get("game_share") and args.present != "overlay":
        raise BadInput("--game-share belongs to --present overlay: it is told from the game below")
    if args.target_fps and args.inference_size:
        raise BadInput("--target-fps chooses the inference size itself; leave out --inference-size")
    if args.replay and args.replay > LONGEST_REPLAY_S:
        raise BadInput(f"--replay {args.replay:g}: at most {LONGEST_REPLAY_S} seconds can be kept")
    if given.get("record_sound") == "game" and source != "window":
        raise BadInput("--record-sound game belongs to --window NAME: choose desktop, or off")
    if given.get("record_sound") in ("game", "desktop") and (args.sync or source in FILE_SOURCES):
        raise BadInput("--record-sound belongs to a live recording: leave it out")
    if given.get("faster_tiers") and not args.target_fps:
        raise BadInput("--faster-tiers belongs to --target-fps N")
    check_styles(args, given)


def check_styles(args: argparse.Namespace, given: dict[str, Any]) -> None:
    """Raise BadInput where the command line asks for a style that is not there."""
    if given.get("mask_style") == "second" and args.blend_with is None:
        raise BadInput("--mask-style second needs a second style: name it by --blend-with STYLE")
    if given.get("blend_with") is not None and args.model == "none":
        raise BadInput(
            "--blend-with is a second style beside a first one, and --model none has none"
        )


def guess_source(args: argparse.Namespace) -> str:
    """What --window, --region or --input means without --source: a folder or a picture is images,
    any other file a video."""
    if args.window is not None:
        return "window"
    if args.region is not None or args.monitor is not None:
        return "screen"
    path = args.input
    if path is None:
        return "demo"
    from stylizer.system.pictures import SUFFIXES

    is_pictures = path.is_dir() or path.suffix.lower() in SUFFIXES
    return "images" if is_pictures and not is_moving(path) else "video"


def is_moving(path: Path) -> bool:
    """Whether a file is an animation (GIF, WebP, PNG, AVIF): that is a video."""
    if path.suffix.lower() not in (".gif", ".webp", ".png", ".avif"):
        return False
    from stylizer.source.animation import is_animation

    return is_animation(path)


def pick(args: argparse.Namespace) -> None:
    """Let the user choose the window: with a click, or on Wayland in the desktop's own dialog."""
    given = vars(args)
    if "window" in given or given.get("source", "window") != "window":
        raise BadInput("--pick chooses the window itself: leave out --window and --source")
    if os.environ.get("XDG_SESSION_TYPE") == "wayland":
        args.source, args.ask = "portal", True
    else:
        args.window = click_a_window()["id"]


def click_a_window() -> dict[str, Any]:
    """Facts of the window that the user clicks (X11)."""
    only_on_x11()
    from stylizer.source.x11.pick import pick_window
    from stylizer.system.x11 import Display

    display = Display()
    try:
        words = "click the window; Escape or a right click cancels"
        say = partial(print, words, file=sys.stderr, flush=True)
        return pick_window(display, say).as_dict()
    finally:
        display.close()


def only_on_x11() -> None:
    """Raises BadInput on systems whose windows we cannot list."""
    if sys.platform in ("win32", "darwin"):
        raise BadInput("windows are listed and picked on X11 only: name one with --window TITLE")
