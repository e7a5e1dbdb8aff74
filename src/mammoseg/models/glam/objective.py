"""The losses of GLAM: cross-entropy of every prediction plus a penalty that keeps the maps sparse.

    L = sum_c BCE(y_c, label_c) + beta * sum_c |S_c|_1

Source   Shen et al. 2021 (arXiv:2002.07613), eq. 12-13, applied to GLAM's predictions and maps; the GLAM paper's own weights are
         not public. The global term averages the three scales.
Shapes   B batch | K class | h, w cells | P patches | m side of a patch map
"""

import torch
from jaxtyping import Float
from torch import Tensor

from mammoseg.models.glam.config import ObjectiveConfig
from mammoseg.models.glam.global_module import GlobalOutput
from mammoseg.models.glam.local_module import LocalOutput


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


def sparsity(maps: Tensor, reduction: str) -> Float[Tensor, ""]:
    """L1 norm of maps (B, ..., K, h, w): per image and class the sum or mean over cells; summed over classes."""
    cells = maps.abs().flatten(-2)
    per_class = cells.sum(-1) if reduction == "sum" else cells.mean(-1)
    return per_class.sum(-1).mean()


def global_losses(out: GlobalOutput, label_BK: Tensor, config: ObjectiveConfig) -> dict[str, Tensor]:
    """The three scales, averaged."""
    bce_per_scale = torch.stack([bce(y, label_BK) for y in out.y_scales])
    l1_per_scale = torch.stack([sparsity(S, config.reduction) for S in out.scales])
    return {
        "global_bce": bce_per_scale.mean(),
        "global_sparsity": config.global_sparsity * l1_per_scale.mean(),
    }


def local_losses(out: LocalOutput, label_BK: Tensor, config: ObjectiveConfig) -> dict[str, Tensor]:
    return {
        "local_bce": bce(out.y_BK, label_BK),
        "local_sparsity": config.local_sparsity * sparsity(out.maps_BPKmm, config.reduction),
    }
