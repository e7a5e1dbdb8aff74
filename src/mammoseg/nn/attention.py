"""Gated attention over the patches of an image.

    alpha_p = softmax_p( w . ( tanh(V z_p) * sigmoid(U z_p) ) ),      z = sum_p alpha_p z_p

Source   Ilse et al. 2018 (arXiv:1802.04712), eq. 9; used by Shen et al. 2021 (arXiv:2002.07613), Sec. 2.3.
Shapes   B batch | P patches, or other instances such as cells | C features of a patch
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class GatedAttention(nn.Module):
    def __init__(self, features: int, hidden: int = 128) -> None:
        super().__init__()
        self.V = nn.Linear(features, hidden, bias=False)
        self.U = nn.Linear(features, hidden, bias=False)
        self.w = nn.Linear(hidden, 1, bias=False)

    def forward(
        self, z_BPC: Float[Tensor, "B P C"], there_BP: Bool[Tensor, "B P"] | None = None
    ) -> Float[Tensor, "B P"]:
        """Weights of the patches; they sum to one for each image. Those that are not `there` have none."""
        gate_BPh = torch.tanh(self.V(z_BPC)) * torch.sigmoid(self.U(z_BPC))
        logit_BP = self.w(gate_BPh).squeeze(-1)
        if there_BP is not None:
            logit_BP = logit_BP.masked_fill(~there_BP, float("-inf"))
        return torch.softmax(logit_BP, dim=-1)
