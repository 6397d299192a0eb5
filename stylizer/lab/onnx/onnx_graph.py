"""An ONNX graph made by hand, node by node, and written with what the project says about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

HALF = "_half"
FLOAT = onnx.TensorProto.FLOAT
OPSET = 17  # CUDA lacked a Pad kernel for 19-23 (onnxruntime#26393)


class OnnxGraph:
    """Collects nodes and weights; values are named after the node that makes them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}

    def node(self, op: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of its output."""
        output = output or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, values: np.ndarray) -> str:
        """Add a weight; returns its name."""
        self.weights[name] = values
        return name

    def enlarged(self, x: str, scales: str, factor: int) -> str:
        """(B, C, factor * H, factor * W), each pixel repeated; `scales` names the constant."""
        sizes = self.constant(scales, np.array([1, 1, factor, factor], np.float32))
        return self.node(
            "Resize",
            [x, "", sizes],
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )

    def halve(self, least: int = 1024) -> None:
        """Keep float32 weights of that many values and more in half precision; Cast gives them
        back, once, when the file is loaded."""
        for name, values in list(self.weights.items()):
            if values.dtype == np.float32 and values.size >= least:
                half = f"{name}{HALF}"
                self.weights[half] = self.weights.pop(name).astype(np.float16)
                cast = helper.make_node("Cast", [half], [name], name=name, to=FLOAT)
                self.nodes.insert(0, cast)

    def model(self, number: type, shape: list[Any]) -> onnx.ModelProto:
        """The whole, from "input" to "output", both of this numpy type and shape."""
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(number))
        ends = [helper.make_tensor_value_info(n, kind, shape) for n in ("input", "output")]
        weights = [numpy_helper.from_array(v, n) for n, v in self.weights.items()]
        graph = helper.make_graph(self.nodes, self.name, ends[:1], ends[1:], weights)
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(
            graph, opset_imports=[opset], ir_version=8, producer_name="stylizer"
        )


def weights_of(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """All weights by name, those kept in half precision in single again."""
    found = {w.name: numpy_helper.to_array(w) for w in model.graph.initializer}
    halves = {n: v for n, v in found.items() if n.endswith(HALF)}
    return found | {n.removesuffix(HALF): v.astype(np.float32) for n, v in halves.items()}


def write_model(model: onnx.ModelProto, path: Path, **texts: dict) -> None:
    """Check and save with each of `texts` as JSON in the metadata, named stylizer.NAME."""
    with_texts(model, **texts)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def with_texts(model: onnx.ModelProto, **texts: dict) -> None:
    """Put each of `texts` into the metadata as JSON, named stylizer.NAME."""
    for name, value in texts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = f"stylizer.{name}", json.dumps(value, sort_keys=True)
