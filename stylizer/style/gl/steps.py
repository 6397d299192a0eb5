"""The integer network as a list of steps over uint8 tensors: what the ONNX graph comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

LEVELS = 256
MOST_EXACT = 2**24  # float32 holds every whole number below it


@dataclass(frozen=True, eq=False)
class Tensor:
    """uint8 (channels, rows / shrink, columns / shrink), where the graph's inputs have (rows,
    columns). given: the graph's input that holds it; "": a step makes it."""

    name: str
    channels: int
    shrink: int = 1
    given: str = ""


@dataclass(frozen=True)
class Quantized:
    """value = (integer - zero) * scale, in float32 as the file has it."""

    scale: np.float32
    zero: int


@dataclass(frozen=True, eq=False)
class SumRule:
    """A quantized sum of two uint8 values.

    table: uint8 (256, 256), (own value, the other one) -> their sum, exact. Nearly the same is
    own * own_ratio + other * other_ratio + fixed, rounded half to even and clamped: where shaders
    have no table, a value that lies halfway but for float32's last bit may round the other way.
    """

    table: np.ndarray
    own_ratio: float
    other_ratio: float
    fixed: float

    @property
    def swapped(self) -> SumRule:
        """The same with the own value and the other one exchanged."""
        table = np.ascontiguousarray(self.table.T)
        return SumRule(table, self.other_ratio, self.own_ratio, self.fixed)


@dataclass(frozen=True, eq=False)
class Sum:
    """Another tensor that is added to a convolution's own result."""

    other: Tensor
    rule: SumRule


@dataclass(frozen=True, eq=False)
class Conv:
    """A convolution with its edge repeated, rounded to uint8, and maybe added to another tensor.

    parts: (tensor read, its float32 weights (out, channels, k, k), whole numbers); what they read
    lies one beside the other. bias: whole numbers (out,), the zero point of the input folded in.
    scale: float32 (out,), from integer sums to steps of the output.
    """

    out: Tensor
    parts: tuple[tuple[Tensor, np.ndarray], ...]
    bias: np.ndarray
    scale: np.ndarray
    zero: int
    stride: int = 1
    added: Sum | None = None

    @property
    def side(self) -> int:
        """Height and width of the kernel."""
        return self.parts[0][1].shape[2]

    @property
    def reads(self) -> list[Tensor]:
        return [tensor for tensor, _ in self.parts] + ([self.added.other] if self.added else [])

    @property
    def bound(self) -> int:
        """The largest sum, whatever the pixels."""
        sums = sum(np.abs(w).sum(axis=(1, 2, 3), dtype=np.float64) for _, w in self.parts)
        return int((sums * (LEVELS - 1) + np.abs(self.bias)).max())


@dataclass(frozen=True, eq=False)
class Add:
    """The quantized sum of two tensors. spread: None, or int (2, 2, channels): at row r and column
    c the first one's channel spread[r % 2, c % 2] is read at (r // 2, c // 2), twice its size."""

    out: Tensor
    first: Tensor
    second: Tensor
    rule: SumRule
    spread: np.ndarray | None = None

    @property
    def reads(self) -> list[Tensor]:
        return [self.first, self.second]


@dataclass(frozen=True)
class Steps:
    """A network: steps in the order in which they can run, from `given` to `result`."""

    given: tuple[Tensor, ...]
    result: Tensor
    steps: tuple[Conv | Add, ...] = field(default=())


def sum_rule(a: Quantized, b: Quantized, out: Quantized) -> SumRule:
    """What a + b is for all values of a (the own one) and b.

    In the arithmetic of ONNX Runtime's CPU provider (MlasQLinearAdd with fused multiply-adds,
    checked on all pairs): one rounding after each of two multiply-adds. Shaders read the table, as
    no GPU promises that order.
    """
    one, many = np.float32, np.arange(LEVELS, dtype=np.float64)
    ratio_a, ratio_b = one(a.scale / out.scale), one(b.scale / out.scale)
    folded = one(np.float64(ratio_a) * a.zero + np.float64(one(ratio_b * one(b.zero))))
    fixed = one(one(out.zero) - folded)
    right = (many * np.float64(ratio_b) + np.float64(fixed)).astype(np.float32)
    sums = (many[:, None] * np.float64(ratio_a) + right.astype(np.float64)).astype(np.float32)
    table = np.clip(np.rint(sums), 0, LEVELS - 1).astype(np.uint8)
    return SumRule(table, float(ratio_a), float(ratio_b), float(fixed))


def fused(network: Steps) -> Steps:
    """The same network with sums that follow a convolution made part of it, where nobody else
    reads that convolution's result: one pass less, and one tensor."""
    readers = [tensor for step in network.steps for tensor in step.reads]
    convs = {step.out: step for step in network.steps if isinstance(step, Conv)}
    gone: set[Tensor] = set()
    steps: list[Conv | Add] = []
    for step in network.steps:
        joined = _joined(step, convs, readers) if isinstance(step, Add) else None
        if joined is not None:
            gone.add(joined[0])
            steps = [s for s in steps if s.out is not joined[0]]
        steps.append(joined[1] if joined else step)
    return Steps(network.given, network.result, tuple(steps))


def _joined(
    step: Add, convs: dict[Tensor, Conv], readers: list[Tensor]
) -> tuple[Tensor, Conv] | None:
    """(the tensor that is no more, the convolution that ends in this sum)."""
    pairs = [(step.second, step.first, step.rule.swapped), (step.first, step.second, step.rule)]
    if step.spread is not None:
        return None
    for own, other, rule in pairs:
        conv = convs.get(own)
        if conv and readers.count(own) == 1 and own is not other:
            added = Sum(other, rule)
            made = (step.out, conv.parts, conv.bias, conv.scale, conv.zero, conv.stride, added)
            return own, Conv(*made)
    return None
