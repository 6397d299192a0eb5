"""An integer fast network as a Magpie effect: an .hlsl file, and the canvas as a picture beside it.

The format, MagpieFX: https://github.com/Blinue/Magpie/blob/main/docs/MagpieFX%20(EN).md. Passes are
compute shaders; each thread fills one pixel of up to six textures.
"""

from __future__ import annotations

from string import Template

from stylizer.style.contract import StyleModel
from stylizer.style.export.hlsl import groups_of, statements
from stylizer.style.export.plan import Plan, plain
from stylizer.style.gl.layout import MOST_PLANES
from stylizer.style.gl.steps import Add, Conv, Steps, Tensor
from stylizer.system.outputs import REMARK
from stylizer.system.resources import shader

CANVAS = "canvas"


def magpie_effect(model: StyleModel, network: Steps, canvas_file: str) -> str:
    """The whole file. Raises DoesNotFit for a network that Magpie's passes cannot hold."""
    writer = _Writer(Plan.of(model, network, MOST_PLANES, "Magpie"))
    text = Template(shader("export_magpie.hlsl")).substitute(
        multiple=model.size_multiple,
        block=writer.plan.block,
        textures="\n".join(writer.textures(canvas_file)),
        canvas=writer.canvas(),
        common=shader("export_common.hlsl"),
        passes="\n".join([*writer.passes(), writer.out()]),
    )
    return f"// {plain(model.stem)}, {REMARK} for Magpie 0.11 or newer\n{text}"


class _Writer:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def textures(self, canvas_file: str) -> list[str]:
        lines = []
        for tensor, home in self.plan.homes.items():
            layout = self.plan.layouts[tensor]
            size = [f"//!{w} {self._length(w, tensor.shrink)}" for w in ("WIDTH", "HEIGHT")]
            for group in range(layout.tiles * layout.planes):
                name = _name(home, group)
                head = ["//!TEXTURE", *size, "//!FORMAT R8G8B8A8_UNORM"]
                lines.append("\n".join([*head, f"Texture2D {name};\n"]))
        lines = list(dict.fromkeys(lines))  # a home has many tensors
        if self.plan.canvas_rgba is not None:
            lines.append(f"//!TEXTURE\n//!SOURCE {canvas_file}\nTexture2D {CANVAS};\n")
        return lines

    def canvas(self) -> str:
        canvas = self.plan.canvas_rgba
        if canvas is None:
            return ""
        return f"#define Canvas(at) Whole({CANVAS}[uint2(at) % {canvas.shape[0]}])"

    def passes(self) -> list[str]:
        return [self._pass(n, step, tile) for n, (step, tile) in enumerate(self.plan.tiles, 1)]

    def out(self) -> str:
        """From the last tensor to the picture: group g of a pixel block is a pixel of it."""
        tensor, side = self.plan.network.result, self.plan.block
        groups = range(side * side)
        names = [_name(self.plan.homes[tensor], group) for group in groups]
        head = _head(len(self.plan.tiles) + 1, "the picture", names, ["OUTPUT"], 8 * side)
        lines = [f"uint2 at = blockStart + Rmp8x8(threadId.x) * {side};", "uint2 pixel;"]
        for group, name in enumerate(names):
            lines.append(f"pixel = at + uint2({group % side}, {group // side});")
            inside = "all(pixel < GetOutputSize())"
            value = f"float4({name}[at / {side}].rgb, 1.0)"
            lines.append(f"if ({inside}) OUTPUT[pixel] = {value};")
        return _pass_text(head, len(self.plan.tiles) + 1, lines)

    def _pass(self, n: int, step: Conv | Add, tile: int) -> str:
        outs = [_name(self.plan.homes[step.out], g) for g in groups_of(self.plan, step.out, tile)]
        read: list[str] = []

        def reading(tensor: Tensor, group: int, at: str) -> str:
            read.append(_name(self.plan.homes[tensor], group))
            return f"{read[-1]}[uint2({at})]"

        lines = ["int2 pixel = int2(blockStart + Rmp8x8(threadId.x));"]
        lines.append(f"if (any(pixel >= TileSize({step.out.shrink}))) return;")
        lines += statements(self.plan, step, tile, reading)
        lines += [f"{name}[pixel] = result{o} / 255.0;" for o, name in enumerate(outs)]
        given = [t for t in step.reads if t.given]
        names = ["INPUT" if self.plan.is_frame(t) else CANVAS for t in given]
        words = f"{plain(step.out.name)} {tile + 1}/{self.plan.layouts[step.out].tiles}"
        return _pass_text(_head(n, words, list(dict.fromkeys([*names, *read])), outs, 8), n, lines)

    def _length(self, side: str, shrink: int) -> str:
        """Texels along a side, rounded up to whole blocks; muParser knows `rint` and no `ceil`."""
        m, each = self.plan.model.size_multiple, self.plan.model.size_multiple // self.plan.block
        return f"rint(INPUT_{side} / {m} + {m - 1} / {2 * m}) * {each} / {shrink}"


def _name(home: int, group: int) -> str:
    return f"values{home}_{group}"


def _head(n: int, words: str, ins: list[str], outs: list[str], block: int) -> list[str]:
    lines = [f"//!PASS {n}", f"//!DESC {words}", f"//!IN {', '.join(ins)}"]
    return [*lines, f"//!OUT {', '.join(outs)}", f"//!BLOCK_SIZE {block}", "//!NUM_THREADS 64"]


def _pass_text(head: list[str], n: int, lines: list[str]) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    given = "uint2 blockStart, uint3 threadId"
    return "\n".join([*head, f"void Pass{n}({given})\n{{\n{body}\n}}\n"])
