"""The trunk of a model that sees the whole window: which network, how large, and what it makes of a gray image.

    h = the last feature map of trunk(image);   a gray image may be seen as one of three equal colours

Source   He et al. 2016 (arXiv:1512.03385) for the ResNet, Wu et al. 2019 (arXiv:1903.08297) for the ResNet-22 (after its
         final batch norm and ReLU); EfficientNet-Lite0 (nn/efficientnet.py) is our choice for small windows: it has three
         scales, of which h is the coarsest.
Shapes   B batch | C image channels | D features | H, W pixels | h, w cells
"""

from typing import Literal

from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor, nn

from mammoseg.config import Config
from mammoseg.nn.efficientnet import EfficientNetLite0
from mammoseg.nn.limits import Blocks, Stride, Width, check_groups
from mammoseg.nn.resnet import ResNet
from mammoseg.nn.resnet22 import ResNet22


class TrunkShape(Config):
    """Which network. Of `efficientnet_lite0` the other settings say nothing."""

    trunk: Literal["resnet22", "resnet", "efficientnet_lite0"]
    """ResNet-22, the ImageNet kind of ResNet with basic blocks, or EfficientNet-Lite0."""
    blocks: tuple[Blocks, ...]
    """Blocks per group: (2, 2, 2, 2, 2) is ResNet-22, (2, 2, 2, 2) ResNet-18, (3, 4, 6, 3) ResNet-34."""
    widths: tuple[Width, ...]
    """Channels per group."""
    strides: tuple[Stride, ...]
    """Stride per group. A small window keeps its grid with smaller strides."""
    stem_pool: bool = True
    """Max pool after the stem convolution; off for small windows."""

    @model_validator(mode="after")
    def _groups(self) -> "TrunkShape":
        check_groups(self.blocks, self.widths, self.strides)
        return self


class ResNet34Shape(TrunkShape):
    """ResNet-34 over gray images, or another trunk in its place."""

    trunk: Literal["resnet22", "resnet", "efficientnet_lite0"] = "resnet"
    blocks: tuple[Blocks, ...] = (3, 4, 6, 3)
    widths: tuple[Width, ...] = (64, 128, 256, 512)
    strides: tuple[Stride, ...] = (1, 2, 2, 2)
    channels_in: Literal[1, 3] = 1
    """Channels of the first convolution; for 3 the gray image is repeated. ImageNet weights fit both: of 1, their sum over the
    colours computes the same."""


class SlimShape(TrunkShape):
    """EfficientNet-Lite0, whose ImageNet weights suit a few hundred images, or another trunk in its place."""

    trunk: Literal["resnet22", "resnet", "efficientnet_lite0"] = "efficientnet_lite0"
    blocks: tuple[Blocks, ...] = (2, 2, 2, 2)
    widths: tuple[Width, ...] = (64, 128, 256, 512)
    strides: tuple[Stride, ...] = (1, 2, 2, 2)


class TrunkModule(nn.Module):
    """Base of what has a trunk under this name; it comes first among several bases."""

    def __init__(self, shape: TrunkShape, image_channels: int = 1, gray_as_colour: bool = False) -> None:
        super().__init__()
        channels = 3 if gray_as_colour else image_channels
        self.trunk: ResNet22 | ResNet | EfficientNetLite0
        if shape.trunk == "resnet22":
            self.trunk = ResNet22(shape.widths, shape.strides, shape.blocks, shape.stem_pool, channels)
        elif shape.trunk == "resnet":
            self.trunk = ResNet(shape.blocks, shape.widths, shape.strides, shape.stem_pool, channels)
        else:
            self.trunk = EfficientNetLite0(channels)
        self.gray_as_colour = gray_as_colour
        self.scale_features = EfficientNetLite0.WIDTHS if shape.trunk == "efficientnet_lite0" else shape.widths[-1:]
        self.features = self.scale_features[-1]

    def look(self, image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        """h."""
        return self.scales(image_BCHW)[-1]

    def scales(self, image_BCHW: Float[Tensor, "B C H W"]) -> list[Tensor]:
        """The feature maps (B, `scale_features`, h, w) of every scale, the finest first; a ResNet has one."""
        maps = self.trunk(image_BCHW.expand(-1, 3, -1, -1) if self.gray_as_colour else image_BCHW)
        return maps[-len(self.scale_features) :] if isinstance(maps, list) else [maps]


def full_range(image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """From -1, the darkest of each window, to 1: as the images that ImageNet weights have learned from."""
    low_B111, high_B111 = image_BCHW.amin((1, 2, 3), keepdim=True), image_BCHW.amax((1, 2, 3), keepdim=True)
    return 2 * (image_BCHW - low_B111) / (high_B111 - low_B111).clamp(min=1e-6) - 1
