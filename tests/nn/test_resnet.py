"""ResNet with chosen strides: published size and grid, and its block."""

import pytest
import torch
from torch import nn

from mammoseg.nn.resnet import BasicBlock, ResNet


@pytest.mark.parametrize(("strides", "cells"), [((1, 1, 1, 1), 128), ((1, 2, 2, 2), 16)])
def test_resnet34(strides: tuple[int, ...], cells: int) -> None:
    with torch.device("meta"):
        net = ResNet(strides=strides)
        features = net(torch.empty(1, 3, 512, 512))
    assert sum(p.numel() for p in net.parameters()) == 21_284_672
    assert features.shape == (1, 512, cells, cells)


def test_without_pool_only_the_stem_halves() -> None:
    net = ResNet((1,), (4,), (1,), stem_pool=False, channels_in=1)
    assert net(torch.rand(2, 1, 16, 12)).shape == (2, 4, 8, 6)


def test_block_without_change_of_shape_adds_its_input() -> None:
    block = BasicBlock(4, 4, 1).eval()
    assert isinstance(block.shortcut, nn.Identity)
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 4, 5, 6)
    assert torch.equal(block(x), torch.relu(x))


@pytest.mark.parametrize(("channels_in", "stride"), [(3, 1), (4, 2)])
def test_block_that_changes_the_shape_projects_the_raw_input(channels_in: int, stride: int) -> None:
    block = BasicBlock(channels_in, 4, stride).eval()
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, channels_in, 6, 6)
    torch.testing.assert_close(block(x), torch.relu(block.shortcut(x)))
    assert block(x).shape == (2, 4, 6 // stride, 6 // stride)


def test_first_weights_are_kaiming_normal_over_the_outputs() -> None:
    torch.manual_seed(0)
    weight = ResNet((1,), (64,), (1,)).groups[0][0].conv1.weight
    assert weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
