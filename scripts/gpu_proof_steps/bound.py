"""A session of ONNX Runtime on CUDA, or on the CPU in a rehearsal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gpu_proof_steps.asked import FAST, Missing, Scale, Size, frame_of

FILES = {
    "fp32": FAST,
    "fp16": f"{FAST}-fp16",
    "int8": f"{FAST}-int8",
    "original": "mosaic-original",
}


class Bound:
    """A session whose inputs and output stay where they are on the device, as graphs need it."""

    def __init__(self, scale: Scale, file: str, size: Size, **options: str) -> None:
        import onnxruntime as ort

        from stylizer.style import catalog, providers, wrapping
        from stylizer.style.canvas import Canvas
        from stylizer.style.contract import Packer
        from stylizer.style.probe import load_model

        row = providers.PROVIDERS["cpu" if scale.rehearse else "cuda"]
        device = "cpu" if scale.rehearse else "cuda"
        if not scale.rehearse:
            given = row.options() | options
            row = replace(row, options=lambda: given)
        path = next(m.path for m in catalog.bundled() if m.name == file)
        self.model, proto = load_model(path)
        try:
            self.session = providers.build_session(row, wrapping.wrap(proto, self.model))
        except providers.ProviderProblem as problem:
            raise Missing(str(problem)) from problem
        packer = Packer(self.model, size, None)
        tensors = [packer.pack(frame_of(size))]
        if self.model.canvas:
            tensors.append(Canvas(self.model, packer.padded).tensor)
        self.tensor = tensors[0].copy()  # a value on the CPU lies in the array it was made from
        values = [ort.OrtValue.ortvalue_from_numpy(t, device, 0) for t in tensors]
        self.given = values[0]
        binding = self.session.io_binding()
        for name, value in zip(wrapping.fed(self.model), values, strict=True):
            binding.bind_ortvalue_input(name, value)
        output = self.session.get_outputs()[0].name
        feeds = dict(zip(wrapping.fed(self.model), tensors, strict=True))
        once: Any = ort.RunOptions()
        once.add_run_config_entry("gpu_graph_id", "-1")  # a graph of it would hold other buffers
        first: Any = self.session.run(None, feeds, once)
        self.wanted, shape = first[0], first[0].shape
        self.result = ort.OrtValue.ortvalue_from_shape_and_type(shape, np.uint8, device, 0)
        binding.bind_ortvalue_output(output, self.result)
        self.binding = binding

    def whole(self) -> None:
        """A frame: there, through, back."""
        self.given.update_inplace(self.tensor)
        self.session.run_with_iobinding(self.binding)
        self.result.numpy()

    def check(self) -> None:
        """That a frame comes out as it did without a graph, after another one."""
        self.given.update_inplace(255 - self.tensor)
        self.session.run_with_iobinding(self.binding)
        self.whole()
        worst = int(np.abs(self.result.numpy().astype(int) - self.wanted).max())
        if worst > 1:
            raise RuntimeError(f"a picture differs by {worst} of 255 from the one without a graph")

    def inside(self) -> None:
        self.session.run_with_iobinding(self.binding)
