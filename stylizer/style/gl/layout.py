"""Where the channels of a tensor lie: groups of four in tiles of several textures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylizer.style.gl.reading import DoesNotFit
from stylizer.style.gl.steps import Add, Conv, Steps, Tensor

GROUP = 4  # channels of a texel
MOST_PLANES = 6  # textures of a tensor: two tensors and a table stay below OpenGL's 16 units
MATRIX_BYTES, VECTOR_BYTES = 64, 16

Weights = tuple[np.ndarray, np.ndarray]  # of one tile, see layer_weights


@dataclass(frozen=True, eq=False)
class Layout:
    """planes textures of `tiles` tiles each; slots: int (tiles * planes * 4,), the channel that
    lies there, -1 for none. Group number g lies in tile g // planes of texture g % planes."""

    planes: int
    tiles: int
    slots: np.ndarray

    def arranged(self, values: np.ndarray, axis: int = 0) -> np.ndarray:
        """Values of channels along an axis in the order of slots, 0 where there is none."""
        taken = np.take(values, np.maximum(self.slots, 0), axis=axis)
        there = (self.slots >= 0).reshape([-1 if i == axis else 1 for i in range(values.ndim)])
        return np.where(there, taken, 0)


def given_layout(tensor: Tensor) -> Layout:
    """Of an input: one texture, each group a tile (of one texel)."""
    return Layout(1, tensor.channels // GROUP, np.arange(tensor.channels))


def layouts(network: Steps, block_bytes: int) -> dict[Tensor, Layout]:
    """Of every tensor, so that the weights of a tile fit into a uniform block of this size.

    Raises DoesNotFit where not even one group at a time does.
    """
    convs = [step for step in network.steps if isinstance(step, Conv)]
    for most in range(MOST_PLANES, 0, -1):
        found = plane_layouts(network, most)
        if all(layer_bytes(step, found) <= block_bytes for step in convs):
            return found
    found = plane_layouts(network, 1)
    widest = max(convs, key=lambda step: layer_bytes(step, found))
    raise DoesNotFit(
        f"its operator Conv {widest.out.name!r} has {layer_bytes(widest, found)} bytes of weights "
        f"for four channels, and this graphics driver takes {block_bytes}"
    )


def plane_layouts(network: Steps, most: int) -> dict[Tensor, Layout]:
    """Of every tensor, in at most so many textures."""
    found = {tensor: given_layout(tensor) for tensor in network.given}
    spread = {s.first: s.spread for s in network.steps if isinstance(s, Add)}
    return found | {s.out: _layout(s.out, spread.get(s.out), most) for s in network.steps}


def matrices(step: Conv, found: dict[Tensor, Layout]) -> int:
    """4x4 matrices of one tile of the output."""
    groups = sum(found[tensor].slots.size // GROUP for tensor, _ in step.parts)
    return groups * step.side**2 * found[step.out].planes


def layer_bytes(step: Conv, found: dict[Tensor, Layout]) -> int:
    """Of the uniform block of one tile."""
    return matrices(step, found) * MATRIX_BYTES + 2 * VECTOR_BYTES * found[step.out].planes


def layer_blocks(step: Conv, found: dict[Tensor, Layout], count: int) -> list[bytes]:
    """What the uniform block `Layer` of net_conv.glsl with `count` matrices holds, for each tile of
    the output."""
    return [
        weights.tobytes().ljust(count * MATRIX_BYTES, b"\0") + tail.tobytes()
        for weights, tail in layer_weights(step, found)
    ]


def layer_weights(step: Conv, found: dict[Tensor, Layout]) -> list[Weights]:
    """For each tile of the output, both float32: weights (row of the kernel, its column, group
    read, texture written, channel read, channel written), and (bias and scale, channels written).
    """
    out, k = found[step.out], step.side
    parts = [out.arranged(found[t].arranged(w, axis=1)) for t, w in step.parts]
    weight = np.concatenate(parts, axis=1)  # (out slots, in slots, k, k)
    bias, scale = out.arranged(step.bias), out.arranged(step.scale)
    tiles = []
    for mine in np.split(np.arange(out.slots.size), out.tiles):
        w = weight[mine].reshape(out.planes, GROUP, -1, GROUP, k, k)  # target, row, group, column
        w = w.transpose(4, 5, 2, 0, 3, 1)  # tap row, tap column, group, target, column, row
        tail = np.stack([bias[mine], scale[mine]])
        tiles.append((w.astype(np.float32), tail.astype(np.float32)))
    return tiles


def _layout(tensor: Tensor, spread: np.ndarray | None, most: int) -> Layout:
    order = np.arange(tensor.channels)[None] if spread is None else spread.reshape(4, -1)
    groups = -(-order.shape[1] // GROUP)
    choices = [(-(-groups // k), k) for k in range(1, most + 1)]
    # What a tile reads and writes; then what is there to fill up; then the fewest tiles.
    tiles, planes = min(choices, key=lambda c: (c[0] * (c[1] + 1), c[0] * c[1], c[0]))
    slots = np.full((len(order), tiles * planes * GROUP), -1)
    slots[:, : order.shape[1]] = order
    return Layout(planes, len(order) * tiles, slots.ravel())
