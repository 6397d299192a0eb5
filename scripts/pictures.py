"""Make the README's picture from the demo scene with the bundled models.

.venv/bin/python scripts/pictures.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from stylizer.source.demo_scene import DemoScene

ROOT = Path(__file__).parents[1]
FRAME = 900  # of the flight: lighthouse, bay and village


def main() -> None:
    scene = DemoScene((1280, 720), 0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Image.fromarray(scene.render(FRAME)[:, :, :3]).save(folder / "before-after.png")
        argv = ["run", "--source", "images", "--input", str(folder / "before-after.png")]
        argv += ["--present", "offscreen", "--model", "mosaic-small", "--wipe", "0.5"]
        argv += ["--provider", "cpu", "--output", str(ROOT / "docs")]
        subprocess.run([sys.executable, "main.py", *argv], cwd=ROOT, check=True)
    scene.close()


if __name__ == "__main__":
    main()
