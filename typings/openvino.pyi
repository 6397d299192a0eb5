# What stylizer uses of openvino 2026 (Apache-2.0), as its wheel's stubs declare it: the package is
# an extra, and `make check` does without it.
from typing import Any

import numpy

class Model:
    def reshape(self, shapes: dict[str, list[int]]) -> None: ...

class Tensor:
    @property
    def data(self) -> numpy.ndarray: ...

class InferRequest:
    def infer(self, inputs: Any = None, share_inputs: bool = False) -> Any: ...
    def get_output_tensor(self, index: int) -> Tensor: ...

class CompiledModel:
    def create_infer_request(self) -> InferRequest: ...

class Core:
    def read_model(self, model: bytes | str) -> Model: ...
    def compile_model(
        self, model: Model, device_name: str, config: dict[str, Any]
    ) -> CompiledModel: ...
