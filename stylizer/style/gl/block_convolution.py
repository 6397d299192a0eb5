"""A 1x1 convolution over parts of pixel blocks, made one over whole blocks.

On a CPU the color grade is faster as four pixels at a time; to the shaders a block is one place, so
there it is the same weights along the diagonal.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from stylizer.style import graph


def over_blocks(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with each such convolution over the blocks of an input; all others as they are.

    What is looked for: Reshape of an input (1, rows, columns, C) to (1, rows, -1, c), Transpose,
    DequantizeLinear, Conv, QuantizeLinear, Transpose, Reshape back.
    """
    found = onnx.ModelProto()
    found.CopyFrom(proto)
    widths = {t.name: t.shape[3] for t in graph.inputs(proto) if len(t.shape) == 4}
    for node in proto.graph.node:
        channels = widths.get(node.input[0]) if node.op_type == "Reshape" else None
        chain = _chain(proto, node) if channels else []
        part = _part(proto, node) if chain else 0
        if channels and part and channels % part == 0:
            _widen(found, chain, channels // part)
    return found


def _chain(proto: onnx.ModelProto, first: onnx.NodeProto) -> list[onnx.NodeProto]:
    """The nodes from the Reshape to the one back, each read by the next alone; [] where they are
    others."""
    kinds = ("Transpose", "DequantizeLinear", "Conv", "QuantizeLinear", "Transpose", "Reshape")
    chain = [first]
    for kind in kinds:
        users = [n for n in proto.graph.node if chain[-1].output[0] in n.input]
        if len(users) != 1 or users[0].op_type != kind or users[0].input[0] != chain[-1].output[0]:
            return []
        chain.append(users[0])
    return chain


def _part(proto: onnx.ModelProto, node: onnx.NodeProto) -> int:
    """Values of the parts that a Reshape to (1, rows, -1, c) makes; 0 for another one."""
    shape = graph.constants(proto).get(node.input[1]) if len(node.input) > 1 else None
    if shape is None or shape.size != 4 or shape[:3].tolist() != [1, 0, -1]:
        return 0
    return int(shape[3])


def _widen(proto: onnx.ModelProto, chain: list[onnx.NodeProto], times: int) -> None:
    """Take both Reshapes out, and lay the weights `times` times along the diagonal."""
    first, last, conv = chain[0], chain[-1], chain[3]
    new_names = {first.output[0]: first.input[0], last.output[0]: last.input[0]}
    kept = [n for n in proto.graph.node if n.output[0] not in new_names]
    makers = {n.output[0]: n for n in kept}
    constants = graph.constants(proto)
    for place, name in enumerate(conv.input[1:]):
        for constant in makers[name].input if name in makers else ():
            values = constants[constant]
            wide = _diagonal(values, times) if not place and values.ndim == 4 else values
            if wide is values and values.ndim:
                wide = np.tile(values, times)
            _replace(proto, constant, wide)
    for node in kept:
        for k, name in enumerate(node.input):
            node.input[k] = new_names.get(name, name)
    del proto.graph.node[:]
    proto.graph.node.extend(kept)


def _diagonal(weight: np.ndarray, times: int) -> np.ndarray:
    """(O, I, 1, 1) -> (times O, times I, 1, 1)."""
    diagonal = np.kron(np.eye(times, dtype=weight.dtype), weight[:, :, 0, 0])
    return diagonal.astype(weight.dtype)[:, :, None, None]


def _replace(proto: onnx.ModelProto, name: str, values: np.ndarray) -> None:
    for weight in proto.graph.initializer:
        if weight.name == name:
            weight.CopyFrom(numpy_helper.from_array(values, name))
