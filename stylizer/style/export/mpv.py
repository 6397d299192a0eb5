"""An integer fast network as a user shader of mpv: one text file, `mpv --glsl-shader=FILE`.

mpv's passes fill one texture each and bind no buffers: so a tensor's groups of channels lie side by
side in one texture, and weights are constants of the code. The frame alone is seen, on the canvas
as it begins: no motion, no stabilizer. Written for vo=gpu and libplacebo's syntax, which is the
same: https://mpv.io/manual/stable/#options-glsl-shaders
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from string import Template

import numpy as np

from stylizer.style.contract import StyleModel
from stylizer.style.export.plan import Plan, number, plain
from stylizer.style.gl.layout import GROUP, Layout
from stylizer.style.gl.steps import Add, Conv, Steps, SumRule, Tensor
from stylizer.system.outputs import REMARK
from stylizer.system.resources import shader

CANVAS = "stylizer_canvas"


def mpv_shader(model: StyleModel, network: Steps, canvas_file: str = "") -> str:
    """The whole file, the canvas in it.

    Raises DoesNotFit for a network that mpv's passes cannot hold.
    """
    writer = _Writer(Plan.of(model, network, 1, "mpv"))
    passes = [
        writer.conv(step) if isinstance(step, Conv) else writer.add(step) for step in network.steps
    ]
    head = f"// {plain(model.stem)}, {REMARK}: mpv --glsl-shader=THIS_FILE VIDEO\n"
    return "\n".join([head, *writer.canvas(), *passes, writer.out()])


@dataclass(frozen=True)
class _Place:
    """Where a tensor that a step made lies."""

    name: str  # of its texture
    across: int
    down: int


class _Writer:
    def __init__(self, plan: Plan) -> None:
        self._plan, self._model = plan, plan.model
        self._layouts = plan.layouts
        made = {step.out: f"stylizer_{n}" for n, step in enumerate(plan.network.steps, 1)}
        self._places = {t: _place(name, self._layouts[t]) for t, name in made.items()}
        self._common = [f"MULTIPLE {self._model.size_multiple}", f"BLOCK {plan.block}"]

    def canvas(self) -> list[str]:
        """The texture that networks see beside the frame, where this one does."""
        tile = self._plan.canvas_rgba
        if tile is None:
            return []
        lines = [f"//!TEXTURE {CANVAS}", f"//!SIZE {tile.shape[1]} {tile.shape[0]}"]
        lines += ["//!FORMAT rgba8", "//!FILTER NEAREST"]
        return ["\n".join([*lines, tile.tobytes().hex(), ""])]

    def conv(self, step: Conv) -> str:
        layout, side = self._layouts[step.out], step.side
        tiles = self._plan.weights(step)
        weights = np.stack([w.reshape(side, side, -1, GROUP, GROUP) for w, _ in tiles])
        tails = np.stack([tail.reshape(2, GROUP) for _, tail in tiles])
        diagonal = _is_diagonal(weights)
        if diagonal:
            own = np.arange(layout.tiles)
            weights = weights[own, :, :, own][:, :, :, None]
        groups = weights.shape[3]
        defines = [f"GROUPS {groups}", f"COUNT {side * side * groups}", f"SIDE {side}"]
        defines += [f"STRIDE {step.stride}", f"ZERO {step.zero}.0", *self._read(step)]
        defines += ["DIAGONAL"] if diagonal else []
        bound = [t for t, _ in step.parts]
        if step.added:
            bound.append(step.added.other)
            defines += ["ADD", *self._sum(step.added.other, step.added.rule)]
        return self._pass(
            "mpv_conv.glsl",
            step.out,
            bound,
            defines,
            weights=_listed("mat4", weights.reshape(-1, GROUP * GROUP)),
            bias=_listed("vec4", tails[:, 0]),
            scale=_listed("vec4", tails[:, 1]),
        )

    def add(self, step: Add) -> str:
        defines = [*self._from(step.first), *self._sum(step.second, step.rule)]
        defines += ["SPREAD"] if step.spread is not None else []
        return self._pass("mpv_add.glsl", step.out, step.reads, defines)

    def out(self) -> str:
        """From the last tensor to the picture that mpv goes on with."""
        result = self._plan.network.result
        text = shader("mpv_out.glsl", *self._from(result))
        head = self._head([result], f"{plain(self._model.stem)}: the picture")
        return "\n".join([*head, shader("mpv_common.glsl", *self._common), text])

    # --- parts of a pass --------------------------------------------------------------------

    def _pass(
        self, name: str, out: Tensor, bound: list[Tensor], defines: list[str], **constants: str
    ) -> str:
        place, layout = self._places[out], self._layouts[out]
        head = self._head(bound, f"{plain(self._model.stem)}: {plain(out.name)}")
        head += [f"//!SAVE {place.name}", "//!COMPONENTS 4"]
        head += [f"//!WIDTH {self._length('w', out.shrink, place.across)}"]
        head += [f"//!HEIGHT {self._length('h', out.shrink, place.down)}"]
        defines = [*defines, f"TILES {layout.tiles}", f"ACROSS {place.across}"]
        defines += [f"DOWN {place.down}", f"SHRINK {out.shrink}"]
        text = Template(shader(name, *defines)).substitute(constants)
        return "\n".join([*head, shader("mpv_common.glsl", *self._common), text])

    def _head(self, bound: list[Tensor], description: str) -> list[str]:
        names = []
        for tensor in bound:
            if not tensor.given:
                names.append(self._places[tensor].name)
            elif not self._plan.is_frame(tensor):
                names.append(CANVAS)
        binds = [f"//!BIND {name}" for name in dict.fromkeys(["HOOKED", *names])]
        return ["//!HOOK MAIN", *binds, f"//!DESC {description}"]

    def _read(self, step: Conv) -> list[str]:
        """Defines for what a convolution reads."""
        first, *beside = (tensor for tensor, _ in step.parts)
        if not first.given:
            return self._from(first)
        defines = ["PICTURE", "FROM_SHRINK 1"]
        if self._model.canvas is not None and beside:
            defines += ["CANVAS", f"CANVAS_BLOCK {self._plan.canvas_block}"]
            defines += [f"CANVAS_SIDE {self._model.canvas.tile.shape[0]}"]
        return defines

    def _from(self, tensor: Tensor) -> list[str]:
        place = self._places[tensor]
        names = f"FROM {place.name}_raw", f"FROM_ACROSS {place.across}"
        return [*names, f"FROM_SHRINK {tensor.shrink}"]

    def _sum(self, other: Tensor, rule: SumRule) -> list[str]:
        ratios = (rule.own_ratio, rule.other_ratio, rule.fixed)
        names = zip(("OWN_RATIO", "OTHER_RATIO", "FIXED"), ratios, strict=True)
        values = [f"{name} ({number(value)})" for name, value in names]
        return [f"OTHER {self._places[other].name}_raw", *values]

    def _length(self, side: str, shrink: int, tiles: int) -> str:
        """Texels along a side of so many tiles, in mpv's reverse Polish notation."""
        m = self._model.size_multiple
        enough = f"HOOKED.{side} {m - 1} +"
        return f"{enough} {enough} {m} % - {self._plan.block * shrink} / {tiles} *"


def _place(name: str, layout: Layout) -> _Place:
    across = ceil(sqrt(layout.tiles))  # near a square: no side outgrows a texture's
    return _Place(name, across, ceil(layout.tiles / across))


def _is_diagonal(weights: np.ndarray) -> bool:
    """Whether each tile reads its own group alone. weights: (tile, row, column, group, 4, 4)."""
    tiles, groups = weights.shape[0], weights.shape[3]
    other = ~np.eye(tiles, groups, dtype=bool)
    return tiles == groups and not weights.transpose(0, 3, 1, 2, 4, 5)[other].any()


def _listed(kind: str, rows: np.ndarray) -> str:
    return ",\n".join(f"{kind}({','.join(number(v) for v in row)})" for row in rows)
