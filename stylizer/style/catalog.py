"""Which models there are: bundled files by style and tier, files the user names.

Bundled files are `models/STYLE-TIER[-PRECISION].onnx`. Names are looked up anew each time, so a
model that training has just written is found without a restart.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylizer.errors import BadInput
from stylizer.system.resources import STYLES_VARIABLE, models_folder, own_styles_folder

TIERS = ("original", "small", "fast")
_STEM = re.compile(r"(?P<style>.+)-(?P<tier>original|small|fast)(?:-(?P<precision>.+))?")
_INTEGER_PROVIDERS = ("cpu", "openvino", "gl")


@dataclass(frozen=True)
class Bundled:
    """One file of models/; precision is "" for the float file."""

    path: Path
    style: str
    tier: str
    precision: str

    @property
    def name(self) -> str:
        return self.path.stem


@dataclass(frozen=True)
class ModelFile:
    """What a --model value means: a file and the style inside it; path None is model "none"."""

    path: Path | None
    index: int = 0


def bundled(folder: Path | None = None, own: bool = True) -> list[Bundled]:
    """The bundled models, sorted by style, tier and precision; with those that the user made,
    unless a bundled style has the name."""
    found: list[Bundled] = []
    folders = [folder] if folder else [models_folder(), *([own_styles_folder()] if own else [])]
    for place in folders:
        taken = {m.style for m in found}
        for path in _files(place):
            match = _STEM.fullmatch(path.stem)
            if match and match["style"] not in taken and looks_like_onnx(path):
                found.append(Bundled(path, match["style"], match["tier"], match["precision"] or ""))
    return sorted(found, key=lambda m: (m.style, TIERS.index(m.tier), m.precision))


def _files(folder: Path) -> list[Path]:
    """The .onnx files of a folder; none of one that is not there or cannot be read."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [folder / name for name in names if name.endswith(".onnx")]


def unreadable() -> str:
    """Why the user's own styles cannot be listed, in one sentence; "" where they can."""
    folder = own_styles_folder()
    try:
        os.listdir(folder)
        os.stat(os.path.join(folder, "."))  # asks for the right to open what is in it
    except (FileNotFoundError, NotADirectoryError):
        return ""  # none yet
    except OSError as error:
        return (
            f"the folder of your styles, {folder}, cannot be read ({error.strerror}): mend that, "
            f"or name another in {STYLES_VARIABLE}"
        )
    return ""


def damaged() -> list[str]:
    """One sentence for each file among the user's styles that is no model."""
    from stylizer.style import graph

    found = []
    for path in sorted(_files(own_styles_folder())):
        try:
            graph.read(path)
        except BadInput as error:
            found.append(str(error))
    return found


def looks_like_onnx(path: Path) -> bool:
    """Whether a file begins as all ONNX files do, with their version: no page, no pointer of Git
    LFS, no empty download."""
    try:
        with open(path, "rb") as file:
            return file.read(1) == b"\x08"
    except OSError:
        return False


def styles() -> list[str]:
    """Styles of the bundled models, sorted."""
    return sorted({m.style for m in bundled()})


def tiers_by_style() -> dict[str, list[str]]:
    """Style -> its tiers, largest first; the styles sorted, the one we tell about first."""
    models = bundled()
    names = sorted({m.style for m in models}, key=default_first)
    return {n: list(dict.fromkeys(m.tier for m in models if m.style == n)) for n in names}


def resolve(name: str, provider: str) -> ModelFile:
    """The file that a --model value means on a provider. Raises BadInput, listing what there is."""
    if name == "none":
        return ModelFile(None)
    if name == "auto":
        return ModelFile(_best(provider).path)
    text, index = _split_index(name)
    if text.lower().endswith(".onnx") or os.sep in text or "/" in text:
        return ModelFile(Path(text).expanduser(), index)
    models = bundled()
    match = _STEM.fullmatch(text)
    if match and not match["precision"]:
        chosen = _of_tier(models, match["style"], match["tier"], provider)
        if chosen:
            return ModelFile(chosen.path, index)
    for model in models:
        if model.name == text:
            return ModelFile(model.path, index)
    raise BadInput(f"there is no model {text!r}; {_what_there_is(models)}")


def fastest(name: str) -> str:
    """The model that a second style's name means: the fastest tier of a style, or a model by its
    own name. Raises BadInput, listing what there is."""
    tiers = tiers_by_style()
    if name in tiers:
        return f"{name}-{tiers[name][-1]}"
    if resolve(name, "cpu").path is None:
        raise BadInput(f"{name!r} is no second style; choose one of {', '.join(tiers)}")
    return name


def float_file(name: str, path: Path) -> Path | None:
    """The fp32 file of the same model, for a device without fp16: where `name` left the precision
    open and `path` is the fp16 file that it came to. None: there is nothing else to try."""
    models = bundled()
    chosen = next((m for m in models if m.path == path and m.precision == "fp16"), None)
    if chosen is None or _split_index(name)[0] == chosen.name:
        return None
    same = (m for m in models if (m.style, m.tier, m.precision) == (chosen.style, chosen.tier, ""))
    return next((m.path for m in same), None)


def sibling(current: str, tier: str | None = None, step: int = 0) -> str:
    """The model that a hotkey means: another tier of the current style, or `step` styles on.

    `current` is a model's name or stem; it is given back when it is what was asked for. Another
    style keeps the tier where that is bundled. Raises BadInput when there is no such model.
    """
    models = bundled()
    style, now = parts_of(current)
    if tier is not None:
        if now == tier and style:
            return current
        if not any(m.style == style and m.tier == tier for m in models):
            raise BadInput(f"there is no {tier} model of {style or current}")
        return f"{style}-{tier}"
    names = sorted({m.style for m in models})
    if not [name for name in names if name != style]:
        raise BadInput("there is no other style; train one, or name a model with --model")
    if style in names:
        style = names[(names.index(style) + step) % len(names)]
    else:
        style = names[0 if step > 0 else -1]
    tiers = {m.tier for m in models if m.style == style}
    return f"{style}-{now}" if now in tiers else f"{style}-{next(t for t in TIERS if t in tiers)}"


def other_tiers(current: str) -> list[str]:
    """The bundled models of the current style but for the current tier, largest first."""
    style, now = parts_of(current)
    tiers = {m.tier for m in bundled() if m.style == style}
    return [f"{style}-{tier}" for tier in TIERS if tier in tiers and tier != now]


def faster_tier(current: str) -> str | None:
    """The next faster tier of the current style that is bundled, or None."""
    now = parts_of(current)[1]
    there = [parts_of(name)[1] for name in other_tiers(current)]
    return next((t for t in there if now and TIERS.index(t) > TIERS.index(now)), None)


def bench_models() -> list[str]:
    """What `bench` compares: each tier of mosaic, the one style that has all, or of the first."""
    models = bundled()
    style = min((m.style for m in models), key=default_first, default="")
    return list(dict.fromkeys(f"{m.style}-{m.tier}" for m in models if m.style == style))


def default_first(style: str) -> tuple[bool, str]:
    """Sorts styles by name, but "mosaic" first: the one we tell about."""
    return style != "mosaic", style


def list_models() -> list[dict[str, Any]]:
    """Bundled models: {"name", "style", "tier", "precision", "bytes", "path"}."""
    return [
        {
            "name": m.name,
            "style": m.style,
            "tier": m.tier,
            "precision": m.precision or "fp32",
            "bytes": m.path.stat().st_size,
            "path": str(m.path),
        }
        for m in bundled()
    ]


def parts_of(name: str) -> tuple[str, str]:
    """(style, tier) of a bundled model's name or stem; ("", "") for any other."""
    match = _STEM.fullmatch(name.partition("#")[0])
    return (match["style"], match["tier"]) if match else ("", "")


def _split_index(name: str) -> tuple[str, int]:
    """NAME or PATH#K -> (NAME or PATH, K)."""
    text, mark, number = name.rpartition("#")
    if not mark or "/" in number or os.sep in number or Path(name).exists():
        return name, 0  # without a mark, or with one in a file's or folder's name
    if not number.isascii() or not number.isdigit():
        raise BadInput(f"--model {name}: after # comes the style's number, for example {text}#0")
    return text, int(number)


def _of_tier(models: list[Bundled], style: str, tier: str, provider: str) -> Bundled | None:
    """Tier fast: the precision that suits the provider; the others: the float file."""
    wanted = [""]
    if tier == "fast":
        wanted = ["int8", "", "fp16"] if provider in _INTEGER_PROVIDERS else ["fp16", "", "int8"]
    found = {m.precision: m for m in models if m.style == style and m.tier == tier}
    return next((found[p] for p in wanted if p in found), None)


def _tier_preference(provider: str) -> tuple[str, ...]:
    return (
        ("fast", "small", "original")
        if provider in _INTEGER_PROVIDERS
        else (
            "fast",
            "original",
            "small",
        )
    )


def _best(provider: str) -> Bundled:
    """For `auto`: the best tier over all styles, mosaic's first."""
    models = bundled()
    names = sorted({m.style for m in models}, key=default_first)
    for tier in _tier_preference(provider):
        for style in names:
            model = _of_tier(models, style, tier, provider)
            if model:
                return model
    raise BadInput(
        f"no model is bundled in {models_folder()}; name one with --model PATH.onnx, or train one"
    )


def _what_there_is(models: list[Bundled]) -> str:
    names = [m.name for m in models]
    if why := unreadable():
        return why
    return (
        f"choose one of {', '.join(names)}, a PATH.onnx, none or auto"
        if names
        else (f"none is bundled in {models_folder()}; name a PATH.onnx")
    )
