"""ResNet (v1), whose strides can be chosen: the trunk of local modules, classifiers and detectors.

Source   He et al. 2016 (arXiv:1512.03385), Table 1: 18 layers are (2, 2, 2, 2) basic blocks, 34 are (3, 4, 6, 3), 50 as many
         bottlenecks, with the stride in their 3x3 convolution, as the usual ImageNet weights have it. GLAM's high-resolution
         local network is the 34-layer version with stride 1 in every group, so a 512-pixel patch keeps a 128 x 128 grid
         (arXiv:2106.07049).
Shapes   B batch | C channels | H, W pixels | h, w cells
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn, relu_


class BasicBlock(nn.Module):
    expansion = 1
    FOLDS = (("conv1", "bn1"), ("conv2", "bn2"))

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = _shortcut(channels_in, channels, stride)

    def forward(self, x: Float[Tensor, "B Cin H W"]) -> Float[Tensor, "B C h w"]:
        y = self.bn2(self.conv2(relu_(self.bn1(self.conv1(x)))))
        return relu_(y.add_(self.shortcut(x)))


class Bottleneck(nn.Module):
    expansion = 4
    FOLDS = (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"))

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, channels * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels * self.expansion)
        self.shortcut = _shortcut(channels_in, channels * self.expansion, stride)

    def forward(self, x: Float[Tensor, "B Cin H W"]) -> Float[Tensor, "B C h w"]:
        y = relu_(self.bn2(self.conv2(relu_(self.bn1(self.conv1(x))))))
        return relu_(self.bn3(self.conv3(y)).add_(self.shortcut(x)))


class Projection(nn.Sequential):
    """The shortcut of a block that changes size or width."""

    FOLDS = (("0", "1"),)

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))


def _shortcut(channels_in: int, channels: int, stride: int) -> nn.Module:
    same = stride == 1 and channels_in == channels
    return nn.Identity() if same else Projection(channels_in, channels, stride)


class ResNet(nn.Module):
    """From an image to the feature map of its last group. Stem and pool divide the size by 4, or by 2 without pool."""

    FOLDS = (("conv1", "bn1"),)

    def __init__(
        self,
        blocks: Sequence[int] = (3, 4, 6, 3),
        widths: Sequence[int] = (64, 128, 256, 512),
        strides: Sequence[int] = (1, 2, 2, 2),
        stem_pool: bool = True,
        channels_in: int = 3,
        bottleneck: bool = False,
    ) -> None:
        super().__init__()
        block: type[BasicBlock | Bottleneck] = Bottleneck if bottleneck else BasicBlock
        channels = widths[0]
        self.conv1 = nn.Conv2d(channels_in, channels, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1) if stem_pool else nn.Identity()
        groups = []
        for count, width, stride in zip(blocks, widths, strides, strict=True):
            inputs = [channels] + [width * block.expansion] * (count - 1)
            steps = [stride] + [1] * (count - 1)
            groups.append(nn.Sequential(*(block(c, width, s) for c, s in zip(inputs, steps, strict=True))))
            channels = width * block.expansion
        self.groups = nn.Sequential(*groups)
        self.features = channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C2 h w"]:
        return self.groups(self.pool(relu_(self.bn1(self.conv1(x)))))

    def levels(self, x: Float[Tensor, "B C H W"]) -> list[Tensor]:
        """The feature map of each group."""
        x = self.pool(relu_(self.bn1(self.conv1(x))))
        return [x := group(x) for group in self.groups]
