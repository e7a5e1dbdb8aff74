"""CAM: a classifier on the mean features of the breast, with class activation maps. The floor of every table, and for a few
hundred images often all there is to gain.

    a(x) = w . (x - mu) / sigma + b        z = mean of h over the breast        y = sigmoid(a(z))
    L(i, j) = a(h(i, j)), smoothed in the breast                                S = y max(L, 0) / (largest L)

so that the logit of y is the mean of those of all places, and the map shows where what speaks for the class comes from. h are the
features of all scales of the trunk; mu and sigma those of z over images. First the last layer learns on the trunk as it is (stage
`head`: a frozen-feature classifier), then everything.

Source   Zhou et al. 2016 (arXiv:1512.04150); negative parts left out, as in Selvaraju et al. 2017 (arXiv:1610.02391). Ours: mean
         over the breast instead of the window (nn/tissue.py), all scales, smoothing, and the normalisation of features, with
         which one rate of learning fits all of them.
Why      sigmoid(L) is 1 over large parts of a breast, where no place is the peak any more.
Shapes   B batch | K class | C features of a scale | h, w cells of a scale
"""

from typing import cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, interpolate

from mammoseg.nn.contract import Batch, Learning, Network, NetworkConfig, NoObjective, Output, Stage, StepOutput
from mammoseg.nn.loss import bce
from mammoseg.nn.tissue import breast_cells
from mammoseg.nn.trunk import SlimShape, TrunkModule, full_range

BLUR = 2
"""Deviation of the Gaussian in cells of the finest scale. Chosen on validation films of CBIS-DDSM: malignant peaks in the box in
65 %, 58 % without, 57 % with twice as much."""


class CamConfig(SlimShape, NetworkConfig):
    """A trunk and a layer."""

    dropout: float = Field(0.3, ge=0, lt=1)
    """Share of the features that are left out at a time in training."""


class Cam(TrunkModule, Network):
    def __init__(self, config: CamConfig) -> None:
        super().__init__(config)
        self.norm = nn.BatchNorm1d(sum(self.scale_features), affine=False)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(sum(self.scale_features), len(config.classes))

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Output:
        scales = self.scales(full_range(image_B1HW))
        breast = [breast_cells(image_B1HW, (h.shape[-2], h.shape[-1])) for h in scales]
        z_BC = torch.cat([_mean_in(h.float(), cells) for h, cells in zip(scales, breast, strict=True)], dim=1)
        one = self.training and len(z_BC) == 1  # of which there are no statistics
        x_BC = (
            batch_norm(z_BC, self.norm.running_mean, self.norm.running_var, eps=self.norm.eps)
            if one
            else self.norm(z_BC)
        )
        y_BK = torch.sigmoid(self.head(self.dropout(x_BC)).float())
        return Output(y_BK, {"saliency": self._map(scales, breast[0], y_BK)})

    def _map(self, scales: list[Tensor], cells_B1hw: Tensor, y_BK: Tensor) -> Float[Tensor, "B K h w"]:
        """S on the finest grid; 0 beside the breast, and where a class has nothing that speaks for it."""
        mean_C, variance_C = cast(Tensor, self.norm.running_mean), cast(Tensor, self.norm.running_var)
        weight_KC = self.head.weight / (variance_C + self.norm.eps).sqrt()
        L_BKhw = (self.head.bias - weight_KC @ mean_C).view(1, -1, 1, 1)
        for h_BChw, of_scale_KC in zip(scales, weight_KC.split(self.scale_features, dim=1), strict=True):
            of_scale_BKhw = torch.einsum("kc,bchw->bkhw", of_scale_KC, h_BChw.float())
            L_BKhw = L_BKhw + interpolate(
                of_scale_BKhw, size=scales[0].shape[-2:], mode="bilinear", align_corners=False
            )
        inside_B1hw = cells_B1hw.float()
        smooth_BKhw = _blurred(L_BKhw * inside_B1hw) / _blurred(inside_B1hw).clamp(min=1e-6)
        speaks_BKhw = (smooth_BKhw * inside_B1hw).clamp(min=0)
        return y_BK[:, :, None, None] * speaks_BKhw / speaks_BKhw.amax((-2, -1), keepdim=True).clamp(min=1e-6)


def _mean_in(h_BChw: Tensor, cells_B1hw: Tensor) -> Tensor:
    """(B, C), over the given cells, of which there is at least one."""
    return (h_BChw * cells_B1hw).sum((-2, -1)) / cells_B1hw.sum((-2, -1))


def _blurred(x_BKhw: Tensor) -> Tensor:
    """By a Gaussian of BLUR cells; beyond the border is nothing."""
    reach = 3 * BLUR
    kernel_n = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=x_BKhw.device) / BLUR) ** 2)
    kernel_1n = (kernel_n / kernel_n.sum()).view(1, 1, 1, -1)
    flat_N1hw = x_BKhw.float().flatten(0, 1).unsqueeze(1)
    rows_N1hw = conv2d(flat_N1hw, kernel_1n, padding=(0, reach))
    return conv2d(rows_N1hw, kernel_1n.transpose(2, 3), padding=(reach, 0)).view_as(x_BKhw)


def step(model: Cam, batch: Batch, objective: NoObjective, training: bool) -> StepOutput:
    out = model(batch.image_BCHW)
    return StepOutput({"bce": bce(out.y_BK, batch.label_BK)}, out.y_BK, out.maps["saliency"])


def build(config: CamConfig) -> Cam:
    return Cam(config)


Config = CamConfig
TINY = CamConfig(trunk="resnet", blocks=(1, 1), widths=(4, 6), strides=(1, 2))
LEARNING = Learning(
    stages=(
        Stage("head", trains=("head.*",), step=step, judged_by=("auc", "loss")),
        Stage("all", trains=("*",), step=step, judged_by=("auc", "loss")),
    )
)
