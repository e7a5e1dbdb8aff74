"""ResNet-22: the slim pre-activation network that sees a whole mammogram at full resolution.

Source   Wu et al. 2019 (arXiv:1903.08297), Fig. 3; global network of GMIC (arXiv:2002.07613) and GLAM (arXiv:2106.07049).
Details  Published weights need: no norm or activation between stem convolution and pool; pool without padding; the stem padded
         by 3 in GMIC and GLAM and not at all in the models of Wu et al.; the first block of every group has a projection
         shortcut, taken from the activated input and without batch norm.
Shapes   B batch | C channels | H, W pixels | h, w cells. At 2944 x 1920 the five groups have
         735x479, 368x240, 184x120, 92x60 and 46x30 cells and 16, 32, 64, 128 and 256 channels.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn, relu_


class PreActivationBlock(nn.Module):
    FOLDS = (("conv1", "bn2"),)

    def __init__(self, channels_in: int, channels: int, stride: int, project: bool) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(channels_in, channels, 1, stride, bias=False) if project else None

    def forward(self, x: Float[Tensor, "B Cin H W"]) -> Float[Tensor, "B C h w"]:
        active = relu_(self.bn1(x))
        residual = x if self.shortcut is None else self.shortcut(active)
        y = self.conv1(active)
        return self.conv2(relu_(self.bn2(y))).add_(residual)


class ResNet22(nn.Module):
    """Returns the raw output of every group and, last, the final batch norm + ReLU of the deepest one."""

    def __init__(
        self,
        widths: Sequence[int] = (16, 32, 64, 128, 256),
        strides: Sequence[int] = (1, 2, 2, 2, 2),
        blocks: Sequence[int] = (2, 2, 2, 2, 2),
        stem_pool: bool = True,
        channels_in: int = 1,
        stem_padding: int = 3,
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels_in, widths[0], 7, stride=2, padding=stem_padding, bias=False)
        self.pool = nn.MaxPool2d(3, stride=2) if stem_pool else nn.Identity()
        self.groups = nn.ModuleList()
        channels = widths[0]
        for width, stride, count in zip(widths, strides, blocks, strict=True):
            first = PreActivationBlock(channels, width, stride, project=True)
            rest = [PreActivationBlock(width, width, 1, project=False) for _ in range(count - 1)]
            self.groups.append(nn.Sequential(first, *rest))
            channels = width
        self.final_bn = nn.BatchNorm2d(channels)

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> list[Tensor]:
        x = self.pool(self.stem(image_BCHW))
        features = []
        for group in self.groups:
            x = group(x)
            features.append(x)
        features.append(relu_(self.final_bn(x)))
        return features
