"""The losses of GLAM: cross-entropy of every prediction plus a penalty that keeps the maps sparse.

    global   mean over n of  BCE(y_n) + beta_g |S_n|_1          local   BCE(y_l) + beta_l |A|_1
    joint    global + local + BCE(y_fusion)                     student   those of a segmentation (nn/unet.py)

Heads with a map of any finding (nn/heads.py) add its cross-entropy: BCE(y of D), mean over n for the global module.

Source   Shen et al. 2021 (arXiv:2002.07613), eq. 12-13, applied to GLAM's predictions and maps; the GLAM paper's own weights are
         not public.
Shapes   B batch | K class
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mammoseg.models.glam.config import ObjectiveConfig
from mammoseg.models.glam.global_module import GlobalOutput
from mammoseg.models.glam.local_module import LocalOutput
from mammoseg.nn.loss import bce, finding_bce, sparsity


def global_losses(out: GlobalOutput, label_BK: Tensor, config: ObjectiveConfig) -> dict[str, Tensor]:
    """The three scales, averaged."""
    bce_per_scale = torch.stack([bce(y, label_BK) for y in out.y_scales])
    l1_per_scale = torch.stack([sparsity(S, config.reduction) for S in out.scales])
    return {
        "global_bce": bce_per_scale.mean(),
        "global_sparsity": config.global_sparsity * l1_per_scale.mean(),
    } | _finding("global", out.y_finding_scales, label_BK)


def local_losses(out: LocalOutput, label_BK: Tensor, config: ObjectiveConfig) -> dict[str, Tensor]:
    return {
        "local_bce": bce(out.y_BK, label_BK),
        "local_sparsity": config.local_sparsity * sparsity(out.maps_BPKmm, config.reduction),
    } | _finding("local", () if out.y_finding_B1 is None else (out.y_finding_B1,), label_BK)


def joint_losses(
    coarse: GlobalOutput, fine: LocalOutput, y_fusion_BK: Tensor | None, label_BK: Tensor, config: ObjectiveConfig
) -> dict[str, Tensor]:
    """Both modules and the fusion, if there is one."""
    losses = global_losses(coarse, label_BK, config) | local_losses(fine, label_BK, config)
    return losses if y_fusion_BK is None else losses | {"fusion_bce": bce(y_fusion_BK, label_BK)}


def _finding(module: str, y_B1: Sequence[Tensor], label_BK: Tensor) -> dict[str, Tensor]:
    if not y_B1:
        return {}
    return {f"{module}_finding_bce": torch.stack([finding_bce(y, label_BK) for y in y_B1]).mean()}
