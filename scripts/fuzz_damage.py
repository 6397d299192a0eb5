"""Small wounds: to the bytes of a file, and to a model's graph."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import onnx

NUMBERS = (0, 1, 2, 3, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1)
DIMS = (-1, 0, 1, 2, 3, 4, 5, 7, 64, 1000, 65536, 2**31, 2**40, 2**62)


def damaged(rng: random.Random, data: bytes) -> bytes:
    """One to eight small wounds anywhere, most of them near the beginning, where headers are."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        if not found:
            break
        at = min(int(len(found) * rng.random() ** rng.choice((1, 3))), len(found) - 1)
        _WOUNDS[rng.randrange(len(_WOUNDS))](rng, found, at)
    return bytes(found)


def _flip(rng: random.Random, found: bytearray, at: int) -> None:
    found[at] ^= 1 << rng.randrange(8)


def _byte(rng: random.Random, found: bytearray, at: int) -> None:
    found[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _number(rng: random.Random, found: bytearray, at: int) -> None:
    order = rng.choice("<>")
    size, code = rng.choice(((2, "H"), (4, "I")))
    value = rng.choice(NUMBERS) & (2 ** (8 * size) - 1)
    found[at : at + size] = struct.pack(order + code, value)


def _cut(rng: random.Random, found: bytearray, at: int) -> None:
    del found[at:]


def _remove(rng: random.Random, found: bytearray, at: int) -> None:
    del found[at : at + rng.choice((1, 4, 100, 5000))]


def _again(rng: random.Random, found: bytearray, at: int) -> None:
    found[at:at] = found[at : at + rng.choice((1, 4, 100, 5000))]


def _noise(rng: random.Random, found: bytearray, at: int) -> None:
    found[at : at + rng.choice((2, 16, 300))] = rng.randbytes(rng.choice((2, 16, 300)))


_WOUNDS: tuple[Callable[[random.Random, bytearray, int], None], ...] = (
    _flip, _flip, _byte, _byte, _number, _number, _cut, _remove, _again, _noise,
)  # fmt: skip


def rebuild(rng: random.Random, proto: onnx.ModelProto) -> None:
    """Change the graph, not its bytes: it can be read, and is wrong or strange."""
    graph, node = proto.graph, rng.choice(proto.graph.node)
    ends = [*graph.input, *graph.output]
    what = rng.randrange(9)
    if what == 0 and ends:
        for dim in rng.choice(ends).type.tensor_type.shape.dim:
            if rng.random() < 0.5:
                dim.dim_value = rng.choice(DIMS)
    elif what == 1 and ends:
        rng.choice(ends).type.tensor_type.elem_type = rng.randrange(0, 24)
    elif what == 2:
        node.op_type = rng.choice(("Loop", "If", "Resize", "Conv", "Softmax", "TopK", "NoSuch"))
    elif what == 3 and node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice(("", "x", node.output[0]))
    elif what == 4 and node.attribute:
        attribute = rng.choice(node.attribute)
        attribute.i = rng.choice(DIMS)
        attribute.ints[:] = [rng.choice(DIMS) for _ in attribute.ints]
    elif what == 5 and graph.initializer:
        weight = rng.choice(graph.initializer)
        weight.dims[:] = [rng.choice(DIMS) for _ in weight.dims] or [rng.choice(DIMS)]
    elif what == 6:
        graph.node.remove(node)
        if not graph.node:
            graph.node.append(node)
    elif what == 7 and proto.metadata_props:
        entry = rng.choice(proto.metadata_props)
        entry.value = damaged(rng, entry.value.encode()).decode("utf-8", "replace")
    else:
        proto.opset_import[0].version = rng.choice(DIMS)
