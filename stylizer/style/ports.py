"""Which of a graph's inputs and outputs are pictures, and which input chooses the style."""

from __future__ import annotations

from pathlib import Path

import onnx

from stylizer.errors import BadInput
from stylizer.style import graph
from stylizer.style.contract import Selector

MOST_STYLES = 10_000  # public networks hold up to some hundred
PICTURE_DTYPES = ("float32", "float16", "float64", "uint8")


def picture_input(
    path: Path, proto: onnx.ModelProto, index: int, aside: str = ""
) -> tuple[graph.Tensor, Selector | None]:
    """The picture input, and the style input with style `index` chosen; `aside`: an input that is
    neither (the canvas). Raises BadInput."""
    found = [t for t in graph.inputs(proto) if t.name != aside]
    pictures = [t for t in found if _may_be_picture(t)]
    if not pictures:
        raise not_a_style_network(
            path, f"takes {_listed(found)} where a picture (1, 3, height, width) is expected"
        )
    picture = pictures[0]
    others = [t for t in found if t != picture]
    if picture.dtype not in PICTURE_DTYPES:
        raise not_a_style_network(path, f"takes numbers of type {picture.dtype}")
    if picture.shape[0] not in (None, 1):
        raise BadInput(f"{path} takes {picture.shape[0]} pictures at once; export it with batch 1")
    if others:
        return picture, _selector(path, others, index)
    if index:
        raise BadInput(f"{path} holds one style; leave out #{index}")
    return picture, None


def picture_outputs(path: Path, proto: onnx.ModelProto) -> list[graph.Tensor]:
    """The outputs that may be pictures, at least one; a run shows which is. Raises BadInput."""
    found = graph.outputs(proto)
    pictures = [t for t in found if len(t.shape) == 4 and t.dtype in PICTURE_DTYPES]
    if not pictures:
        raise not_a_style_network(path, f"gives {_listed(found)} where a picture is expected")
    return pictures


def not_a_style_network(path: Path, reason: str) -> BadInput:
    """The error for a network of another kind."""
    return BadInput(f"{path} is no style network: it {reason}; choose another model")


def _selector(path: Path, others: list[graph.Tensor], index: int) -> Selector:
    second = others[0]
    shape = second.shape
    listed = len(shape) == 1 or (len(shape) == 2 and shape[0] in (None, 1))
    count = shape[-1] if shape else None
    if len(others) > 1 or not listed or not count or second.dtype not in PICTURE_DTYPES:
        raise not_a_style_network(
            path,
            f"wants {_listed(others)} beside the picture, and only one list with a place for each "
            "style can be filled (#K)",
        )
    if count > MOST_STYLES:
        raise BadInput(
            f"{path} wants a list of {count} numbers to choose the style by, more than "
            f"{MOST_STYLES}; it is damaged or no style network"
        )
    if index >= count:
        raise BadInput(
            f"{path} holds {count} styles, so there is no #{index}; choose #0 to #{count - 1}"
        )
    return Selector(second.name, tuple(d or 1 for d in shape), second.dtype, count, index)


def _may_be_picture(tensor: graph.Tensor) -> bool:
    """Rank 4 and not a style vector (1, 1, 1, N)."""
    return len(tensor.shape) == 4 and not all(d == 1 for d in tensor.shape[1:3])


def _listed(tensors: list[graph.Tensor]) -> str:
    return " and ".join(str(t) for t in tensors) or "nothing"
