"""A trunk of which there are ImageNet weights, and what it says of the cells of a breast. For models that start from such weights.

Shapes   B batch | C features of a scale | H, W pixels of the window | h, w cells of a scale
"""

from typing import Literal

from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor

from mammoseg.nn.contract import NetworkConfig
from mammoseg.nn.efficientnet import EfficientNetLite0
from mammoseg.nn.limits import Blocks, Stride, Width, check_groups
from mammoseg.nn.resnet import ResNet


class PretrainedTrunkConfig(NetworkConfig):
    """Which trunk."""

    trunk: Literal["efficientnet_lite0", "resnet"] = "efficientnet_lite0"
    """EfficientNet-Lite0 with three scales, or a ResNet with one, whose size the next three settings say."""
    blocks: tuple[Blocks, ...] = (2, 2, 2, 2)
    widths: tuple[Width, ...] = (64, 128, 256, 512)
    strides: tuple[Stride, ...] = (1, 2, 2, 2)

    @model_validator(mode="after")
    def _groups(self) -> "PretrainedTrunkConfig":
        check_groups(self.blocks, self.widths, self.strides)
        return self


def build_trunk(config: PretrainedTrunkConfig) -> tuple[EfficientNetLite0 | ResNet, list[int]]:
    """The trunk, which takes gray images, and the features of each of its scales."""
    if config.trunk == "efficientnet_lite0":
        return EfficientNetLite0(channels_in=1), list(EfficientNetLite0.WIDTHS)
    trunk = ResNet(config.blocks, config.widths, config.strides, channels_in=1)
    return trunk, [trunk.features]


def scales_of(trunk: EfficientNetLite0 | ResNet, image_B1HW: Float[Tensor, "B 1 H W"]) -> list[Tensor]:
    """Features (B, C, h, w) of every scale, the finest first; a window is seen from -1 to 1, whatever its range: as the images that
    ImageNet weights have learned from."""
    low_B111, high_B111 = image_B1HW.amin((1, 2, 3), keepdim=True), image_B1HW.amax((1, 2, 3), keepdim=True)
    features = trunk(2 * (image_B1HW - low_B111) / (high_B111 - low_B111).clamp(min=1e-6) - 1)
    return features if isinstance(features, list) else [features]


def mean_in(h_BChw: Float[Tensor, "B C h w"], cells_B1hw: Tensor) -> Float[Tensor, "B C"]:
    """Over the given cells, of which there is at least one."""
    return (h_BChw * cells_B1hw).sum((-2, -1)) / cells_B1hw.sum((-2, -1))
