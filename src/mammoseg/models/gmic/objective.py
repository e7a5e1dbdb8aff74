"""The loss of GMIC: cross-entropy of its three predictions plus a penalty that keeps the maps sparse.

    L = sum_c BCE(y_local,c) + BCE(y_global,c) + BCE(y_fusion,c) + beta |A_c|_1

Source   Shen et al. 2021 (arXiv:2002.07613), eq. 12-13.
Shapes   B batch | K class
"""

from torch import Tensor

from mammoseg.models.gmic.config import ObjectiveConfig
from mammoseg.models.gmic.model import GmicOutput
from mammoseg.nn.loss import bce, sparsity


def joint_losses(out: GmicOutput, label_BK: Tensor, config: ObjectiveConfig) -> dict[str, Tensor]:
    return {
        "global_bce": bce(out.global_.y_BK, label_BK),
        "local_bce": bce(out.local.y_BK, label_BK),
        "fusion_bce": bce(out.y_fusion_BK, label_BK),
        "sparsity": config.sparsity * sparsity(out.global_.saliency_BKhw, config.reduction),
    }
