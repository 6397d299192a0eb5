"""What a chain of Transpose, Reshape, Pad ... does to a tensor, found by running it on numbers.

Every value of a small tensor is the number of its place. Whatever nodes an exporter writes for a
pixel shuffle, the numbers that come out tell which channel of which pixel each place got.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper

from stylizer.style.gl.steps import Tensor

ROWS, COLUMNS = 8, 24  # of the graph's inputs in this trial: three halvings, and not square
MOST_RIM = 4
_STRIDE = 2**20  # numbers of one tensor

Arrays = Mapping[str, np.ndarray]


class NotKnown(Exception):
    """A movement that the shaders do not have; the message says which."""


@dataclass(frozen=True)
class View:
    """What a tensor of moved values is: for each channel (index of a tensor, its channel).

    channels: int (n, 2). rim: pixels by which the edge is repeated all around. spread: None, or
    int (2, 2, n): see `steps.Add`.
    """

    channels: np.ndarray
    rim: int = 0
    spread: np.ndarray | None = None


def places(index: int, tensor: Tensor) -> np.ndarray:
    """(1, channels, rows, columns): number `index` and place of every value of a tensor."""
    shape = (1, tensor.channels, ROWS // tensor.shrink, COLUMNS // tensor.shrink)
    count = int(np.prod(shape))
    assert count <= _STRIDE
    return np.arange(count, dtype=np.int64).reshape(shape) + index * _STRIDE


def view_of(numbers: np.ndarray, tensors: list[Tensor]) -> View:
    """Read the numbers (1, channels, rows, columns) back. Raises NotKnown."""
    if numbers.ndim != 4 or numbers.shape[0] != 1:
        raise NotKnown(f"a tensor of {numbers.ndim} dimensions")
    for rim in range(MOST_RIM):
        inner = numbers[0, :, rim:-rim, rim:-rim] if rim else numbers[0]
        if not inner.size:
            break
        if rim and not np.array_equal(np.pad(inner, _sides(rim), "edge"), numbers[0]):
            continue
        for found in (_plain(inner, tensors), _spread(inner, tensors)):
            if found is not None:
                channels, spread = found
                return View(channels, rim, spread)
    raise NotKnown("an order of values that the shaders do not have")


def _sides(rim: int) -> tuple[tuple[int, int], ...]:
    return (0, 0), (rim, rim), (rim, rim)


def _plain(inner: np.ndarray, tensors: list[Tensor]) -> tuple[np.ndarray, None] | None:
    """Each channel is one of a tensor's, pixel for pixel."""
    sources = inner[:, 0, 0] // _STRIDE
    channels = np.zeros((len(inner), 2), np.int64)
    for index in np.unique(sources):
        own = places(index, tensors[index])[0]
        mine = sources == index
        channels[mine, 0] = index
        channels[mine, 1] = np.searchsorted(own[:, 0, 0], inner[mine, 0, 0])
        there = channels[mine, 1] < len(own)
        if not there.all() or not np.array_equal(own[channels[mine, 1]], inner[mine]):
            return None
    return channels, None


def _spread(inner: np.ndarray, tensors: list[Tensor]) -> tuple[np.ndarray, np.ndarray] | None:
    """The four pixels of a square are channels of one pixel."""
    if inner.shape[1] % 2 or inner.shape[2] % 2:
        return None
    corners = [
        [_plain(inner[:, row::2, column::2], tensors) for column in (0, 1)] for row in (0, 1)
    ]
    found = [one[0] for row in corners for one in row if one is not None]
    if len(found) != 4 or len(np.unique([one[:, 0] for one in found])) != 1:
        return None
    return found[0], np.stack(found).reshape(2, 2, -1, 2)[..., 1]


# --- the nodes that only move ----------------------------------------------------------------


def _reshape(node: onnx.NodeProto, x: np.ndarray, shape: np.ndarray) -> np.ndarray:
    kept = [x.shape[i] if d == 0 else int(d) for i, d in enumerate(shape.tolist())]
    return x.reshape(kept)


def _pad(node: onnx.NodeProto, x: np.ndarray, pads: np.ndarray) -> np.ndarray:
    if attributes(node).get("mode", b"constant") != b"edge":
        raise NotKnown("a padding other than by the edge")
    return np.pad(x, pads.reshape(2, -1).T.tolist(), "edge")


def _shape(node: onnx.NodeProto, x: np.ndarray) -> np.ndarray:
    named = attributes(node)
    return np.array(x.shape[named.get("start", 0) : named.get("end")], np.int64)


def _slice(node: onnx.NodeProto, x: np.ndarray, *given: np.ndarray) -> np.ndarray:
    starts, ends = given[0].tolist(), given[1].tolist()
    axes = given[2].tolist() if len(given) > 2 else range(len(starts))
    steps = given[3].tolist() if len(given) > 3 else [1] * len(starts)
    cut = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        cut[axis] = slice(start, end, step)
    return x[tuple(cut)]


def _depth_to_space(node: onnx.NodeProto, x: np.ndarray) -> np.ndarray:
    named = attributes(node)
    n, c, h, w = x.shape
    b = named["blocksize"]
    if named.get("mode", b"DCR") == b"DCR":
        moved = x.reshape(n, b, b, c // b**2, h, w).transpose(0, 3, 4, 1, 5, 2)
    else:
        moved = x.reshape(n, c // b**2, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
    return moved.reshape(n, c // b**2, h * b, w * b)


MOVES: dict[str, Callable[..., np.ndarray]] = {
    "Concat": lambda node, *xs: np.concatenate(xs, axis=attributes(node)["axis"]),
    "DepthToSpace": _depth_to_space,
    "Gather": lambda node, x, at: np.take(x, at, axis=attributes(node).get("axis", 0)),
    "Identity": lambda node, x: x,
    "Pad": _pad,
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "Transpose": lambda node, x: x.transpose(attributes(node)["perm"]),
}


def moved(node: onnx.NodeProto, values: Arrays) -> np.ndarray:
    """The node's output, from arrays by name. Raises NotKnown."""
    try:
        return MOVES[node.op_type](node, *(values[name] for name in node.input if name))
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise NotKnown("a form that the shaders do not have") from error


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}
