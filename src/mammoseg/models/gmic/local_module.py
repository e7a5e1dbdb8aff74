"""Local module: patches -> a vector each, weighed by attention, and one prediction from all of them.

    alpha = gated attention(h_1 ... h_P),   z = sum_p alpha_p h_p,   y_local = sigmoid(W z)

Source   Shen et al. 2021 (arXiv:2002.07613), eq. 7-9. The prediction of a single patch is the same classifier on its h_p.
Shapes   B batch | P patches | K class | s side of a patch | C features
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mammoseg.models.gmic.config import LocalConfig
from mammoseg.nn.attention import GatedAttention
from mammoseg.nn.resnet import ResNet


class LocalOutput(NamedTuple):
    y_patch_BPK: Tensor
    y_BK: Tensor
    z_BC: Tensor
    """What the fusion sees."""
    attention_BP: Tensor
    """alpha."""


class LocalModule(nn.Module):
    def __init__(self, config: LocalConfig, classes: int) -> None:
        super().__init__()
        self.config = config
        self.trunk = ResNet(
            config.blocks, config.widths, config.strides, config.stem_pool, config.channels_in, config.bottleneck
        )
        self.attention = GatedAttention(self.features) if config.attention == "gated" else None
        self.classifier = nn.Linear(self.features, classes, bias=False)

    @property
    def features(self) -> int:
        return self.trunk.features

    def forward(self, patches_BP1ss: Float[Tensor, "B P 1 s s"]) -> LocalOutput:
        B, P = patches_BP1ss.shape[:2]
        h_NCmm = self.trunk(patches_BP1ss.flatten(0, 1).expand(-1, self.config.channels_in, -1, -1))
        h_BPC = h_NCmm.mean((-2, -1)).float().unflatten(0, (B, P))
        alpha_BP = h_BPC.new_full((B, P), 1 / P) if self.attention is None else self.attention(h_BPC).float()
        z_BC = (alpha_BP.unsqueeze(-1) * h_BPC).sum(1)
        return LocalOutput(
            y_patch_BPK=torch.sigmoid(self.classifier(h_BPC).float()),
            y_BK=torch.sigmoid(self.classifier(z_BC).float()),
            z_BC=z_BC,
            attention_BP=alpha_BP,
        )
