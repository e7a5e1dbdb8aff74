"""The faster memory layout, where it does not crash."""

import pytest
import torch
from torch import nn

from mammoseg.nn.layout import use_channels_last


@pytest.mark.parametrize(("channels", "stride", "fast"), [(16, 2, True), (8, 1, True), (8, 2, False)])
def test_a_narrow_strided_projection_keeps_the_other_layout(channels: int, stride: int, fast: bool) -> None:
    model = nn.Sequential(nn.Conv2d(4, channels, 3), nn.Conv2d(channels, 4, 1, stride))
    use_channels_last(model)
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last) is fast
