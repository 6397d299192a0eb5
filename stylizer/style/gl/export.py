"""Fast models written for other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stylizer.errors import BadInput
from stylizer.settings import Settings
from stylizer.style import catalog, graph, remembered
from stylizer.style.contract import StyleModel
from stylizer.style.gl.backend import takes_blocks_of_pixels
from stylizer.style.gl.mpv import mpv_shader
from stylizer.style.gl.reading import DoesNotFit, read_steps
from stylizer.style.gl.steps import Steps
from stylizer.style.probe import Given, load_model
from stylizer.style.vetting import vet
from stylizer.system.files import write_text
from stylizer.system.outputs import Permission

# Program -> (what writes the text, how the file ends).
FORMATS: dict[str, tuple[Callable[[StyleModel, Steps], str], str]] = {"mpv": (mpv_shader, ".glsl")}


def export(name: str, to: str, folder: Path, settings: Settings, overwrite: bool = False) -> Path:
    """Write a fast model, by name or path, as FOLDER/MODEL.SUFFIX for a program; the file's path.

    Raises BadInput for a model that the program's shaders cannot hold and for a file there that
    is not ours, StylizerError where it cannot be written.
    """
    file = catalog.resolve(name, "gl")
    if file.path is None:
        raise BadInput("model none has no network to export; name a fast model, see `models list`")
    values, how = remembered.with_remembered(file.path, remembered.flags(settings))
    given = Given(values, how)
    vet(file.path, graph.load(file.path), load_model, file.path, file.index, given)
    model, proto = load_model(file.path, file.index, given)
    write, suffix = FORMATS[to]
    path = folder / f"{model.stem}{suffix}"
    Permission.of([file.path], overwrite).check(path, "shader")
    try:
        steps = read_steps(proto)
        if not takes_blocks_of_pixels(model, steps):
            raise DoesNotFit("it takes other pictures than RGB frames and a canvas in blocks")
        text = write(model, steps)
    except DoesNotFit as misfit:
        raise BadInput(
            f"{model.stem} cannot be exported to {to}: {misfit}; name an integer fast model "
            "(STYLE-fast)"
        ) from misfit
    write_text(path, text)
    return path
