"""Global module: the whole image -> a saliency map, one prediction, and features for the fusion.

    A = sigmoid(conv1x1(h_g)),   y_global = top-t(A),   z_g = max over space of h_g

Source   Shen et al. 2021 (arXiv:2002.07613), eq. 1-3 and 10.
Shapes   B batch | C image channels (1, or 3 with heatmaps) | K class | H, W pixels | h, w cells (46 x 30 at 2944 x 1920)
"""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from mammoseg.models.gmic.config import GlobalConfig
from mammoseg.nn.efficientnet import EfficientNetLite0
from mammoseg.nn.heads import make_head
from mammoseg.nn.pooling import top_t_pool
from mammoseg.nn.resnet import ResNet
from mammoseg.nn.resnet22 import ResNet22


class GlobalOutput(NamedTuple):
    saliency_BKhw: Tensor
    """A."""
    y_BK: Tensor
    z_BD: Tensor
    """Maximum of h_g over space, for the fusion."""
    y_finding_B1: Tensor | None = None
    """Prediction of a finding of any class, of a head that has a map of it."""


class GlobalModule(nn.Module):
    def __init__(self, config: GlobalConfig, classes: int, image_channels: int) -> None:
        super().__init__()
        self.config = config
        self.trunk: ResNet22 | ResNet | EfficientNetLite0
        if config.trunk == "resnet22":
            self.trunk = ResNet22(config.widths, config.strides, config.blocks, config.stem_pool, image_channels)
        elif config.trunk == "resnet":
            self.trunk = ResNet(config.blocks, config.widths, config.strides, config.stem_pool)
        else:
            self.trunk = EfficientNetLite0(image_channels)
        self.gray_as_colour = config.trunk == "resnet" and image_channels == 1  # ImageNet weights want three channels
        self.head = make_head(config.heads, self.features, classes)

    @property
    def features(self) -> int:
        return EfficientNetLite0.WIDTHS[-1] if self.config.trunk == "efficientnet_lite0" else self.config.widths[-1]

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> GlobalOutput:
        maps = self.trunk(image_BCHW.expand(-1, 3, -1, -1) if self.gray_as_colour else image_BCHW)
        h_BDhw = maps[-1] if isinstance(maps, list) else maps
        A_BKhw, D_B1hw = self.head(h_BDhw)
        y_finding_B1 = None if D_B1hw is None else self.pool(D_B1hw)
        return GlobalOutput(A_BKhw, self.pool(A_BKhw), h_BDhw.amax((-2, -1)), y_finding_B1)

    def pool(self, A_BKhw: Float[Tensor, "B K h w"]) -> Float[Tensor, "B K"]:
        if self.config.pooling == "max":
            return A_BKhw.amax((-2, -1))
        return top_t_pool(A_BKhw, 1.0 if self.config.pooling == "average" else self.config.top_t)
