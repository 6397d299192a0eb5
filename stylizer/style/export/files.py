"""Fast models written for other programs."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx

from stylizer.errors import BadInput
from stylizer.settings import Settings
from stylizer.style import catalog
from stylizer.style.contract import StyleModel
from stylizer.style.export.magpie import magpie_effect
from stylizer.style.export.mpv import mpv_shader
from stylizer.style.export.plan import plain
from stylizer.style.export.reshade import reshade_effect
from stylizer.style.gl.backend import takes_blocks_of_pixels
from stylizer.style.gl.reading import DoesNotFit, read_steps
from stylizer.style.gl.steps import Steps
from stylizer.style.loading import load_vetted
from stylizer.system.files import write_png, write_text
from stylizer.system.outputs import Permission


@dataclass(frozen=True)
class Format:
    """How a program's shaders are written. write: (model, steps, the canvas's file) -> the text.
    canvas_beside: whether the canvas is a picture of its own. advice: what to do with the file."""

    write: Callable[[StyleModel, Steps, str], str]
    suffix: str
    canvas_beside: bool
    advice: str


FORMATS = {
    "mpv": Format(mpv_shader, ".glsl", False, "mpv --glsl-shader={} VIDEO"),
    "reshade": Format(
        reshade_effect,
        ".fx",
        True,
        "the effect belongs into ReShade's folder reshade-shaders/Shaders, the picture into "
        "reshade-shaders/Textures",
    ),
    "magpie": Format(magpie_effect, ".hlsl", True, "both belong into Magpie's folder effects"),
}


@dataclass(frozen=True)
class Written:
    """Files of an export, the shader first, and what to do with them."""

    paths: tuple[Path, ...]
    advice: str


def export(
    name: str, to: str, folder: Path, settings: Settings, overwrite: bool = False
) -> Written:
    """Write a fast model, by name or path, as FOLDER/MODEL.SUFFIX for a program, with its canvas as
    FOLDER/MODEL-canvas.png where the program takes that from a file.

    Raises BadInput for a model that the program's shaders cannot hold and for a file there that
    is not ours, StylizerError where it cannot be written.
    """
    file = catalog.resolve(name, "gl")
    if file.path is None:
        raise BadInput("model none has no network to export; name a fast model, see `models list`")
    model, proto = load_vetted(file.path, file.index, settings)
    form = FORMATS[to]
    path, picture = (
        folder / f"{model.stem}{form.suffix}",
        folder / f"{plain(model.stem)}-canvas.png",
    )
    beside = form.canvas_beside and model.canvas is not None
    permission = Permission.of([file.path], overwrite)
    permission.check(path, "shader")
    if beside:
        permission.check(picture, "png")
    text = _text(model, proto, to, picture.name)
    if beside and model.canvas is not None:
        write_png(picture, model.canvas.tile)
    write_text(path, text)
    advice = form.advice.format(shlex.quote(str(path)))
    return Written((path, picture) if beside else (path,), advice)


def _text(model: StyleModel, proto: onnx.ModelProto, to: str, canvas_file: str) -> str:
    """Raises BadInput."""
    try:
        steps = read_steps(proto)
        if not takes_blocks_of_pixels(model, steps):
            raise DoesNotFit("it takes other pictures than RGB frames and a canvas in blocks")
        return FORMATS[to].write(model, steps, canvas_file)
    except DoesNotFit as misfit:
        raise BadInput(
            f"{model.stem} cannot be exported to {to}: {misfit}; name an integer fast model "
            "(STYLE-fast)"
        ) from misfit
