"""ResNet-34-1x1: the fully connected layer of a ResNet-34 replaced by a 1x1 convolution, and the mean of the highest places of
its map. It is GMIC's global module with a large trunk (nn/saliency.py).

    A = sigmoid(conv1x1(h)),   y = top-t(A),   L = sum_c BCE(y_c, label_c) + beta |A_c|_1

Source   Shen et al. 2021 (arXiv:2002.07613), Table 1, "ResNet-34-1x1 conv".
Unknown  t and beta of the models in the table are not published; the search was over t in {1, 3, 5, 10, 20} % and beta from
         10^-5.5 to 10^-3.5 (Sec. 3.3). Ours: 3 % and the middle, 10^-4.5. Input channels and first weights: as in
         models/resnet_cam.py. Ours: no bias in the convolution, as in GMIC (eq. 2).
Costs    Printed: 21.30 M parameters, 1,625 G. Here 21,279,424, and 1,615.3 G MAC for four images, of which the convolution is
         0.02 G. With batch norms counted as in models/resnet_cam.py it is 21.30 M and 1,622 G; the other 3 G we cannot
         explain.
Shapes   B batch | K class | h, w cells (92 x 60 at 2944 x 1920)
"""

from typing import Literal

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from mammoseg.config import Config as BaseConfig
from mammoseg.nn.contract import Batch, Learning, Network, NetworkConfig, Output, Stage, StepOutput
from mammoseg.nn.loss import bce, finding_bce, sparsity
from mammoseg.nn.saliency import SaliencyModule, SaliencyShape
from mammoseg.nn.trunk import ResNet34Shape


class ResNet1x1Config(ResNet34Shape, SaliencyShape, NetworkConfig):
    """ResNet-34 and a 1x1 convolution."""

    top_t: float = Field(0.03, gt=0, le=1)


class ObjectiveConfig(BaseConfig):
    """Weight of the penalty on large maps."""

    sparsity: float = Field(3.16e-5, ge=0)
    """beta."""
    reduction: Literal["sum", "mean"] = "sum"
    """L1 norm as the sum over cells (GMIC, eq. 12) or as their mean, which does not depend on the size of the map."""


class ResNet1x1(SaliencyModule, Network):
    def __init__(self, config: ResNet1x1Config) -> None:
        super().__init__(config, len(config.classes), gray_as_colour=config.channels_in == 3)

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Output:
        seen = self.see(image_B1HW)
        return Output(seen.y_BK, {"saliency": seen.saliency_BKhw})


def step(model: ResNet1x1, batch: Batch, objective: ObjectiveConfig, training: bool) -> StepOutput:
    seen = model.see(batch.image_BCHW)
    losses = {
        "bce": bce(seen.y_BK, batch.label_BK),
        "sparsity": objective.sparsity * sparsity(seen.saliency_BKhw, objective.reduction),
    }
    if seen.y_finding_B1 is not None:
        losses["finding_bce"] = finding_bce(seen.y_finding_B1, batch.label_BK)
    return StepOutput(losses, seen.y_BK, seen.saliency_BKhw)


def build(config: ResNet1x1Config) -> ResNet1x1:
    return ResNet1x1(config)


Config = ResNet1x1Config
TINY = ResNet1x1Config(blocks=(1, 1), widths=(4, 6), strides=(1, 2))
LEARNING = Learning(stages=(Stage("all", trains=("*",), step=step),), objective=ObjectiveConfig)
