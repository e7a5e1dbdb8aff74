"""ResNet with basic blocks (v1), whose strides can be chosen: the network that looks closely at a patch.

Source   He et al. 2016 (arXiv:1512.03385), Table 1. GLAM's high-resolution local network is the 34-layer version with
         stride 1 in every group, so a 512-pixel patch keeps a 128 x 128 grid (arXiv:2106.07049).
Shapes   B batch | C channels | H, W pixels | h, w cells
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu


class BasicBlock(nn.Module):
    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Float[Tensor, "B Cin H W"]) -> Float[Tensor, "B C h w"]:
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        return relu(y + self.shortcut(x))


class ResNet(nn.Module):
    """From an image to the feature map of its last group. Stem and pool divide the size by 4, or by 2 without pool."""

    def __init__(
        self,
        blocks: Sequence[int] = (3, 4, 6, 3),
        widths: Sequence[int] = (64, 128, 256, 512),
        strides: Sequence[int] = (1, 2, 2, 2),
        stem_pool: bool = True,
        channels_in: int = 3,
    ) -> None:
        super().__init__()
        channels = widths[0]
        self.conv1 = nn.Conv2d(channels_in, channels, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1) if stem_pool else nn.Identity()
        groups = []
        for count, width, stride in zip(blocks, widths, strides, strict=True):
            inputs = [channels] + [width] * (count - 1)
            steps = [stride] + [1] * (count - 1)
            groups.append(nn.Sequential(*(BasicBlock(c, width, s) for c, s in zip(inputs, steps, strict=True))))
            channels = width
        self.groups = nn.Sequential(*groups)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C2 h w"]:
        return self.groups(self.pool(relu(self.bn1(self.conv1(x)))))
