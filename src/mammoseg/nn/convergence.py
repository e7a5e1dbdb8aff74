"""Convergence index: how much the gradients of a disc around a place point at it. A bright lump has a high one at any contrast.

    C(x) = largest over radii R of   mean over a ring, 0.4 R <= d <= R, of   cos(angle to x) |g| / (|g| + median |g|)

with g the gradient of the image, smoothed a little (Gaussian of deviation 1.5, Sobel).

Source   Kobatake & Hashimoto 1999 (IEEE Trans. Image Process. 8(12), 1868-1876). Ours: weak gradients count less, the inner
         part of the disc does not count, and the largest of three radii.
Details  Large filters are products of Fourier transforms, which no mixed precision makes coarse, small ones are sums: where
         an image is flat, nothing may be left of rounding. Beyond its border the image is mirrored.
Shapes   B batch | H, W pixels | h, w cells of a filter
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

RADII = (8, 12, 16)
"""Of the discs, in pixels of the image."""
_BELL = [math.exp(-0.5 * (distance / 1.5) ** 2) for distance in range(-6, 7)]
_GAUSSIAN = [value / sum(_BELL) for value in _BELL]
_CHANGE, _BESIDE = (-0.5, 0.0, 0.5), (0.25, 0.5, 0.25)


def convergence(image_B1HW: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 1 H W"]:
    """C in [-1, 1]; 0 where nothing changes."""
    smooth_B1HW = _along(_along(image_B1HW.float(), _GAUSSIAN, -1), _GAUSSIAN, -2)
    gx_B1HW, gy_B1HW = (
        _along(_along(smooth_B1HW, _CHANGE, along), _BESIDE, beside) for along, beside in ((-1, -2), (-2, -1))
    )
    length_B1HW = torch.hypot(gx_B1HW, gy_B1HW)
    whole_B1HW = length_B1HW + _median(length_B1HW)
    best_B1HW = torch.full_like(length_B1HW, -1)
    for radius in RADII:
        x_hw, y_hw = _towards_the_middle(radius, image_B1HW.device)
        pointing_B1HW = correlated(gx_B1HW / whole_B1HW, x_hw) + correlated(gy_B1HW / whole_B1HW, y_hw)
        best_B1HW = torch.maximum(best_B1HW, pointing_B1HW)
    return best_B1HW.clamp(-1, 1)


def correlated(image_B1HW: Float[Tensor, "B 1 H W"], filter_hw: Float[Tensor, "h w"]) -> Float[Tensor, "B 1 H W"]:
    """The sum of the products of a large filter, of odd sides, with the pixels around each pixel."""
    (H, W), (h, w) = image_B1HW.shape[-2:], filter_hw.shape
    size = (H + h - 1, W + w - 1)
    around = _extended(_extended(image_B1HW, h // 2, -2), w // 2, -1)
    product = torch.fft.rfft2(around) * torch.fft.rfft2(filter_hw, s=size).conj()
    return torch.fft.irfft2(product, s=size)[..., :H, :W]


def _along(image_B1HW: Tensor, taps: Sequence[float], axis: int) -> Tensor:
    """The same with a few taps along an axis. Where the image does not change, all results are the very same number."""
    count, around = image_B1HW.shape[axis], _extended(image_B1HW, len(taps) // 2, axis)
    return torch.stack([tap * around.narrow(axis, i, count) for i, tap in enumerate(taps)]).sum(0)


def _extended(image_B1HW: Tensor, reach: int, axis: int) -> Tensor:
    """By so many pixels on both sides, mirrored at the outermost one, again and again if need be."""
    count = image_B1HW.shape[axis]
    period = max(1, 2 * (count - 1))
    at = torch.arange(-reach, count + reach, device=image_B1HW.device).remainder(period)
    return image_B1HW.index_select(axis, torch.minimum(at, period - at).clamp(max=count - 1))


def _median(length_B1HW: Tensor) -> Float[Tensor, "B 1 1 1"]:
    """Of the lengths that are not 0; 1 if all are."""
    known_Bn = torch.where(length_B1HW > 0, length_B1HW, torch.nan).flatten(1)
    return torch.stack([known_n.nanquantile(0.5) for known_n in known_Bn]).nan_to_num(nan=1.0).view(-1, 1, 1, 1)


def _towards_the_middle(radius: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Unit vectors (along columns, along rows) that point at the middle of a ring, over how many there are."""
    side = torch.arange(-radius, radius + 1, dtype=torch.float32, device=device)
    dy, dx = torch.meshgrid(side, side, indexing="ij")
    d = torch.hypot(dy, dx)
    ring = (d <= radius) & (d >= 0.4 * radius)
    weight = ring / (d.clamp(min=1) * ring.sum())
    return -dx * weight, -dy * weight
