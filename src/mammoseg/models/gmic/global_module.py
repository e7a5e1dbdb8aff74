"""Global module: the whole image -> a saliency map, one prediction, and features for the fusion.

    A = sigmoid(conv1x1(h_g)),   y_global = top-t(A),   z_g = max over space of h_g

Source   Shen et al. 2021 (arXiv:2002.07613), eq. 1-3 (nn/saliency.py) and 10.
Shapes   B batch | C image channels (1, or 3 with heatmaps) | K class | H, W pixels | h, w cells (46 x 30 at 2944 x 1920)
"""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from mammoseg.models.gmic.config import GlobalConfig
from mammoseg.nn.saliency import SaliencyModule


class GlobalOutput(NamedTuple):
    saliency_BKhw: Tensor
    """A."""
    y_BK: Tensor
    z_BD: Tensor
    """Maximum of h_g over space, for the fusion."""
    y_finding_B1: Tensor | None = None
    """Prediction of a finding of any class, of a head that has a map of it."""


class GlobalModule(SaliencyModule):
    def __init__(self, config: GlobalConfig, classes: int, image_channels: int) -> None:
        gray_as_colour = config.trunk == "resnet" and image_channels == 1  # ImageNet weights want three channels
        super().__init__(config, classes, image_channels, gray_as_colour)

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> GlobalOutput:
        seen = self.see(image_BCHW)
        return GlobalOutput(seen.saliency_BKhw, seen.y_BK, seen.h_BDhw.amax((-2, -1)), seen.y_finding_B1)
