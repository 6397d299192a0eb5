"""Runs one frame through a model and saves what came out:
`one_frame.py MODEL.onnx OUT.npy IN.npy...`, inputs in the model's own order.

A process of its own, so that it can run on another CPU under qemu. Only ONNX Runtime and numpy.
"""

import sys

import numpy as np
import onnxruntime

model, result, *given = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
names = [port.name for port in session.get_inputs()]
feeds = {name: np.load(path) for name, path in zip(names, given, strict=True)}
np.save(result, np.asarray(session.run(None, feeds)[0]))
