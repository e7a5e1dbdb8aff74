"""ResNet-34 of the papers' tables: a classifier on the mean features of the whole image, with class activation maps.

    z = mean over space of h,   y = sigmoid(w . z + b),   M(i, j) = w . h(i, j)
    S = (M - min M) / (max M - min M), each map by itself

Source   Shen et al. 2021 (arXiv:2002.07613), Table 1, "ResNet-34"; Zhou et al. 2016 (arXiv:1512.04150) for the map. With a
         ResNet-22 as trunk it is "ResNet-22 + pooling" of Liu et al. 2021 (arXiv:2106.07049), Fig. 1.
Unknown  Input channels, first weights and the pooling before the classifier are not published, nor how CAM was normalised in
         GLAM's comparison. One channel is ours, and what the printed operations fit (below); the global mean and random first
         weights are the usual ones; smallest to largest is what maps without a scale need before a Dice.
Costs    Printed: 21.30 M parameters, 1,622 G. Here 21,279,426, and 1,615.3 G MAC for four images. The paper seems to count
         the 17,024 statistics of batch norms as parameters (21.30 M), and four operations for each value that a batch norm
         makes (6.7 G): counted so, all three networks of GMIC come out as printed, too. With three input channels it were
         1,657 G.
Beside   models/cam.py is our own: normalised features of several scales, the mean over the breast only, smooth maps.
Shapes   B batch | K class | D features | h, w cells (92 x 60 at 2944 x 1920; 46 x 30 of a ResNet-22)
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mammoseg.nn.contract import Batch, Learning, Network, NetworkConfig, NoObjective, Output, Stage, StepOutput
from mammoseg.nn.loss import bce
from mammoseg.nn.trunk import ResNet34Shape, TrunkModule


class ResNetCamConfig(ResNet34Shape, NetworkConfig):
    """ResNet-34 and a linear layer."""

    peak: Literal["one", "score"] = "one"
    """Height of the peak of every map: 1, as Dice and PxAP of class activation maps are measured, or y, so that the marks of
    several images can be ranked together (FROC)."""


class ResNetCam(TrunkModule, Network):
    def __init__(self, config: ResNetCamConfig) -> None:
        super().__init__(config, gray_as_colour=config.channels_in == 3)
        self.peak = config.peak
        self.head = nn.Linear(self.features, len(config.classes))

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Output:
        h_BDhw = self.look(image_B1HW).float()
        y_BK = torch.sigmoid(self.head(h_BDhw.mean((-2, -1))).float())
        M_BKhw = torch.einsum("kd,bdhw->bkhw", self.head.weight, h_BDhw).float()
        S_BKhw = _from_zero_to_one(M_BKhw)
        return Output(y_BK, {"saliency": S_BKhw if self.peak == "one" else y_BK[:, :, None, None] * S_BKhw})


def _from_zero_to_one(M_BKhw: Tensor) -> Float[Tensor, "B K h w"]:
    """0 where a map is the same everywhere."""
    low_BK11, high_BK11 = M_BKhw.amin((-2, -1), keepdim=True), M_BKhw.amax((-2, -1), keepdim=True)
    return (M_BKhw - low_BK11) / (high_BK11 - low_BK11).clamp(min=1e-12)


def step(model: ResNetCam, batch: Batch, objective: NoObjective, training: bool) -> StepOutput:
    out = model(batch.image_BCHW)
    return StepOutput({"bce": bce(out.y_BK, batch.label_BK)}, out.y_BK, out.maps["saliency"])


def build(config: ResNetCamConfig) -> ResNetCam:
    return ResNetCam(config)


Config = ResNetCamConfig
TINY = ResNetCamConfig(blocks=(1, 1), widths=(4, 6), strides=(1, 2))
LEARNING = Learning(stages=(Stage("all", trains=("*",), step=step),))
