"""Winograd changes how a convolution computes, not what."""

import pytest
import torch
from torch import nn

from mammoseg.nn.winograd import WinogradConv2d, use_winograd


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(32, 32), (33, 35), (31, 38), (40, 29), (256, 4), (1, 1025), (1025, 1), (5, 7)])
@torch.inference_mode()
def test_equals_the_convolution(shape: tuple[int, int], bias: bool) -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 5, 3, padding=1, bias=bias).double()
    image = torch.randn(2, 3, *shape, dtype=torch.float64)
    expected = convolution(image)
    for layout in (torch.contiguous_format, torch.channels_last):
        out = WinogradConv2d(convolution)(image.contiguous(memory_format=layout))
        torch.testing.assert_close(out, expected, rtol=1e-12, atol=1e-12)


@torch.inference_mode()
def test_rounding_errors_stay_small() -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(512, 64, 3, padding=1)
    image = torch.randn(1, 512, 32, 32).relu()
    fast = WinogradConv2d(convolution)(image)
    exact = convolution.double()(image.double())
    assert (fast - exact).abs().max() < 1e-5
    assert (fast - exact).std() < 5e-6 * exact.std()


def test_only_convolutions_that_gain_are_changed() -> None:
    def conv(*args: int, **more: object) -> nn.Conv2d:
        return nn.Conv2d(*args, **more)  # type: ignore[arg-type]

    gain = [conv(128, 256, 3, padding=1), conv(256, 128, 3, padding=1, bias=False)]
    stay = [
        conv(64, 128, 3, padding=1),
        conv(128, 64, 3, padding=1),
        conv(128, 128, 3, padding=1, stride=2),
        conv(128, 128, 3, padding=0),
        conv(128, 128, 3, padding=2, dilation=2),
        conv(128, 128, 3, padding=1, groups=2),
        conv(128, 128, 3, padding=1, padding_mode="reflect"),
        conv(128, 128, 5, padding=1),
        conv(128, 128, 1),
    ]
    model = nn.ModuleDict({"a": nn.Sequential(*gain), "b": nn.Sequential(*stay)})
    use_winograd(model)
    assert [type(m) for m in model["a"]] == [WinogradConv2d] * 2
    assert list(model["b"]) == stay
