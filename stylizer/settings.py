"""Every setting of a run, declared once: name, default, rule, help, group, file, hotkeys.

`Settings` is one frozen dataclass, passed in, never global. The options of `run`, the groups of its
`--help` and the settings file are made from what its fields say (`OPTIONS`).
"""

# ruff: noqa: RUF009  `setting` makes a dataclass field, as `dataclasses.field` does

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from stylizer import rules
from stylizer.frame import Shape
from stylizer.rules import Rule, choice, or_word
from stylizer.stages import PRESENTERS, SOURCES

HudMode = Literal["off", "fps", "graph"]
RecordSound = Literal["auto", "game", "desktop", "off"]
MaskStyle = Literal["first", "second"]
HudCorner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
Group = Literal["source", "model", "look", "speed", "output", "limits"]
PROVIDERS = (
    "auto", "cpu", "gl", "cuda", "openvino", "webgpu", "directml", "coreml",
)  # fmt: skip
USUAL_SHARE = 0.85  # of its own rate, that a game keeps where painting may cost it something


@dataclass(frozen=True)
class Option:
    """How the user gives a setting.

    in_file: it may stand in the settings file, under its name. alias: a second spelling of both the
    option and the key. hotkeys: the actions (hotkeys.py) that change it during a run. in_panel: the
    panel changes it too, and can keep it in the file. unsaid: what it is where nobody has said and
    `run` decides; ...: its default.
    """

    group: Group
    rule: Rule
    help: str
    in_file: bool = False
    alias: str = ""
    hotkeys: tuple[str, ...] = ()
    in_panel: bool = False
    unsaid: Any = ...
    name: str = ""
    default: Any = None

    @property
    def spellings(self) -> list[str]:
        """As on the command line: "--strength"."""
        names = [self.name, self.alias] if self.alias else [self.name]
        return ["--" + name.replace("_", "-") for name in names]


def setting(default: Any, group: Group, rule: Rule, help: str, **more: Any) -> Any:
    """A field of `Settings` that the user may give; see `Option`."""
    return field(default=default, metadata={"option": Option(group, rule, help, **more)})


@dataclass(frozen=True)
class Settings:
    """Settings of a run; sizes are (width, height)."""

    # A table: a field takes as few lines as it can.
    # fmt: off
    source: str = setting("demo", "source", choice(*SOURCES, metavar="NAME"),
        "demo (default), window, portal, wlroots (Wayland), pipewire, screen, video, images, "
        "synthetic", unsaid=None)
    input: Path | None = setting(None, "source", replace(rules.FILE, metavar="PATH"),
        "a video file, a picture or a folder")
    window: str | None = setting(None, "source", replace(rules.TEXT, metavar="W"),
        "capture this window: part of its title, 0xID, pid:N, class:NAME")
    wait: bool = setting(False, "source", rules.SWITCH,
        "when the captured window closes, wait until it is back", in_file=True)
    ask: bool = setting(False, "source", rules.FLAG,
        "portal: let the desktop ask anew, also where it remembers what was chosen")
    cursor: bool = setting(False, "source", rules.SWITCH,
        "portal, wlroots: the mouse pointer is in the picture", in_file=True)
    node: str = setting("gamescope", "source", replace(rules.TEXT, metavar="NODE"),
        "pipewire: capture this video node, by its name or number")
    region: tuple[int, int, int, int] | None = setting(None, "source", rules.REGION,
        "capture this part of the screen: x, y, width, height")
    monitor: int | None = setting(None, "source", rules.COUNT,
        "capture this monitor, or a region on it; counted from 1")
    size: tuple[int, int] = setting((1280, 720), "source", rules.SIZE,
        "frame size of the demo scene, and of its window", in_file=True)
    seed: int = setting(0, "source", rules.NATURAL, "same seed, same demo frames")

    model: str = setting("auto", "model",
        Rule(str, "the name of a bundled model, the path of an .onnx file (a relative one counts "
        'from this file\'s folder), "auto" or "none"', "M", rules.words),
        "style model: STYLE-TIER, PATH.onnx[#K], auto (the best bundled one for the provider) or "
        "none (the source unpainted)", in_file=True,
        hotkeys=("model_original", "model_small", "model_fast", "next_style", "previous_style"),
        in_panel=True)
    model_layout: str | None = setting(None, "model", choice("auto", "NCHW", "NHWC"),
        "override the layout found")
    model_range: str | None = setting(None, "model", choice("auto", "0..1", "0..255", "-1..1"),
        "override the value range found")
    model_order: str | None = setting(None, "model", choice("auto", "RGB", "BGR"),
        "override the channel order")
    provider: str = setting("auto", "model", choice(*PROVIDERS), "what the network runs on",
        in_file=True)

    strength: float = setting(1.0, "look", rules.SHARE, "0 shows the source, 1 the style",
        in_file=True, hotkeys=("strength_down", "strength_up"), in_panel=True)
    keep_colors: bool = setting(False, "look", rules.SWITCH,
        "styled brightness, the game's own colors", in_file=True, hotkeys=("keep_colors",),
        in_panel=True)
    wipe: float | None = setting(None, "look", rules.SHARE, "before/after, split at this place",
        hotkeys=("toggle_wipe",))
    detail: bool = setting(True, "look", rules.SWITCH,
        "below full size the frame keeps its own detail; without, it is upsampled plainly",
        in_file=True)
    stabilize: float = setting(0.0, "look", rules.SHARE,
        "against flicker: share of the last picture kept where the source stands still",
        in_file=True, alias="stabilise", in_panel=True)
    blend_with: str | None = setting(None, "look",
        or_word(rules.TEXT, "none", "the name of a style or model"),
        "a second style, mixed with the first: both networks then run; the name of a style (its "
        "fastest model), of a model, or none", in_file=True, in_panel=True)
    blend: float = setting(0.5, "look", rules.SHARE,
        "how much of the second style there is: 0 none, 1 nothing else", in_file=True,
        in_panel=True)
    move_canvas: bool = setting(True, "look", rules.SWITCH,
        "strokes of models with a canvas go with the picture; without, they stand still",
        in_file=True)
    mask_shapes: tuple[Shape, ...] = setting((), "look", rules.SHAPES,
        "parts of the picture that stay as the game draws them, its HUD for example: rectangle "
        "X,Y,X,Y, ellipse X,Y,X,Y (the corners of its box), polygon X,Y,X,Y,X,Y and more corners; "
        "places are shares of the picture's width and height, from the top left", in_file=True,
        hotkeys=("show_masks",), in_panel=True)
    mask: Path | None = setting(None, "look",
        or_word(rules.FILE, "none",
        "a picture file (a relative one counts from this file's folder)"),
        "a grayscale picture over the whole frame: white stays as the game draws it, black is "
        "painted", in_file=True, in_panel=True)
    mask_strength: float = setting(0.0, "look", rules.SHARE,
        "how much of the style is left inside a mask: 0 none", in_file=True, in_panel=True)
    mask_style: MaskStyle = setting("first", "look", choice(*get_args(MaskStyle)),
        "second: inside a mask is the second style (blend_with), whole, and mask_strength does not "
        "count there", in_file=True, in_panel=True)
    mask_feather: float = setting(0.0, "look", rules.SHARE,
        "width of the soft edge around the shapes, as a share of the picture's height",
        in_file=True, in_panel=True)
    hud: HudMode = setting("fps", "look", choice("auto", *get_args(HudMode)),
        "the figures over the picture; auto is fps in a window, and off offscreen", in_file=True,
        unsaid="auto", hotkeys=("hud",), in_panel=True)
    hud_corner: HudCorner = setting("top-left", "look", choice(*get_args(HudCorner)),
        "where the figures stand", in_file=True, in_panel=True)
    hud_place: tuple[float, float] | None = setting(None, "look", rules.PLACE,
        "where the figures were dragged to, as shares of the room around them from the top left, "
        "or corner: in hud_corner", in_file=True, in_panel=True)

    inference_size: tuple[int, int] | None = setting(None, "speed",
        or_word(rules.SIZE, "full", 'a size as in "640x360"'),
        "what the network sees: smaller is faster and coarser, full is the frame's own size; not "
        "together with a target of frames a second", in_file=True, in_panel=True)
    target_fps: float | None = setting(None, "speed",
        or_word(rules.POSITIVE, "off", "a number above 0"),
        "keep this many styled frames a second by the size that the network sees, or off; not "
        "together with an inference size", in_file=True, in_panel=True)
    game_share: float | None = setting(None, "speed",
        Rule(float, 'a number from 0.1 to 0.95, or "off"', "0..1", rules.most, nothing="off"),
        "over a game: paint fewer of its frames rather than leave it less than this share of the "
        f"rate that it draws at alone, or off (X11; `play` has {USUAL_SHARE:g})", in_file=True,
        in_panel=True)
    faster_tiers: bool = setting(False, "speed", rules.SWITCH,
        "with a target of frames a second: take a faster tier of the style where the smallest size "
        "is too slow", in_file=True)
    sync: bool = setting(False, "speed", rules.FLAG, "lock-step: every frame styled, in order")
    fps: float | None = setting(None, "speed", replace(rules.POSITIVE, metavar="F"),
        "pace of an offscreen presenter")

    present: str = setting("window", "output", choice(*PRESENTERS, metavar="NAME"),
        "where the picture is shown: window, overlay (over the captured game), layer (over the "
        "monitor, Wayland) or offscreen", in_file=True)
    fullscreen: bool = setting(False, "output", rules.SWITCH, "start in fullscreen", in_file=True,
        hotkeys=("fullscreen",))
    grab_keys: bool = setting(False, "output", rules.SWITCH,
        "global keys (Ctrl+Alt+key) work with a window of our own, too; with an overlay they "
        "always do (X11; Wayland as far as the desktop gives keys)", in_file=True)
    record: Path | None = setting(None, "output", rules.FILE,
        "write an .mp4 or .mkv (never the HUD)")
    record_sound: RecordSound = setting("auto", "output", choice(*get_args(RecordSound)),
        "what is heard in a live recording of what is captured: the game's own sound, else all of "
        "this computer's (auto), one of them, or nothing (Linux, PipeWire)", in_file=True)
    output: Path | None = setting(None, "output", replace(rules.FILE, metavar="DIR"),
        "write every picture as PNG")
    screenshot: Path | None = setting(None, "output", rules.FILE, "the last presented frame, PNG")
    recordings: Path | None = setting(None, "output",
        or_word(rules.FILE, "videos", "a folder", metavar="DIR"),
        "the folder of the key's recordings; videos is the user's own", in_file=True,
        hotkeys=("record",))
    replay: float | None = setting(None, "output",
        or_word(rules.POSITIVE, "off", "a number of seconds above 0", metavar="S"),
        "keep the last S seconds, with the sound, which a key then saves beside the recordings",
        in_file=True, hotkeys=("save_replay",))
    camera: bool = setting(False, "output", rules.SWITCH,
        "a camera named Stylizer shows the picture, without the HUD, to OBS, browsers and calls "
        "(Linux, PipeWire)", in_file=True)
    screenshots: Path | None = setting(None, "output",
        or_word(rules.FILE, "pictures", "a folder", metavar="DIR"),
        "the folder of the key's screenshots; pictures is the user's own", in_file=True,
        hotkeys=("screenshot",))
    report: Path | None = setting(None, "output", rules.FILE, "frame times and facts, JSON")
    overwrite: bool = setting(False, "output", rules.FLAG,
        "replace files that stylizer did not make")

    frames: int | None = setting(None, "limits", rules.COUNT, "stop after N presented frames")
    seconds: float | None = setting(None, "limits", replace(rules.POSITIVE, metavar="S"),
        "stop after S seconds")
    warmup: int = setting(3, "limits", rules.NATURAL,
        "frames left out of the statistics; 3 offscreen, else 1", unsaid=None)

    # fmt: on
    keys: dict[str, str] = field(default_factory=dict)  # action -> key name, rebinding hotkeys.py
    global_keys: dict[str, str] = field(default_factory=dict)  # action -> "ctrl+alt+1", "" none
    preset: str = ""  # which game section of the settings file applies, or why none, in words

    @property
    def canvas_moves(self) -> bool:
        """Whether a model's canvas goes with the picture: never where each picture stands alone."""
        return self.move_canvas and self.source != "images"

    @property
    def blends(self) -> bool:
        """Whether a second style is to be seen at the start."""
        masks = bool(self.mask_shapes) or self.mask is not None
        return self.blend_with is not None and (
            self.blend > 0 or (masks and self.mask_style == "second")
        )

    @property
    def records_sound(self) -> bool:
        """Whether a live recording is to have sound: with "auto" that of captured programs only."""
        captured = self.source in ("window", "screen", "portal", "wlroots")
        wanted = self.record_sound in ("game", "desktop")
        return not self.sync and (wanted or (self.record_sound == "auto" and captured))

    @property
    def over_game(self) -> bool:
        """Whether the picture lies over the game, which has mouse and keyboard."""
        return self.present in ("overlay", "layer")

    @property
    def on_screen(self) -> bool:
        """Whether somebody watches: a window or an overlay."""
        return self.present != "offscreen"


OPTIONS: dict[str, Option] = {
    f.name: replace(f.metadata["option"], name=f.name, default=f.default)
    for f in fields(Settings)
    if "option" in f.metadata
}


def unsaid() -> dict[str, Any]:
    """Every setting of `run` that nobody has chosen."""
    undecided = {n: o.unsaid for n, o in OPTIONS.items() if o.unsaid is not ...}
    return vars(Settings()) | undecided
