"""The words of a tiny training."""

from pathlib import Path


def words(pictures: Path, out: Path, *more: object) -> list[str]:
    """A tiny training."""
    argv = [
        "train", "--arch", "fast-tiny", "--style", pictures / "0.png", "--content", pictures,
        "--steps", 3, "--batch", 2, "--crop", "64x64", "--norm-share", 0, "--out", out, *more,
    ]  # fmt: skip
    return [str(a) for a in argv]
