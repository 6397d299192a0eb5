"""An integer fast network as a ReShade effect: an .fx file, and the canvas as a picture beside it.

The language: https://github.com/crosire/reshade-shaders/blob/slim/REFERENCE.md. A pass fills one
tile of up to two textures; so all passes together read fewer than 32 (of mosaic-fast: 26; of three
it would be 36), which is where a Vulkan driver may stop (lavapipe does).
"""

from __future__ import annotations

from string import Template

from stylizer.style.contract import StyleModel
from stylizer.style.export.hlsl import groups_of, statements
from stylizer.style.export.plan import Plan, plain
from stylizer.style.gl.steps import Steps, Tensor
from stylizer.system.outputs import REMARK
from stylizer.system.resources import shader

MOST_TARGETS = 2
POINT = "MinFilter = POINT; MagFilter = POINT; MipFilter = POINT;"


def reshade_effect(model: StyleModel, network: Steps, canvas_file: str) -> str:
    """The whole file. Raises DoesNotFit for a network that ReShade's passes cannot hold."""
    writer = _Writer(Plan.of(model, network, MOST_TARGETS, "ReShade"))
    stem = plain(model.stem)
    text = Template(shader("export_reshade.fx")).substitute(
        multiple=model.size_multiple,
        block=writer.plan.block,
        name=stem.replace("-", "_"),
        label=f"Stylizer: {stem}",
        textures="\n".join(writer.textures(canvas_file)),
        common=shader("export_common.hlsl"),
        canvas=writer.canvas(),
        corners="\n".join(writer.corners()),
        passes="\n".join([*writer.passes(), *writer.out()]),
        technique="\n".join(writer.technique()),
    )
    return f"// {stem}, {REMARK} for ReShade 4 or newer\n{text}"


class _Writer:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def textures(self, canvas_file: str) -> list[str]:
        lines = []
        for tensor, home in self.plan.homes.items():
            layout = self.plan.layouts[tensor]
            width = f"STYLIZER_COLUMNS / {tensor.shrink} * {layout.tiles}"
            size = f"Width = {width}; Height = STYLIZER_ROWS / {tensor.shrink};"
            for plane in range(layout.planes):
                name = _name(home, plane)
                lines.append(f"texture {name} {{ {size} Format = RGBA8; }};")
                lines.append(f"sampler {name}At {{ Texture = {name}; {POINT} }};")
        lines = list(dict.fromkeys(lines))  # a home has many tensors
        canvas = self.plan.canvas_rgba
        if canvas is not None:
            size = f"Width = {canvas.shape[1]}; Height = {canvas.shape[0]}; Format = RGBA8;"
            lines.append(f'texture Tile < source = "{canvas_file}"; > {{ {size} }};')
            wrap = "AddressU = REPEAT; AddressV = REPEAT;"
            lines.append(f"sampler TileAt {{ Texture = Tile; {POINT} {wrap} }};")
        return lines

    def canvas(self) -> str:
        canvas = self.plan.canvas_rgba
        if canvas is None:
            return ""
        place = f"float4((float2(at) + 0.5) / {canvas.shape[0]}.0, 0, 0)"
        return f"float4 Canvas(int2 at)\n{{\n    return Whole(tex2Dlod(TileAt, {place}));\n}}\n"

    def corners(self) -> list[str]:
        """A vertex shader for each place of a tile."""
        lines = []
        for tile, tiles in self._places():
            name = f"Tile{tile}of{tiles}"
            given = "uint id : SV_VertexID, out float4 position : SV_Position"
            lines.append(f"void {name}({given}, out float2 place : TEXCOORD)")
            lines.append(f"{{\n    Corner(id, {tile}.0, {tiles}.0, position, place);\n}}")
        return lines

    def passes(self) -> list[str]:
        lines = []
        for n, (step, tile) in enumerate(self.plan.tiles, 1):
            targets = range(self.plan.layouts[step.out].planes)
            outs = ", ".join(f"out float4 target{o} : SV_Target{o}" for o in targets)
            place = "float4 position : SV_Position, float2 place : TEXCOORD"
            lines.append(f"void Pass{n}({place}, {outs})\n{{")
            lines.append(f"    int2 pixel = int2(place * float2(TileSize({step.out.shrink})));")
            lines += [f"    {line}" for line in statements(self.plan, step, tile, self._read)]
            lines += [f"    target{o} = result{o} / 255.0;" for o in targets] + ["}"]
        return lines

    def out(self) -> list[str]:
        """From the last tensor to the frame: group g of a pixel block is a pixel of it."""
        tensor, side = self.plan.network.result, self.plan.block
        layout = self.plan.layouts[tensor]
        lines = ["float4 Show(float4 position : SV_Position, float2 place : TEXCOORD) : SV_Target"]
        lines += ["{", "    int2 at = int2(place * float2(BUFFER_WIDTH, BUFFER_HEIGHT));"]
        lines += [f"    int group = at.y % {side} * {side} + at.x % {side};"]
        where = f"Place(at / {side}, group / {layout.planes}, {layout.tiles}, {tensor.shrink})"
        lines += [f"    float4 where = {where};", "    float4 value = 0.0;"]
        for plane in range(layout.planes):
            read = f"tex2Dlod({_name(self.plan.homes[tensor], plane)}At, where)"
            lines.append(f"    if (group % {layout.planes} == {plane}) value = {read};")
        return [*lines, "    return float4(value.rgb, 1.0);", "}"]

    def technique(self) -> list[str]:
        lines = []
        for n, (step, tile) in enumerate(self.plan.tiles, 1):
            layout, home = self.plan.layouts[step.out], self.plan.homes[step.out]
            targets = [
                f"RenderTarget{o} = {_name(home, o)};"
                for o in range(len(groups_of(self.plan, step.out, tile)))
            ]
            lines.append(_pass(f"Tile{tile}of{layout.tiles}", f"Pass{n}", targets))
        return [*lines, _pass("Tile0of1", "Show", [])]

    def _places(self) -> list[tuple[int, int]]:
        found = [(tile, self.plan.layouts[step.out].tiles) for step, tile in self.plan.tiles]
        return list(dict.fromkeys([*found, (0, 1)]))

    def _read(self, tensor: Tensor, group: int, at: str) -> str:
        layout = self.plan.layouts[tensor]
        place = f"Place({at}, {group // layout.planes}, {layout.tiles}, {tensor.shrink})"
        return f"tex2Dlod({_name(self.plan.homes[tensor], group % layout.planes)}At, {place})"


def _name(home: int, plane: int) -> str:
    return f"Values{home}_{plane}"


def _pass(vertices: str, pixels: str, targets: list[str]) -> str:
    # Blending by 1 and 0 replaces. vkBasalt keeps the tiles beside the one drawn only where it
    # blends, ReShade in any case.
    keep = "BlendEnable = true; SrcBlend = ONE; DestBlend = ZERO;" if targets else ""
    shape = "PrimitiveTopology = TRIANGLESTRIP; VertexCount = 4;"
    drawn = f"VertexShader = {vertices}; PixelShader = {pixels};"
    return (
        "    pass\n    {\n"
        + "\n".join(f"        {line}" for line in [shape, drawn, *targets, keep] if line)
        + "\n    }"
    )
