"""Convolutions of 3 x 3 with half the multiplications, for inference in float32 on CPUs, where these are what takes the time.

Four neighbouring outputs of a row come from six inputs, in each row of the kernel:

    Y = A^T [(G g) . (B^T d)]        d 6 inputs, g 3 weights, Y 4 outputs; 6 products where there were 12

Source   Lavin & Gray 2016 (arXiv:1509.09308), Eq. 5, F(4, 3) with its matrices of section 4.3. It is used along the rows only:
         in both directions there would be a quarter of the products, but rounding errors ten times as large.
Details  The sum over channels and over the three rows of the kernel is a 3 x 1 convolution in six groups, one per product.
Shapes   B batch | C, O channels in, out | H, W rows, columns | T tiles of four columns | 6 positions in a tile
         r, c, h, w rows and columns of a strip, padded and convolved
"""

from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

_INPUT = (  # B^T
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_WEIGHT = (  # G, times 24
    (6, 0, 0),
    (-4, -4, -4),
    (-4, 4, -4),
    (1, 2, 4),
    (1, -2, 4),
    (0, 0, 24),
)
_OUTPUT = (  # A^T
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)
_ADDED_TO_ALL = 1
"""The position whose product goes with weight 1 into each of the four outputs: there the bias is added."""
_FEWEST_CHANNELS = 128
_FEWEST_PIXELS = 32 * 32
"""Below either, changing to tiles and back costs what the multiplications save."""
_ROWS = 32
"""Computed at once, so that what lies between input and output stays small."""


class WinogradConv2d(nn.Module):
    """Computes what `convolution` does, up to rounding; small images by itself.

    The first large image makes the weights in their other form, which takes twice the memory of the first.
    """

    input_transform: Tensor
    output_transform: Tensor

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution
        self.register_buffer("input_transform", convolution.weight.new_tensor(_INPUT))
        self.register_buffer("output_transform", convolution.weight.new_tensor(_OUTPUT))

    @cached_property
    def weight_and_bias(self) -> tuple[Tensor, Tensor]:
        weight_OC33, bias_O = self.convolution.weight.detach(), self.convolution.bias
        G_63 = weight_OC33.new_tensor(_WEIGHT, dtype=torch.float64) / 24
        weight_6OC3 = torch.einsum("tk,ochk->toch", G_63, weight_OC33.double()).to(weight_OC33.dtype)
        bias_6O = weight_OC33.new_zeros(6, self.convolution.out_channels)
        if bias_O is not None:
            bias_6O[_ADDED_TO_ALL] = bias_O.detach()
        weight = weight_6OC3.flatten(0, 1).unsqueeze(-1).contiguous(memory_format=torch.channels_last)
        return weight, bias_6O.flatten()

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B O H W"]:
        B, _, H, W = x.shape
        if H * W < _FEWEST_PIXELS:
            return self.convolution(x)
        out_BHWO = x.new_empty(B, H, W, self.convolution.out_channels)
        for image_HWC, out_HWO in zip(x.permute(0, 2, 3, 1), out_BHWO, strict=True):
            for top in range(0, H, _ROWS):
                bottom = min(top + _ROWS, H)
                with_neighbours = image_HWC[max(top - 1, 0) : bottom + 1]
                padded = pad(with_neighbours, (0, 0, 1, -W % 4 + 1, int(top == 0), int(bottom == H)))
                out_HWO[top:bottom] = self._convolve(padded)[:, :W]
        return out_BHWO.movedim(-1, 1)

    def _convolve(self, padded_HWC: Float[Tensor, "r c C"]) -> Float[Tensor, "h w O"]:
        tiles_HT6C = padded_HWC.unfold(1, 6, 4).movedim(-1, -2)
        transformed_1cHT = (self.input_transform @ tiles_HT6C).flatten(2).movedim(-1, 0)[None]
        products_1oHT = conv2d(transformed_1cHT, *self.weight_and_bias, groups=6)
        products_HT6O = products_1oHT[0].movedim(0, -1).unflatten(-1, (6, -1))
        return (self.output_transform @ products_HT6O).flatten(1, 2)


def use_winograd(model: nn.Module) -> None:
    """Change the convolutions of `model` that gain by it, in place. They cannot be trained any more."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d) and _gains(child):
                setattr(module, name, WinogradConv2d(child))


def _gains(c: nn.Conv2d) -> bool:
    geometry = (c.kernel_size, c.stride, c.padding, c.dilation, c.groups, c.padding_mode)
    plain = geometry == ((3, 3), (1, 1), (1, 1), (1, 1), 1, "zeros")
    return plain and min(c.in_channels, c.out_channels) >= _FEWEST_CHANNELS
