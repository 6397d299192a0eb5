"""Inputs for scripts/fuzz.py: small whole files of each kind, and seeded damage to them.

Input n of a kind comes from (seed, kind, n) alone, so that it can be made again.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnx
from av.container.output import OutputContainer
from fuzz_damage import damaged, rebuild
from PIL import Image

from stylizer import rules
from stylizer.app.settings_file.text import commented_file
from stylizer.settings import OPTIONS

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the tests' builders of tiny networks

import canvas_networks  # noqa: E402  # pyright: ignore[reportMissingImports]
import tiny_models  # noqa: E402  # pyright: ignore[reportMissingImports]

HEADLESS = ["--present", "offscreen", "--provider", "cpu"]
ONE_FRAME = ["--source", "synthetic", "--size", "64x48", "--frames", "1", *HEADLESS]
WORDS = (
    "", "-", "--", "0", "1", "-1", "0.5", "1e309", "nan", "inf", "64x48", "0x0", "99999x99999",
    "1x1", "-1..1", "auto", "off", "none", "cpu", "cuda", "window", "overlay", "screen", "video",
    "images", "photo.png", "notes.txt", "clip.mp4", "net.onnx", "net.onnx#9", "sub", ".",
    "missing", "new.mp4", "new.png", "new.json", "a\u2014b", "\udcff", "\x1b[31m", "x" * 5000,
    "--frames",
    "0,0,64,48", "class:x", "pid:1", "0x10", "fps", "graph", "NHWC", "BGR", "ctrl+alt+q", "%s",
)  # fmt: skip
VALUES = (
    "true", "false", "0", "-1", "1.5", "nan", "inf", "-inf", "99999999999999999999", '""', '"off"',
    '"auto"', "[]", "{}", "[[1]]", "1979-05-27", '"\\u0000"', '"ctrl+alt+x"', '"64x48"',
    "'''a\nb'''",
    "0x7fffffffffffffff", "1e400", '"shift+"', "{a = {b = 1}}", '"0x0"', "0o7", '"\\ud800"', "=",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One input: what is given to the command line, and the file that was damaged for it."""

    argv: list[str]
    file: Path | None = None


def case(kind: str, seed: int, number: int, folder: Path) -> Case:
    """Make the input in `folder`, which holds `bases`."""
    rng = random.Random(f"{seed}-{kind}-{number}")
    return KINDS[kind](rng, folder)


def bases(kind: str, folder: Path) -> None:
    """Whole files of a kind, from which the damaged ones are made."""
    place = folder / "bases" / kind
    place.mkdir(parents=True, exist_ok=True)
    BASES[kind](place)


def _file(rng: random.Random, folder: Path, kind: str) -> Path:
    base = rng.choice(sorted((folder / "bases" / kind).iterdir()))
    path = folder / f"input{base.suffix}"
    path.write_bytes(damaged(rng, base.read_bytes()))
    return path


# ---- models ----


def _model_bases(place: Path) -> None:
    tiny_models.painter(place / "painter.onnx")
    tiny_models.painter(place / "bytes.onnx", "NHWC", "-1..1", size=(64, 48), dtype="float16")
    tiny_models.many_styles(place / "many.onnx")
    tiny_models.halver(place / "halver.onnx")
    tiny_models.tanh_network(place / "tanh.onnx")
    canvas_networks.canvas_floats(place / "canvas.onnx", None)
    fast = ROOT / "models" / "mosaic-fast-int8.onnx"
    (place / "fast.onnx").write_bytes(fast.read_bytes())


def _model(rng: random.Random, folder: Path) -> Case:
    if rng.random() < 0.5:
        path = _file(rng, folder, "models")
    else:
        base = rng.choice(sorted((folder / "bases" / "models").iterdir()))
        path = folder / "input.onnx"
        proto = onnx.load(str(base))
        for _ in range(rng.choice((1, 1, 2, 4))):
            rebuild(rng, proto)
        path.write_bytes(proto.SerializeToString())
    program = rng.choice(("mpv", "reshade", "magpie"))
    ways = (
        ["models", "inspect", str(path)],
        ["models", "check", str(path), "--size", "64x48"],
        ["run", "--model", str(path), *ONE_FRAME],
        ["models", "export", str(path), "--to", program, "--out", "sub"],
    )
    return Case(rng.choices(ways, (6, 2, 2, 2))[0], path)


# ---- styles of one's own ----


def _style_bases(place: Path) -> None:
    for name in ("mosaic-fast-int8", "ink-fast", "udnie-fast-int8"):
        (place / f"{name}.onnx").write_bytes((ROOT / "models" / f"{name}.onnx").read_bytes())


def _style(rng: random.Random, folder: Path) -> Case:
    """A damaged file among the user's styles, whose strokes are taken or which is painted with."""
    base = rng.choice(sorted((folder / "bases" / "styles").iterdir()))
    path = folder / "styles" / "input-fast-int8.onnx"
    path.parent.mkdir(exist_ok=True)
    if rng.random() < 0.4:
        path.write_bytes(damaged(rng, base.read_bytes()))
    else:
        proto = onnx.load(str(base))
        for _ in range(rng.choice((1, 2))):
            entry = rng.choice(proto.metadata_props)
            entry.value = damaged(rng, entry.value.encode()).decode("utf-8", "replace")
        if rng.random() < 0.3:
            rebuild(rng, proto)
        path.write_bytes(proto.SerializeToString())
    photo = folder / "photo.png"
    Image.fromarray(_gradient()).save(photo)
    ways = (
        ["paint", str(photo), "--strokes", "input", *ONE_FRAME],
        ["run", "--model", "input-fast", *ONE_FRAME],
        ["models", "list"],
    )
    return Case(rng.choices(ways, (6, 3, 1))[0], path)


# ---- settings ----


def _settings_bases(place: Path) -> None:
    text = commented_file()
    (place / "comments.toml").write_text(text)
    lines = (x[1:] if x.startswith("#") and not x.startswith("# ") else x for x in text.split("\n"))
    (place / "all.toml").write_text("\n".join(lines))


def _settings(rng: random.Random, folder: Path) -> Case:
    path = folder / "input.toml"
    lines = (folder / "bases" / "settings" / "all.toml").read_text().split("\n")
    lines = [x for x in lines if not x.startswith("#") and (x[:1] == "[" or rng.random() < 0.7)]
    for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        name = lines[at].partition("=")[0]
        lines[at] = f"{name}= {rng.choice(VALUES)}" if rng.random() < 0.8 else lines[at - 1]
    data = "\n".join(lines).encode()
    path.write_bytes(damaged(rng, data) if rng.random() < 0.3 else data)
    ways = (["settings", "--settings", str(path)],
            ["settings", "--settings", str(path), "--json"],
            ["run", "--settings", str(path), *ONE_FRAME, "--model", "none"])  # fmt: skip
    return Case(rng.choices(ways, (4, 4, 2))[0], path)


# ---- command lines ----


def _nothing(place: Path) -> None:
    """A command line needs no file of its own."""


def _command(rng: random.Random, folder: Path) -> Case:
    words: list[str] = []
    for _ in range(rng.choice((1, 2, 3, 6))):
        option = rng.choice(list(OPTIONS.values()))
        words.append(rng.choice(option.spellings))
        if option.rule not in (rules.SWITCH, rules.FLAG) or rng.random() < 0.1:
            fit = [*option.rule.choices] or [str(option.rule.plain(option.default))]
            words.append(rng.choice(fit if rng.random() < 0.6 else WORDS))
        if rng.random() < 0.05:
            words.append(rng.choice(WORDS))
    command = rng.choices(("run", "", "paint", "models", "settings", "windows", "flicker", "judge"),
                          (10, 2, 2, 1, 1, 1, 1, 1))[0]  # fmt: skip
    # What ends every run comes last and wins: one frame of a small picture, shown nowhere.
    last = ["--frames", "2", "--size", "64x48"] if command in ("", "run", "flicker") else []
    if command == "paint":
        last += ["--frames", "2", "--size", "64x48", "--present", "offscreen", "--warmup", "0"]
    if command in ("", "run"):
        last += ["--present", "offscreen", "--warmup", "0"]
        last += ["--model", "none"] if rng.random() < 0.7 else []
        last += ["--source", "synthetic"] if rng.random() < 0.5 else []
    return Case([*([command] if command else []), *words, *last])


# ---- pictures and videos ----


def _gradient(side: tuple[int, int] = (64, 48), phase: int = 0) -> np.ndarray:
    y, x = np.mgrid[: side[1], : side[0]]
    return np.stack([x * 4 + phase, y * 5, 128 + 60 * np.sin(x / 5 + phase)], 2).astype(np.uint8)


def _picture_bases(place: Path) -> None:
    frames = [Image.fromarray(_gradient(phase=n * 9)) for n in range(3)]
    first, more = frames[0], {"save_all": True, "append_images": frames[1:]}
    exif = first.getexif()
    exif[0x0112] = 6
    first.save(place / "a.png")
    first.save(place / "b.jpg", exif=exif)
    first.save(place / "c.bmp")
    first.save(place / "d.tiff", compression="tiff_lzw")
    Image.fromarray(_gradient()[..., 0].astype(np.uint16) * 200).save(place / "e.tiff")
    first.save(place / "f.webp", **more)
    first.convert("P").save(place / "g.png", transparency=3)
    first.save(place / "h.gif", **more)
    first.convert("CMYK").save(place / "i.jpg", progressive=True)


def _picture(rng: random.Random, folder: Path) -> Case:
    path = _file(rng, folder, "pictures")
    out = ["--output", str(folder / "out")] if rng.random() < 0.5 else []
    if rng.random() < 0.4:
        ways = (["paint", str(path), *ONE_FRAME],
                ["run", "--mask", str(path), *ONE_FRAME, "--model", "none"])  # fmt: skip
        return Case(rng.choice(ways), path)
    return Case(["run", "--input", str(path), "--model", "none", *HEADLESS, *out], path)


VIDEOS = {"a.mp4": "libx264", "b.mkv": "libx264", "c.ts": "mpeg2video", "d.avi": "mpeg4",
          "e.webm": "libvpx", "f.mov": "mjpeg"}  # fmt: skip


def _video_bases(place: Path) -> None:
    for name, codec in VIDEOS.items():
        with av.open(str(place / name), "w") as container:
            video: Any = container.add_stream(codec, rate=25)
            video.width, video.height = 64, 48
            video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            sound = None
            if name in ("a.mp4", "b.mkv"):
                sound = container.add_stream("aac", rate=48000, layout="mono")
            for n in range(12):
                frame = av.VideoFrame.from_ndarray(_gradient(phase=n * 9), "rgb24")
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
            if sound is not None:
                _add_tone(container, sound)


def _add_tone(container: OutputContainer, sound: Any) -> None:
    for start in range(0, 24_000, 1024):
        wave = np.sin(np.arange(start, start + 1024) * (2 * math.pi * 440 / 48000))
        block = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None] / 2, "fltp", "mono")
        block.sample_rate, block.pts = 48000, start
        container.mux(sound.encode(block))
    container.mux(sound.encode(None))


def _video(rng: random.Random, folder: Path) -> Case:
    path = _file(rng, folder, "videos")
    more = ["--record", str(folder / "out.mp4")] if rng.random() < 0.3 else []
    argv = ["run", "--source", "video", "--input", str(path), "--model", "none", *HEADLESS]
    return Case([*argv, "--warmup", "0", *more], path)


KINDS: dict[str, Callable[[random.Random, Path], Case]] = {
    "models": _model,
    "styles": _style,
    "settings": _settings,
    "commands": _command,
    "pictures": _picture,
    "videos": _video,
}
BASES: dict[str, Callable[[Path], None]] = {
    "models": _model_bases,
    "styles": _style_bases,
    "settings": _settings_bases,
    "commands": _nothing,
    "pictures": _picture_bases,
    "videos": _video_bases,
}
