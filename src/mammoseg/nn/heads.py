"""Heads: the features of one grid -> a saliency map for each class.

    plain        S_c = sigmoid(w_c . h)
    where_what   S_c = D q_c,   D = sigmoid(w . f + b),   q = softmax over c of (v_c . f + a_c),   f = relu(batch norm(h))

Source   plain: Shen et al. 2021 (arXiv:2002.07613), eq. 2; Liu et al. 2021 (arXiv:2106.07049), Fig. 2. where_what is ours.
Why      Without a bias, half of all cells are hot in an untrained map, and "no lesion" can only be learned through features that
         are bright everywhere: the lesion itself becomes the coldest place, and the map fires beside it. A bias says no without
         looking. One map for "where" need not avoid what both classes share, as a map for each class must.
Shapes   B batch | K class | C channels | h, w cells
"""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

HeadKind = Literal["plain", "where_what"]

_RARE = -3.0
"""Logit of D where nothing is known yet: 5 % of the cells."""


class HeadOutput(NamedTuple):
    saliency_BKhw: Tensor
    """S."""
    finding_B1hw: Tensor | None = None
    """D, a finding of any class; None: of a plain head."""

    def on_grid(self, like: Tensor) -> "HeadOutput":
        """By nearest neighbour on the grid of another map."""
        size, D_B1hw = like.shape[-2:], self.finding_B1hw
        return HeadOutput(
            interpolate(self.saliency_BKhw, size=size, mode="nearest"),
            None if D_B1hw is None else interpolate(D_B1hw, size=size, mode="nearest"),
        )


class PlainHead(nn.Conv2d):
    def __init__(self, features: int, classes: int) -> None:
        super().__init__(features, classes, 1, bias=False)

    def forward(self, h_BChw: Float[Tensor, "B C h w"]) -> HeadOutput:  # type: ignore[override]
        return HeadOutput(torch.sigmoid(super().forward(h_BChw).float()))


class WhereWhatHead(nn.Module):
    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(features)
        self.where = nn.Conv2d(features, 1, 1)
        self.what = nn.Conv2d(features, classes, 1)
        with torch.no_grad():
            self.where.bias.fill_(_RARE)  # type: ignore[union-attr]
            self.what.bias.zero_()  # type: ignore[union-attr]

    def forward(self, h_BChw: Float[Tensor, "B C h w"]) -> HeadOutput:
        f_BChw = torch.relu(self.norm(h_BChw))
        D_B1hw = torch.sigmoid(self.where(f_BChw).float())
        return HeadOutput(D_B1hw * torch.softmax(self.what(f_BChw).float(), dim=1), D_B1hw)


def make_head(kind: HeadKind, features: int, classes: int) -> PlainHead | WhereWhatHead:
    return PlainHead(features, classes) if kind == "plain" else WhereWhatHead(features, classes)
