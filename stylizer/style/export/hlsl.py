"""The statements of a pass in HLSL, which ReShade FX and Magpie share.

Weights are numbers in the code, written out: no compiler has to unroll anything, and what is zero
is left out. A pass fills one tile: `pixel` of it is given, `result0`, `result1` ... (0..255) come
out.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from stylizer.style.export.plan import Plan, number
from stylizer.style.gl.layout import GROUP
from stylizer.style.gl.steps import Add, Conv, SumRule, Tensor

# (tensor, its group, place) -> the four values there, as an expression.
Read = Callable[[Tensor, int, str], str]


def statements(plan: Plan, step: Conv | Add, tile: int, read: Read) -> list[str]:
    """What computes a tile of a step's output."""
    if isinstance(step, Conv):
        return [*_conv(plan, step, tile, read), *_added(plan, step, tile, read)]
    lines = _first(plan, step, tile, read)
    return lines + _sums(plan, step.out, tile, step.second, step.rule, read)


def groups_of(plan: Plan, tensor: Tensor, tile: int) -> range:
    """Numbers of the groups in a tile."""
    planes = plan.layouts[tensor].planes
    return range(tile * planes, (tile + 1) * planes)


def _conv(plan: Plan, step: Conv, tile: int, read: Read) -> list[str]:
    weights, (bias, scale) = plan.weights(step)[tile]
    targets, half = plan.layouts[step.out].planes, step.side // 2
    lines = [f"float4 sum{o} = {_vector(v)};" for o, v in enumerate(bias.reshape(-1, GROUP))]
    lines += ["float4 value;", "int2 from;"]
    lines += [f"int2 last = TileSize({step.parts[0][0].shrink}) - 1;"]
    reads = [(t, g) for t, _ in step.parts for g in range(plan.layouts[t].slots.size // GROUP)]
    for row, column in product(range(step.side), repeat=2):
        tap = f"pixel * {step.stride} + int2({column - half}, {row - half})"
        lines.append(f"from = clamp({tap}, int2(0, 0), last);")
        for (tensor, group), matrices in zip(reads, weights[row, column], strict=True):
            used = [o for o in range(targets) if matrices[o].any()]
            lines += [f"value = {_read(plan, tensor, group, read)};"] if used else []
            lines += [f"sum{o} = MulAdd(value, {_matrix(matrices[o])}, sum{o});" for o in used]
    for o, v in enumerate(scale.reshape(-1, GROUP)):
        value = f"clamp(round(sum{o} * {_vector(v)}) + {step.zero}.0, 0.0, 255.0)"
        lines.append(f"float4 result{o} = {value};")
    return lines


def _added(plan: Plan, step: Conv, tile: int, read: Read) -> list[str]:
    if step.added is None:
        return []
    return _sums(plan, step.out, tile, step.added.other, step.added.rule, read)


def _read(plan: Plan, tensor: Tensor, group: int, read: Read) -> str:
    """A value of what a convolution reads, at `from`."""
    if not tensor.given:
        return f"Whole({read(tensor, group, 'from')})"
    frame = plan.is_frame(tensor)
    side = plan.block if frame else plan.canvas_block
    inside = f"int2({group % side}, {group // side})"
    return f"{'Picture' if frame else 'Canvas'}(from * {side} + {inside})"


def _first(plan: Plan, step: Add, tile: int, read: Read) -> list[str]:
    """A sum's first values, of which with `spread` one of four tiles is read."""
    groups = groups_of(plan, step.out, tile)
    lines = [f"float4 result{o};" for o in range(len(groups))]
    if step.spread is None:
        reads = [f"Whole({read(step.first, group, 'pixel')})" for group in groups]
        return lines + [f"result{o} = {value};" for o, value in enumerate(reads)]
    lines += ["int corner = pixel.y % 2 * 2 + pixel.x % 2;", "int2 from = pixel / 2;"]
    apart = plan.layouts[step.out].slots.size // GROUP  # groups from corner to corner
    for corner in range(4):
        reads = [f"Whole({read(step.first, group + corner * apart, 'from')})" for group in groups]
        lines += [f"if (corner == {corner}) {{"]
        lines += [f"    result{o} = {value};" for o, value in enumerate(reads)] + ["}"]
    return lines


def _sums(
    plan: Plan, out: Tensor, tile: int, other: Tensor, rule: SumRule, read: Read
) -> list[str]:
    own, ratio, fixed = (number(v) for v in (rule.own_ratio, rule.other_ratio, rule.fixed))
    lines = []
    for o, group in enumerate(groups_of(plan, out, tile)):
        second = f"Whole({read(other, group, 'pixel')}) * {ratio} + ({fixed})"
        lines.append(f"result{o} = Rounded(result{o} * {own} + ({second}));")
    return lines


def _vector(values: np.ndarray) -> str:
    return f"float4({', '.join(number(v) for v in values)})"


def _matrix(values: np.ndarray) -> str:
    """(channel read, channel written); whole numbers, without their point for brevity."""
    return f"float4x4({','.join(str(int(v)) for v in values.ravel())})"
