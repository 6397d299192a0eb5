"""VGG-16 features, relative content and style losses (Johnson et al. 2016, Gatys et al. 2016).

Relative: every term is divided by the mean square of its target, so that weights mean the same
for every layer, every set of VGG weights and every style.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylizer.errors import BadInput
from stylizer.lab.training.distributed import ProcessGroup
from stylizer.lab.training.winograd import FrozenConv

STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
CONTENT_LAYER = "relu2_2"
# torchvision's index of each convolution in vgg16().features; "M" is a 2x2 max pool.
_PLAN: tuple[tuple[str, int] | str, ...] = (
    ("relu1_1", 0), ("relu1_2", 2), "M", ("relu2_1", 5), ("relu2_2", 7), "M",
    ("relu3_1", 10), ("relu3_2", 12), ("relu3_3", 14), "M",
    ("relu4_1", 17), ("relu4_2", 19), ("relu4_3", 21),
)  # fmt: skip
TORCHVISION_FILE = "vgg16-397923af.pth"
MIN_SPREAD = 0.01  # of luma 0..1: flat crops have no tone to keep
MIN_TARGET = 1e-3  # a flat dark crop has next to no features: an unclamped quotient went to NaN


class Vgg16(nn.Module):
    """VGG-16's convolutions up to relu4_3, frozen; input (B, 3, H, W) RGB in 0..1.

    Channels last: a third quicker at 64 channels on a CPU.
    """

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.convs = nn.ModuleDict()
        for entry in _PLAN:
            if isinstance(entry, str):
                continue
            name, index = entry
            here = f"features.{index}"
            self.convs[name] = FrozenConv(weights[f"{here}.weight"], weights[f"{here}.bias"])
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.eval()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, last: str = "relu4_3") -> dict[str, Tensor]:
        """Features by layer name, up to and including `last`."""
        features = {}
        y = ((x - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        for entry in _PLAN:
            if isinstance(entry, str):
                y = F.max_pool2d(y, 2)
                continue
            name = entry[0]
            y = self.convs[name](y)
            features[name] = y
            if name == last:
                break
        return features


def load_vgg(path: Path | None) -> Vgg16:
    """VGG-16 from a .safetensors or .pth file; without one, torchvision's published file.

    Raises BadInput when the file is no VGG-16 or the download does not match its hash.
    """
    if path is None:
        return Vgg16(_download_torchvision())
    if not path.is_file():
        raise BadInput(f"{path}: no such VGG-16 weight file; pass --vgg FILE or leave it out")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            weights = load_file(str(path))
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
        return Vgg16(weights)
    except Exception as error:
        raise BadInput(f"{path}: not a VGG-16 feature file ({error})") from error


def _download_torchvision() -> dict[str, Tensor]:
    """torchvision's vgg16 file by torch's own downloader, which checks the hash in its name."""
    url = f"https://download.pytorch.org/models/{TORCHVISION_FILE}"
    try:
        weights = torch.hub.load_state_dict_from_url(url, map_location="cpu", check_hash=True)
    except Exception as error:
        raise BadInput(
            f"{url}: could not download VGG-16 ({error}); pass a local file with --vgg FILE"
        ) from error
    return weights


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file, for the recipe."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def gram(features: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, C): F F^T / (H W), Gatys et al. 2016."""
    b, c, h, w = features.shape
    flat = features.permute(0, 2, 3, 1).reshape(b, h * w, c)  # as they lie, see Vgg16
    product = _Square.apply(flat)
    assert isinstance(product, Tensor)
    return product / (h * w)


class _Square(torch.autograd.Function):
    """(B, N, C) -> F^T F, whose gradient takes one product where autograd takes two."""

    @staticmethod
    def forward(ctx: Any, flat: Tensor) -> Tensor:
        ctx.save_for_backward(flat)
        return flat.transpose(1, 2) @ flat

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return ctx.saved_tensors[0] @ (grads[0] + grads[0].transpose(1, 2))


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """(B,): mean squared difference / mean squared target, image by image."""
    difference = (features - target).square().mean(dim=(1, 2, 3))
    return difference / target.square().mean(dim=(1, 2, 3)).clamp_min(MIN_TARGET)


def style_loss(
    features: dict[str, Tensor],
    targets: dict[str, Tensor],
    local_share: float = 0.0,
    processes: ProcessGroup | None = None,
) -> Tensor:
    """(B,): sum over the style layers of MSE(G, Gs) / mean(Gs^2).

    `local_share` of it is taken quarter by quarter and averaged: a whole-image Gram lets a busy
    half pay for an empty sky, a quarter cannot. 0 is the judged definition.

    processes: the images are crops of one picture, of which each process of the group has some; G
    is of all of them. A crop alone has no statistics to match: those of 192x192 of the painting
    itself score 2.2 (starry-night) and 1.6 (mosaic) against the whole of it, 320x320 still 0.5.
    """
    terms = []
    for name in STYLE_LAYERS:
        if not local_share and processes is None:
            terms.append(gram_term(gram(features[name]), targets[name]))
            continue
        grams = quarter_grams(features[name])
        mean = grams.mean(dim=0)
        if processes is not None:
            mean = processes.averaged(mean.mean(dim=0, keepdim=True))
        together = gram_term(mean, targets[name])
        local = torch.stack([gram_term(g, targets[name]) for g in grams]).mean(dim=0)
        terms.append((1 - local_share) * together + local_share * local)
    return torch.stack(terms).sum(dim=0)


def within(features: dict[str, Tensor], margin: int) -> dict[str, Tensor]:
    """The style layers' features without those nearer than `margin` pixels (at most an eighth of
    the picture) to its edge. With them networks learned to paint a row of marks along every edge,
    which they know by its repeated pixels: a good part of a small crop.
    """
    sides = features[STYLE_LAYERS[0]].shape[2:]
    margin = min(margin, min(sides) // 8)
    inner = {}
    for name in STYLE_LAYERS:
        y = features[name]
        rim = margin * y.shape[2] // sides[0]
        inner[name] = y[:, :, rim : y.shape[2] - rim, rim : y.shape[3] - rim]
    return inner


def quarter_grams(y: Tensor) -> Tensor:
    """(B, C, H, W) -> (4, B, C, C), of its quarters; an odd last row or column is left out. Their
    mean is the whole's."""
    b, c, height, width = y.shape
    h, w = height // 2, width // 2
    even = y[:, :, : 2 * h, : 2 * w].permute(0, 2, 3, 1).reshape(b, 2, h, 2, w, c)
    quarters = even.permute(1, 3, 0, 5, 2, 4).reshape(4 * b, c, h, w)
    return gram(quarters).view(4, b, c, c)


def gram_term(g: Tensor, target: Tensor) -> Tensor:
    """(B,): MSE(G, Gs) / mean(Gs^2) of one layer."""
    return (g - target).square().mean(dim=(1, 2)) / target.square().mean()


def total_variation(image: Tensor) -> Tensor:
    """(): mean squared difference of neighboring pixels."""
    dy = (image[:, :, 1:] - image[:, :, :-1]).square().mean()
    dx = (image[:, :, :, 1:] - image[:, :, :, :-1]).square().mean()
    return dx + dy


def luma_of(image: Tensor) -> Tensor:
    """(B, 3, H, W) RGB -> (B, 1, H, W), Rec. 709."""
    weights = image.new_tensor([0.2126, 0.7152, 0.0722]).view(1, 3, 1, 1)
    return (image * weights).sum(dim=1, keepdim=True)


def tone_loss(styled: Tensor, source: Tensor) -> Tensor:
    """(B,): does the picture keep what is light and what is dark? Of 16x16 means of the luma, less
    their mean (instance norm cannot keep that): squared difference / variance of the source's.

    Without it, networks here painted light and dark nearly alike (seen; no controlled comparison).
    """
    coarse = [F.avg_pool2d(luma_of(image), 16) for image in (styled, source)]
    got, wanted = (c - c.mean(dim=(2, 3), keepdim=True) for c in coarse)
    spread = wanted.square().mean(dim=(1, 2, 3)).clamp_min(MIN_SPREAD)
    return (got - wanted).square().mean(dim=(1, 2, 3)) / spread


def style_targets(vgg: Vgg16, style: Tensor) -> dict[str, Tensor]:
    """Gram matrices (1, C, C) of the style picture, (1, 3, H, W) RGB in 0..1."""
    with torch.no_grad():
        features = vgg(style)
        return {name: gram(features[name]) for name in STYLE_LAYERS}
