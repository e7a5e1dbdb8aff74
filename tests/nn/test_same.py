"""Padding as in TensorFlow: its rule, and layers against loops that index the image."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from mammoseg.nn.same import SameConv2d, SameMaxPool2d, same_padding


@pytest.mark.parametrize(("size", "kernel", "stride", "before", "after"), [
    (224, 3, 2, 0, 1), (225, 3, 2, 1, 1), (112, 5, 2, 1, 2), (56, 5, 1, 2, 2), (7, 1, 1, 0, 0), (256, 7, 2, 2, 3),
    (9, 1, 2, 0, 0), (10, 3, 4, 0, 1),
])  # fmt: skip
def test_pads_as_tensorflow_does(size: int, kernel: int, stride: int, before: int, after: int) -> None:
    """So much that there are ceil(size / stride) cells, the odd pixel at the end."""
    assert same_padding(size, kernel, stride) == (before, after)
    assert (size + before + after - kernel) // stride + 1 == -(-size // stride)
    torch.manual_seed(0)
    convolution = SameConv2d(2, 3, kernel, stride, bias=False)
    x = torch.randn(1, 2, size, size)
    expected = conv2d(pad(x, (before, after, before, after)), convolution.weight, None, stride)
    torch.testing.assert_close(convolution(x), expected)


@pytest.mark.parametrize("shape", [(8, 8), (7, 10)])
def test_a_maximum_pool_is_padded_with_zeros(shape: tuple[int, int]) -> None:
    """Of an image of negative numbers the border cells are 0, and all others what is largest in them."""
    torch.manual_seed(0)
    x = -1 - torch.rand(1, 1, *shape)

    def pixel(row: int, col: int) -> Tensor:
        inside = 0 <= row < shape[0] and 0 <= col < shape[1]
        return x[0, 0, row, col] if inside else torch.tensor(0.0)

    tops, lefts = (same_padding(side, 3, 2)[0] for side in shape)
    expected = [
        [
            torch.stack([pixel(2 * r - tops + i, 2 * c - lefts + j) for i in range(3) for j in range(3)]).max()
            for c in range(-(-shape[1] // 2))
        ]
        for r in range(-(-shape[0] // 2))
    ]
    assert torch.equal(SameMaxPool2d(3, 2)(x)[0, 0], torch.tensor(expected))
