"""Runs one frame through a model and saves what came out: `one_frame.py MODEL.onnx IN.npy OUT.npy`.

A process of its own, so that it can run on another CPU under qemu. Only ONNX Runtime and numpy.
"""

import sys

import numpy as np
import onnxruntime

model, given, result = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
feeds = {session.get_inputs()[0].name: np.load(given)}
np.save(result, session.run(None, feeds)[0])
