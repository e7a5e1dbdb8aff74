"""DenseNet: every layer sees the outputs of all layers before it in its block. Returns the features of the last block.

    stem  conv 7x7 / 2, norm, ReLU, max pool 3x3 / 2         layer  norm, ReLU, conv 1x1, norm, ReLU, conv 3x3
    transition  norm, ReLU, conv 1x1 to half the channels, mean pool 2x2 / 2         end  norm

Source   Huang et al. 2017 (arXiv:1608.06993), Table 1: DenseNet-121 is (6, 12, 24, 16) layers of growth 32 (DenseNet-BC).
Details  Names are torchvision's, so that weights in its layout fit as they are. Convolutions and the max pool are padded as
         TensorFlow does (nn/same.py), which the published patch classifier needs; weights of ImageNet in torchvision's layout
         have learned with symmetric padding. The end has no ReLU here: who uses the features takes it.
Shapes   B batch | C channels | H, W pixels | h, w cells: ceil(H / 32), with 4 blocks and the pool
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn, relu, relu_

from mammoseg.nn.same import SameConv2d, SameMaxPool2d

_WIDER = 4
"""The 1x1 convolution of a layer has so many times `growth` channels."""


class DenseLayer(nn.Module):
    """Adds `growth` channels to what it gets."""

    FOLDS = (("conv1", "norm2"),)

    def __init__(self, channels_in: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels_in)
        self.conv1 = SameConv2d(channels_in, _WIDER * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(_WIDER * growth)
        self.conv2 = SameConv2d(_WIDER * growth, growth, 3, bias=False)

    def forward(self, x: Float[Tensor, "B Cin h w"]) -> Float[Tensor, "B C h w"]:
        new = self.conv2(relu_(self.norm2(self.conv1(relu_(self.norm1(x))))))
        return torch.cat([x, new], dim=1)


class Transition(nn.Module):
    """Half the channels and half the size."""

    def __init__(self, channels_in: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels_in)
        self.conv = SameConv2d(channels_in, channels_in // 2, 1, bias=False)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Float[Tensor, "B Cin H W"]) -> Float[Tensor, "B C h w"]:
        pooled: Tensor = self.pool(self.conv(relu(self.norm(x))))
        return pooled


class DenseNet(nn.Sequential):
    """From an image to the features of its last block."""

    FOLDS = (("conv0", "norm0"),)

    def __init__(
        self,
        blocks: Sequence[int] = (6, 12, 24, 16),
        growth: int = 32,
        stem_width: int = 64,
        stem_pool: bool = True,
        channels_in: int = 3,
    ) -> None:
        """`blocks`: layers of each; without `stem_pool` the grid is twice as fine. `channels` tells how many come out."""
        parts: OrderedDict[str, nn.Module] = OrderedDict(
            conv0=SameConv2d(channels_in, stem_width, 7, stride=2, bias=False),
            norm0=nn.BatchNorm2d(stem_width),
            relu0=nn.ReLU(inplace=True),
            pool0=SameMaxPool2d(3, 2) if stem_pool else nn.Identity(),
        )
        channels = stem_width
        for number, layers in enumerate(blocks, start=1):
            if number > 1:
                parts[f"transition{number - 1}"] = Transition(channels)
                channels //= 2
            names = (f"denselayer{i}" for i in range(1, layers + 1))
            block = [(name, DenseLayer(channels + i * growth, growth)) for i, name in enumerate(names)]
            parts[f"denseblock{number}"] = nn.Sequential(OrderedDict(block))
            channels += layers * growth
        last = f"norm{len(blocks) + 1}"
        parts[last] = nn.BatchNorm2d(channels)
        super().__init__(parts)
        self.channels = channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
