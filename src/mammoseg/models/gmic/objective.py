"""The loss of GMIC: cross-entropy of its three predictions plus a penalty that keeps the maps sparse.

    L = sum_c BCE(y_local,c) + BCE(y_global,c) + BCE(y_fusion,c) + beta |A_c|_1

A head with a map of any finding (nn/heads.py) adds its cross-entropy.

Source   Shen et al. 2021 (arXiv:2002.07613), eq. 12-13.
Shapes   B batch | K class
"""

from torch import Tensor

from mammoseg.models.gmic.config import ObjectiveConfig
from mammoseg.models.gmic.global_module import GlobalOutput
from mammoseg.models.gmic.model import GmicOutput
from mammoseg.nn.loss import bce, finding_bce, sparsity


def joint_losses(out: GmicOutput, label_BK: Tensor, config: ObjectiveConfig) -> dict[str, Tensor]:
    coarse = global_losses(out.global_, label_BK, config)
    return {
        "global_bce": coarse.pop("global_bce"),
        "local_bce": bce(out.local.y_BK, label_BK),
        "fusion_bce": bce(out.y_fusion_BK, label_BK),
        **coarse,
    }


def global_losses(out: GlobalOutput, label_BK: Tensor, config: ObjectiveConfig) -> dict[str, Tensor]:
    losses = {
        "global_bce": bce(out.y_BK, label_BK),
        "sparsity": config.sparsity * sparsity(out.saliency_BKhw, config.reduction),
    }
    if out.y_finding_B1 is not None:
        losses["global_finding_bce"] = finding_bce(out.y_finding_B1, label_BK)
    return losses
