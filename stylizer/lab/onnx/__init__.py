"""From trained networks to ONNX files and their cards."""
