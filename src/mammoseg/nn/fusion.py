"""Fusion: what the global and the local module saw of an image -> one prediction.

    y = sigmoid(W [z_g, z_l] + b)

Source   Shen et al. 2021 (arXiv:2002.07613), eq. 11 (the published weights have a bias); GLAM's fusion has the same form.
Shapes   B batch | K class | C, D features of the global and the local module
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Fusion(nn.Module):
    def __init__(self, global_features: int, local_features: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(global_features + local_features, classes)

    def forward(self, z_global_BC: Float[Tensor, "B C"], z_local_BD: Float[Tensor, "B D"]) -> Float[Tensor, "B K"]:
        return torch.sigmoid(self.linear(torch.cat([z_global_BC.float(), z_local_BD.float()], dim=1)).float())
