"""From the whole image to a saliency map and a prediction from it: a 1x1 convolution in the place of a fully connected layer.

    A = sigmoid(conv1x1(h)),   y = top-t(A)

The global module of GMIC, and with a ResNet-34 as trunk the model resnet_1x1.

Source   Shen et al. 2021 (arXiv:2002.07613), eq. 1-3.
Shapes   B batch | C image channels | K class | D features | H, W pixels | h, w cells (46 x 30 of a ResNet-22 at 2944 x 1920,
         92 x 60 of a ResNet-34)
"""

from typing import Literal, NamedTuple

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from mammoseg.nn.heads import HeadKind, make_head
from mammoseg.nn.pooling import top_t_pool
from mammoseg.nn.trunk import TrunkModule, TrunkShape


class SaliencyShape(TrunkShape):
    """The trunk, and how its features become a map and a prediction."""

    pooling: Literal["top_t", "max", "average"] = "top_t"
    """From a map to its prediction. Source: GMIC, eq. 3; the others are its ablation (GMP, GAP)."""
    heads: HeadKind = "plain"
    """From features to the map: as published, or our own, which places it better (nn/heads.py)."""
    top_t: float = Field(gt=0, le=1)
    """Fraction of cells that `top_t` averages."""


class Seen(NamedTuple):
    h_BDhw: Tensor
    saliency_BKhw: Tensor
    """A."""
    y_BK: Tensor
    y_finding_B1: Tensor | None
    """Prediction of a finding of any class, of a head that has a map of it."""


class SaliencyModule(TrunkModule):
    def __init__(
        self, config: SaliencyShape, classes: int, image_channels: int = 1, gray_as_colour: bool = False
    ) -> None:
        super().__init__(config, image_channels, gray_as_colour)
        self.config = config
        self.head = make_head(config.heads, self.features, classes)

    def see(self, image_BCHW: Float[Tensor, "B C H W"]) -> Seen:
        h_BDhw = self.look(image_BCHW)
        A_BKhw, D_B1hw = self.head(h_BDhw)
        return Seen(h_BDhw, A_BKhw, self.pool(A_BKhw), None if D_B1hw is None else self.pool(D_B1hw))

    def pool(self, A_BKhw: Float[Tensor, "B K h w"]) -> Float[Tensor, "B K"]:
        if self.config.pooling == "max":
            return A_BKhw.amax((-2, -1))
        return top_t_pool(A_BKhw, 1.0 if self.config.pooling == "average" else self.config.top_t)
