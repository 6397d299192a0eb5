"""What the package needs, line by line, with ONNX Runtime for the CPU alone: for bundles that hold
all of it, where the GPU's library would double the size."""

from __future__ import annotations

import tomllib
from pathlib import Path


def main() -> None:
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    wanted = tomllib.loads(text)["project"]["dependencies"]
    others = [line for line in wanted if not line.startswith("onnxruntime")]
    print(*others, "onnxruntime>=1.31", sep="\n")


if __name__ == "__main__":
    main()
