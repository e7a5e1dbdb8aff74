"""Terms of losses: cross-entropy of a prediction, a penalty that keeps maps sparse, and what maps learn from masks.

    L = sum_c BCE(y_c, label_c) + beta * sum_c |S_c|_1

Source   Shen et al. 2021 (arXiv:2002.07613), eq. 12-13.
Shapes   B batch | K class | h, w cells
"""

import torch
from jaxtyping import Float
from torch import Tensor

_OF_PIXELS = 10.0
_OF_LABELS = 0.25
"""Weights in the loss of a segmentation, our choice: lesions are about 1 % of the pixels."""


def bce(y_BK: Float[Tensor, "B K"], label_BK: Float[Tensor, "B K"]) -> Float[Tensor, ""]:
    """Binary cross-entropy on probabilities, summed over classes, averaged over images; unknown (NaN) labels do not count.

    The logarithms stop at -100, so a certain mistake costs much but not infinity. Written out because PyTorch's own refuses
    mixed precision, and stops with an internal error where a diverged network gives NaN.
    """
    known = ~torch.isnan(label_BK)
    target = torch.where(known, label_BK, 0.0)
    loss_BK = torch.where(known, -(target * _log(y_BK) + (1 - target) * _log(1 - y_BK)), 0.0)
    return (loss_BK.sum(0) / known.sum(0).clamp(min=1)).sum()


def _log(p: Tensor) -> Tensor:
    """Logarithm, at least -100. At 0 its gradient is 0: clamping infinity alone would make it NaN."""
    zero = p < 1e-38  # where 1 / p is too large for float32
    return torch.where(zero, -100.0, torch.log(torch.where(zero, 1.0, p)).clamp(min=-100))


def finding_bce(y_B1: Float[Tensor, "B 1"], label_BK: Float[Tensor, "B K"]) -> Float[Tensor, ""]:
    """Cross-entropy of the prediction that there is a finding of any class."""
    return bce(y_B1, any_finding(label_BK))


def any_finding(label_BK: Float[Tensor, "B K"]) -> Float[Tensor, "B 1"]:
    """1 if any class is there, 0 if none is, NaN if that is unknown."""
    return torch.where((label_BK == 1).any(1, keepdim=True), 1.0, label_BK.sum(1, keepdim=True))


def sparsity(maps: Tensor, reduction: str) -> Float[Tensor, ""]:
    """L1 norm of maps (B, ..., K, h, w): per image and class the `sum` (eq. 12) or `mean` over cells; summed over classes."""
    cells = maps.abs().flatten(-2)
    per_class = cells.sum(-1) if reduction == "sum" else cells.mean(-1)
    return per_class.sum(-1).mean()


def pixel_bce(map_BKhw: Float[Tensor, "B K h w"], truth_BKhw: Float[Tensor, "B K h w"]) -> Float[Tensor, ""]:
    """Binary cross-entropy of a map with a mask in [0, 1], mean over pixels, summed over classes; NaN does not count."""
    by_pixel = truth_BKhw.movedim(1, -1).flatten(0, -2)
    return bce(map_BKhw.movedim(1, -1).flatten(0, -2), by_pixel)


def dice_loss(map_BKhw: Float[Tensor, "B K h w"], truth_BKhw: Float[Tensor, "B K h w"]) -> Float[Tensor, ""]:
    """1 - soft Dice, mean over the maps whose mask shows a lesion; 0 if none does. Source: Milletari et al. 2016
    (arXiv:1606.04797), without squares."""
    known = ~torch.isnan(truth_BKhw)
    truth = torch.where(known, truth_BKhw, 0.0)
    both_BK = (map_BKhw * truth).sum((-2, -1))
    dice_BK = (2 * both_BK + 1) / ((map_BKhw * known).sum((-2, -1)) + truth.sum((-2, -1)) + 1)
    lesion_BK = truth.amax((-2, -1)) >= 0.5
    return ((1 - dice_BK) * lesion_BK).sum() / lesion_BK.sum().clamp(min=1)


def segmentation_losses(
    map_BKhw: Float[Tensor, "B K h w"],
    y_BK: Float[Tensor, "B K"],
    truth_BKhw: Float[Tensor, "B K h w"],
    label_BK: Float[Tensor, "B K"],
) -> dict[str, Tensor]:
    """10 BCE(map, mask) + (1 - Dice) + BCE(y, label) / 4, of a map that learns from masks or outlines."""
    return {
        "pixel_bce": _OF_PIXELS * pixel_bce(map_BKhw, truth_BKhw),
        "dice": dice_loss(map_BKhw, truth_BKhw),
        "label_bce": _OF_LABELS * bce(y_BK, label_BK),
    }
