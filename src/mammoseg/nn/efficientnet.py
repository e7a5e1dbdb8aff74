"""EfficientNet-Lite0: a slim network whose ImageNet weights are free and fit in 12 MB, as a trunk for small windows.

Source   Tan & Le 2019 (arXiv:1905.11946), Table 1, without squeeze-and-excitation and with ReLU6 ("Lite", TensorFlow 2020). The
         blocks are those of MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381, Fig. 3d).
Details  Published weights need: TensorFlow's padding (nn/same.py); batch norms with epsilon 0.001. The last convolution and the
         classifier are left out.
Shapes   B batch | C channels | H, W pixels | h, w cells
"""

from jaxtyping import Float
from torch import Tensor, nn

from mammoseg.nn.same import SameConv2d

_GROUPS = ((1, 16, 3, 1), (2, 24, 3, 2), (2, 40, 5, 2), (3, 80, 3, 2), (3, 112, 5, 1), (4, 192, 5, 2), (1, 320, 3, 1))
"""Blocks, channels, side of the kernel, stride."""
_STEM = 32
_ENDS = (4, 10, 15)
"""The last blocks at strides 8, 16 and 32."""


class ConvNorm(nn.Sequential):
    """Convolution, batch norm and, unless `linear`, ReLU6."""

    FOLDS = (("0", "1"),)

    def __init__(
        self, channels_in: int, channels: int, kernel: int = 1, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        convolution = SameConv2d(channels_in, channels, kernel, stride, groups=groups, bias=False)
        nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
        super().__init__(
            convolution, nn.BatchNorm2d(channels, eps=1e-3), *(() if linear else (nn.ReLU6(inplace=True),))
        )


class InvertedResidual(nn.Module):
    """Expand, look around in each channel, project; without activation at the end."""

    def __init__(self, channels_in: int, channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels_in * expansion
        self.expand = nn.Identity() if expansion == 1 else ConvNorm(channels_in, wide)
        self.depthwise = ConvNorm(wide, wide, kernel, stride, groups=wide)
        self.project = ConvNorm(wide, channels, linear=True)
        self.adds = stride == 1 and channels_in == channels

    def forward(self, x: Float[Tensor, "B Cin H W"]) -> Float[Tensor, "B C h w"]:
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return y.add_(x) if self.adds else y


class EfficientNetLite0(nn.Module):
    """Returns the features at strides 8, 16 and 32."""

    WIDTHS = (40, 112, 320)

    def __init__(self, channels_in: int = 3) -> None:
        super().__init__()
        self.stem = ConvNorm(channels_in, _STEM, 3, 2)
        blocks: list[nn.Module] = []
        channels = _STEM
        for count, width, kernel, stride in _GROUPS:
            for number in range(count):
                blocks.append(InvertedResidual(channels, width, kernel, 1 if number else stride, 6 if blocks else 1))
                channels = width
        self.blocks = nn.ModuleList(blocks)

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> list[Tensor]:
        x = self.stem(image_BCHW)
        features = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in _ENDS:
                features.append(x)
        return features
