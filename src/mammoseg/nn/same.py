"""Convolutions and maximum pools whose output has ceil(size / stride) cells, padded as TensorFlow's "SAME" does.

    total = max(0, k - s) if size % s == 0 else max(0, k - size % s)      total // 2 before, the rest after

so that the odd pixel of a strided layer lies below and to the right. Networks whose weights come from TensorFlow need it.

Details  A maximum pool pads with zeros, as the published patch classifier does; behind a ReLU that is no different from no value.
Shapes   B batch | C channels | H, W pixels | h, w cells
"""

from jaxtyping import Float
from torch import Tensor, conv2d, nn
from torch.nn.functional import max_pool2d, pad


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Before and after `size` cells."""
    total = max(0, kernel - (size % stride or stride))
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """A convolution."""

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C2 h w"]:
        (top, bottom), (left, right) = _both(x, self.kernel_size[0], self.stride[0])
        if (top, left) != (bottom, right):
            x, top, left = pad(x, (left, right, top, bottom)), 0, 0
        return conv2d(x, self.weight, self.bias, self.stride, (top, left), groups=self.groups)


class SameMaxPool2d(nn.Module):
    """A maximum pool, which has no parameters."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C h w"]:
        (top, bottom), (left, right) = _both(x, self.kernel, self.stride)
        return max_pool2d(pad(x, (left, right, top, bottom)), self.kernel, self.stride)


def _both(x: Tensor, kernel: int, stride: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The padding of rows and of columns."""
    return same_padding(x.shape[-2], kernel, stride), same_padding(x.shape[-1], kernel, stride)
