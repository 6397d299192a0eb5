"""A float file carries its canvas as a constant, for foreign programs: here it becomes an input."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from stylizer.style.contract import CanvasInput


def cut_canvas(graph: onnx.GraphProto, canvas: CanvasInput) -> None:
    """Make the value that holds the canvas an input (1, 3, height, width) of its own type and size;
    the nodes and weights that only made it go. A graph that takes a canvas already stays as it is.
    """
    if canvas.name in {value.name for value in graph.input}:
        return
    needed = _needed(graph, {value.name for value in graph.output}, canvas.name)
    kept = [node for node in graph.node if needed.intersection(node.output)]
    weights = [weight for weight in graph.initializer if weight.name in needed]
    named = [value for value in graph.value_info if value.name in needed - {canvas.name}]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(kept)
    graph.initializer.extend(weights)
    graph.value_info.extend(named)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(canvas.dtype))
    shape = [1, 3, "canvas_height", "canvas_width"]
    graph.input.append(helper.make_tensor_value_info(canvas.name, kind, shape))


def without_tile(proto: onnx.ModelProto, canvas: CanvasInput | None) -> onnx.ModelProto:
    """The network with its canvas as an input, for counting: a tile is no weight."""
    if canvas is None:
        return proto
    found = onnx.ModelProto()
    found.CopyFrom(proto)
    cut_canvas(found.graph, canvas)
    return found


def _needed(graph: onnx.GraphProto, wanted: set[str], given: str) -> set[str]:
    """Names of all values from which `wanted` are computed when the value `given` is fed."""
    makers = {output: node for node in graph.node for output in node.output}
    needed: set[str] = set()
    ahead = list(wanted)
    while ahead:
        name = ahead.pop()
        if name in needed:
            continue
        needed.add(name)
        if name != given and name in makers:
            ahead += [*makers[name].input, *_captured(makers[name])]
    return needed - {given}


def _captured(node: onnx.NodeProto) -> list[str]:
    """What the branches of an If or Loop read from around them (and names of their own)."""
    inner = [a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]
    names = [name for g in inner for n in g.node for name in (*n.input, *_captured(n))]
    return names + [value.name for g in inner for value in g.output]
