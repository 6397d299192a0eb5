"""Training pictures: random crops of pictures or videos, repeatable by (seed, step)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from stylizer.errors import BadInput
from stylizer.system.pictures import SUFFIXES

VIDEO_SUFFIXES = {".mp4", ".mkv", ".webm", ".mov", ".avi"}
FLAT_SHARE = 0.25  # crops taken where the picture is flattest: skies stayed empty without them
GRADIENT_SHARE = 0.04  # crops that are nothing but a soft color gradient
MAX_SCALE = 2.0


class ContentSet:
    """Pictures (and one frame a second of videos) below a folder, decoded once and kept.

    Raises BadInput when the folder holds nothing that can be read.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadInput(f"{folder}: no such folder; pass --content DIR with pictures or videos")
        self.pictures: list[Image.Image] = []
        self.unreadable: list[str] = []
        for path in sorted(folder.rglob("*")):
            suffix = path.suffix.lower()
            if suffix in SUFFIXES:
                self._add_picture(path)
            elif suffix in VIDEO_SUFFIXES:
                self.pictures += list(video_frames(path, every_s=1.0))
        if not self.pictures:
            raise BadInput(f"{folder}: holds no readable picture or video")

    @classmethod
    def of(cls, pictures: list[np.ndarray]) -> ContentSet:
        """A set of given pictures, each uint8 (H, W, 3) RGB."""
        made = cls.__new__(cls)
        made.pictures, made.unreadable = [Image.fromarray(p) for p in pictures], []
        return made

    def add(self, pictures: list[np.ndarray], share: float) -> None:
        """Add pictures, each uint8 (H, W, 3) RGB: some of them, or again and again, so that about
        `share` of all are theirs."""
        made = [Image.fromarray(p) for p in pictures]
        count = max(1, round(share / (1 - share) * len(self)))
        step = max(1.0, len(made) / count)  # fewer than there are: spread over all
        self.pictures += [made[int(k * step) % len(made)] for k in range(count)]

    def _add_picture(self, path: Path) -> None:
        try:
            with Image.open(path) as image:
                self.pictures.append(image.convert("RGB"))
        except (UnidentifiedImageError, OSError):
            self.unreadable.append(path.name)

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(
        self,
        seed: int,
        step: int,
        batch: int,
        size: tuple[int, int],
        noise: bool = True,
        together: bool = False,
    ) -> np.ndarray[tuple[int, int, int, int], np.dtype[np.float32]]:
        """(batch, 3, height, width) RGB in 0..1; the same for the same seed and step.

        noise: half of the crops get a little. Strokes learn to start from it, and then shimmer.
        together: all are places of one picture, at one scale and in one light.
        """
        rng = np.random.default_rng((seed, step))
        if together:
            crops = self._of_one(rng, batch, size, noise)
        else:
            crops = np.stack([self._one(rng, size, noise) for _ in range(batch)])
        return np.ascontiguousarray(crops.transpose(0, 3, 1, 2))

    def _one(self, rng: np.random.Generator, size: tuple[int, int], noise: bool) -> np.ndarray:
        if rng.random() < GRADIENT_SHARE:
            crop = gradient(rng, size)
        else:
            picture = self.pictures[rng.integers(len(self.pictures))]
            flat = rng.random() < FLAT_SHARE
            crop = random_crop(rng, picture, size, random_scale(rng, picture, size), flat)
        return augment(rng, crop, noise)

    def _of_one(
        self, rng: np.random.Generator, count: int, size: tuple[int, int], noise: bool
    ) -> np.ndarray:
        """(count, height, width, 3): what stands for the statistics of one whole frame."""
        picture = self.pictures[rng.integers(len(self.pictures))]
        scale = random_scale(rng, picture, size)
        flat = rng.random(count) < FLAT_SHARE
        crops = [random_crop(rng, picture, size, scale, bool(f)) for f in flat]
        return augment(rng, np.stack(crops), noise)


def random_scale(rng: np.random.Generator, picture: Image.Image, size: tuple[int, int]) -> float:
    """Log-uniform, from where the whole picture is in the crop up to 2x."""
    least = max(size[0] / picture.width, size[1] / picture.height)
    return float(np.exp(rng.uniform(np.log(least), np.log(max(MAX_SCALE, least * 1.01)))))


def random_box(
    rng: np.random.Generator, picture: Image.Image, size: tuple[int, int], scale: float
) -> tuple[float, float, float, float]:
    """A box of the crop's aspect at this scale, somewhere in the picture."""
    width, height = size
    box_w, box_h = width / scale, height / scale
    left = rng.uniform(0, max(picture.width - box_w, 0))
    top = rng.uniform(0, max(picture.height - box_h, 0))
    return (left, top, min(left + box_w, picture.width), min(top + box_h, picture.height))


def random_crop(
    rng: np.random.Generator,
    picture: Image.Image,
    size: tuple[int, int],
    scale: float,
    flat: bool,
) -> np.ndarray:
    """(height, width, 3) in 0..1; `flat` takes the box with least contrast of eight."""
    boxes = [random_box(rng, picture, size, scale) for _ in range(8 if flat else 1)]
    if flat:
        spread = [np.asarray(picture.resize((24, 24), box=b), np.float32).std() for b in boxes]
        boxes = [boxes[int(np.argmin(spread))]]
    resized = picture.resize(size, Image.Resampling.BICUBIC, box=boxes[0])
    crop = np.asarray(resized, np.float32) / 255.0
    return crop[:, ::-1] if rng.random() < 0.5 else crop


def gradient(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """(height, width, 3) in 0..1: a linear blend of two near colors, as an empty sky has."""
    width, height = size
    first = rng.random(3)
    second = np.clip(first + rng.normal(0, 0.15, 3), 0, 1)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:height, 0:width]
    t = x / width * np.cos(angle) + y / height * np.sin(angle)
    t = (t - t.min()) / max(float(np.ptp(t)), 1e-6)
    return (first + (second - first) * t[..., None]).astype(np.float32)


def augment(rng: np.random.Generator, crop: np.ndarray, noise: bool) -> np.ndarray:
    """Brightness, contrast, gamma and tint changes, and, where wanted, a little noise."""
    if rng.random() < 0.5:
        crop = crop ** np.float32(np.exp(rng.normal(0, 0.3)))
        crop = crop * rng.normal(1, 0.15) + rng.normal(0, 0.08)
        crop = crop * rng.normal(1, 0.06, 3)
    reach = rng.uniform(0, 2.5 / 255) * (rng.random() < 0.5)
    if noise:
        crop = crop + rng.standard_normal(crop.shape, np.float32) * reach
    return np.clip(crop, 0, 1).astype(np.float32)


def video_frames(path: Path, every_s: float) -> Iterator[Image.Image]:
    """One RGB picture every `every_s` seconds of a video. Raises BadInput when unreadable."""
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path)) as container:
            due = 0.0
            for frame in container.decode(video=0):
                time_s = frame.time or 0.0
                if time_s + 1e-6 >= due:
                    due = time_s + every_s
                    yield frame.to_image()
    except (FFmpegError, IndexError) as error:
        raise BadInput(f"{path}: not a readable video ({error})") from error
