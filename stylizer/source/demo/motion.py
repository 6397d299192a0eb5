"""The demo's ground truth: where a pixel of one frame lies in another, and whether it is seen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stylizer.settings import Settings
from stylizer.source.demo.camera import FLIGHT_FRAMES
from stylizer.source.demo.scene import DemoScene

CLOSES_PX = 0.5  # a way there and back that misses by more is an occlusion


def demo_moments(settings: Settings, count: int) -> Iterator[tuple[DemoScene, int]]:
    """(scene, frame number) at `count` places of the demo's flight."""
    scene = DemoScene(settings.size, settings.seed)
    try:
        for k in range(count):
            yield scene, k * FLIGHT_FRAMES // count
    finally:
        scene.close()


def picture(scene: DemoScene, number: int) -> np.ndarray:
    """uint8 (H, W, 3) RGB of one frame of the demo."""
    return scene.render(number)[..., :3]


def motion_between(
    scene: DemoScene, number: int, later: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each pixel of one frame lies in another, (x, y), and whether it is seen there."""
    there, back = (scene.render_motion(*way)[1] for way in ((number, later), (later, number)))
    return unoccluded(there, back)


def unoccluded(motion: np.ndarray, back: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each pixel goes, (x, y), and whether it is seen there: inside the picture, and the
    motion back leads home within half a pixel. motion, back: (H, W, 2)."""
    height, width = motion.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x + motion[..., 0], y + motion[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    round_trip = motion + bilinear(back, x, y)
    return x, y, inside & (np.hypot(round_trip[..., 0], round_trip[..., 1]) < CLOSES_PX)


def bilinear(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """image (H, W, C) fetched at pixel places x, y (h, w); places outside take the border."""
    height, width = image.shape[:2]
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left = np.clip(np.floor(x), 0, width - 2).astype(int)
    top = np.clip(np.floor(y), 0, height - 2).astype(int)
    s, t = (x - left)[..., None], (y - top)[..., None]
    upper = image[top, left] * (1 - s) + image[top, left + 1] * s
    lower = image[top + 1, left] * (1 - s) + image[top + 1, left + 1] * s
    return upper * (1 - t) + lower * t
