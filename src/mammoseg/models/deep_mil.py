"""Deep MIL: a mammogram is a bag of places, and as suspicious as its most suspicious one.

    r(i, j) = sigmoid(w . h(i, j) + b),   r'_1 >= r'_2 >= ... >= r'_m: all m of them, ranked;   y = r'_1
    max                L = BCE(r'_1, label)
    label_assignment   L = mean over j of BCE(r'_j, label if j <= k else 0)
    sparse             L = BCE(r'_1, label) + mu |r'|_1

each for every class by itself.

Source   Zhu, Lou, Vang, Xie 2017 (arXiv:1612.05968; arXiv:1705.08550, MICCAI 2017).
Certain  From the abstract, Fig. 1 and the authors' notes: one logistic regression for all places, ranked places, the three
         schemes; mammograms without background, resized to 227 x 227; AlexNet; label assignment starts from the weights of
         max pooling (--init).
Recalled And not looked up: the losses as they stand above; places within the first k have the label of the image and all
         others are normal; mu = 10^-5; k is a number of places. A further L2 penalty on all weights is left out: no training
         here has one.
Ours     A ResNet-34 at full resolution in the place of AlexNet; k as a share of the places, since grids differ (5 %); y =
         r'_1 in all schemes; several classes; no dropout.
Shapes   B batch | K class | m = h w cells (92 x 60 at 2944 x 1920)
"""

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from mammoseg.config import Config as BaseConfig
from mammoseg.nn.contract import Batch, Learning, Network, NetworkConfig, Output, Stage, StepOutput
from mammoseg.nn.loss import bce, sparsity
from mammoseg.nn.trunk import ResNet34Shape, TrunkModule


class DeepMilConfig(ResNet34Shape, NetworkConfig):
    """A trunk and a logistic regression. The schemes differ in training only (`objective`)."""


class ObjectiveConfig(BaseConfig):
    """What the places of an image are told."""

    scheme: Literal["max", "label_assignment", "sparse"] = "sparse"
    """Source: the paper's three, of which `sparse` is its best."""
    assigned: float = Field(0.05, gt=0, le=1)
    """k / m, of `label_assignment`."""
    sparsity: float = Field(1e-5, ge=0)
    """mu, of `sparse`."""


class DeepMil(TrunkModule, Network):
    def __init__(self, config: DeepMilConfig) -> None:
        super().__init__(config, gray_as_colour=config.channels_in == 3)
        self.head = nn.Conv2d(self.features, len(config.classes), 1)

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Output:
        r_BKhw = torch.sigmoid(self.head(self.look(image_B1HW)).float())
        return Output(r_BKhw.amax((-2, -1)), {"saliency": r_BKhw})


def step(model: DeepMil, batch: Batch, objective: ObjectiveConfig, training: bool) -> StepOutput:
    out, label_BK = model(batch.image_BCHW), batch.label_BK
    r_BKhw = out.maps["saliency"]
    if objective.scheme == "label_assignment":
        losses = {"assigned_bce": assigned_bce(r_BKhw, label_BK, objective.assigned)}
    else:
        losses = {"bce": bce(out.y_BK, label_BK)}
    if objective.scheme == "sparse":
        losses["sparsity"] = objective.sparsity * sparsity(r_BKhw, "sum")
    return StepOutput(losses, out.y_BK, r_BKhw)


def assigned_bce(r_BKhw: Float[Tensor, "B K h w"], label_BK: Float[Tensor, "B K"], share: float) -> Float[Tensor, ""]:
    """Cross-entropy of all places, of which the highest `share`, at least one, have the label of the image; mean over places and
    images, summed over classes. The places of an unknown (NaN) label do not count."""
    ranked_BKm = r_BKhw.flatten(2).sort(-1, descending=True).values
    normal_BK1 = (0 * label_BK).unsqueeze(-1)  # NaN stays NaN
    target_BKm = normal_BK1.expand_as(ranked_BKm).clone()
    k = max(1, round(share * ranked_BKm.shape[-1]))
    target_BKm[..., :k] = label_BK.unsqueeze(-1)
    return bce(ranked_BKm.movedim(1, -1).flatten(0, 1), target_BKm.movedim(1, -1).flatten(0, 1))


def build(config: DeepMilConfig) -> DeepMil:
    return DeepMil(config)


Config = DeepMilConfig
TINY = DeepMilConfig(blocks=(1, 1), widths=(4, 6), strides=(1, 2))
LEARNING = Learning(stages=(Stage("all", trains=("*",), step=step),), objective=ObjectiveConfig)
