"""The ONNX graph itself: loading it, its ends and its constants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from stylizer.errors import BadInput

INSTEAD = {  # how other files begin, in lower case, that are taken for a model
    b"version https://git-lfs": "a pointer of Git LFS; fetch the model itself with `git lfs pull`",
    b"<!doctype html": "a web page; download the model again",
    b"<html": "a web page; download the model again",
    b"pk\x03\x04": "a zip archive, as PyTorch's checkpoints are; unpack it or export it to ONNX",
    b"\x80\x02": "a checkpoint of PyTorch; export it to ONNX",
}
MIN_OPSET = 7  # before it, arithmetic did not broadcast; ONNX Runtime starts there too


@dataclass(frozen=True)
class Tensor:
    """Name, numpy dtype name and shape of a graph's input or output; None for a free dimension."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.name} ({', '.join('?' if d is None else str(d) for d in self.shape)})"


def read(path: Path) -> onnx.ModelProto:
    """The file alone, without external data. Raises BadInput with the reason in one sentence."""
    if path.is_dir():
        raise BadInput(f"{path} is a folder, not a model; name the .onnx file inside it")
    if not path.exists():
        raise BadInput(f"{path} does not exist; check the path, or see `models list`")
    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read ({error.strerror}); check its permissions"
        ) from error
    except Exception as error:  # protobuf's DecodeError and what else broken bytes may cause
        raise BadInput(f"{path} is {_instead(path)}") from error
    if not model.graph.node or not model.graph.output:
        raise BadInput(f"{path} is not an ONNX file, or an empty one; export it again")
    return model


def _instead(path: Path) -> str:
    """What a file is that ONNX cannot read, and what to do about it."""
    with open(path, "rb") as file:
        head = file.read(512).lstrip().lower()
    for begin, what in INSTEAD.items():
        if head.startswith(begin):
            return f"not an ONNX file but {what}"
    return "not an ONNX file, or a damaged one; export it again"


def load(path: Path) -> onnx.ModelProto:
    """The model with its external data. Raises BadInput with the reason in one sentence."""
    model = read(path)
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except Exception as error:
        raise BadInput(
            f"{path} keeps its weights in another file that cannot be read; put that file beside "
            "it, or export the model as one file"
        ) from error
    if opset(model) < MIN_OPSET:
        raise BadInput(
            f"{path} uses opset {opset(model)}; export it with opset {MIN_OPSET} or newer"
        )
    return model


def opset(model: onnx.ModelProto) -> int:
    """Version of the standard operator set."""
    versions = [o.version for o in model.opset_import if o.domain in ("", "ai.onnx")]
    return max(versions, default=0)


def inputs(model: onnx.ModelProto) -> list[Tensor]:
    """The graph's inputs without those that are only names of weights (old exporters)."""
    weights = {w.name for w in model.graph.initializer}
    return [_tensor(v) for v in model.graph.input if v.name not in weights]


def outputs(model: onnx.ModelProto) -> list[Tensor]:
    return [_tensor(v) for v in model.graph.output]


def _tensor(value: onnx.ValueInfoProto) -> Tensor:
    kind = value.type.tensor_type
    dims = kind.shape.dim if kind.HasField("shape") else ()
    shape = tuple(d.dim_value if d.dim_value > 0 else None for d in dims)
    known = kind.elem_type in TensorProto.DataType.values() and kind.elem_type
    dtype = str(helper.tensor_dtype_to_np_dtype(kind.elem_type)) if known else "unknown"
    return Tensor(value.name, dtype, shape)


def constants(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Weights and Constant nodes that hold a tensor, by name."""
    found = {w.name: numpy_helper.to_array(w) for w in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    found[node.output[0]] = numpy_helper.to_array(attribute.t)
                elif attribute.name == "value_float":
                    found[node.output[0]] = np.array(attribute.f, np.float32)
    return found
