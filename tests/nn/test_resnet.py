"""ResNet with chosen strides: published sizes, names and grids, and its blocks."""

import re
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from mammoseg.nn.resnet import BasicBlock, Bottleneck, ResNet
from mammoseg.published.file import RESNET, SHORTCUTS


@pytest.mark.parametrize(("strides", "cells"), [((1, 1, 1, 1), 128), ((1, 2, 2, 2), 16)])
def test_resnet34(strides: tuple[int, ...], cells: int) -> None:
    with torch.device("meta"):
        net = ResNet(strides=strides)
        features = net(torch.empty(1, 3, 512, 512))
    assert sum(p.numel() for p in net.parameters()) == 21_284_672
    assert features.shape == (1, 512, cells, cells)


def usual_tensors(blocks: tuple[int, ...], bottleneck: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the usual ImageNet weights without `fc`, by the rule of the paper's Table 1."""

    def norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield from ((f"{name}.{part}", (width,)) for part in ("weight", "bias", "running_mean", "running_var"))
        yield f"{name}.num_batches_tracked", ()

    yield "conv1.weight", (64, 3, 7, 7)
    yield from norm("bn1", 64)
    before = 64
    for group, count in enumerate(blocks, start=1):
        width = 32 * 2**group
        after = 4 * width if bottleneck else width
        for block in range(count):
            name = f"layer{group}.{block}"
            kernels = [(width, before, 1), (width, width, 3), (after, width, 1)]
            if not bottleneck:
                kernels = [(width, before, 3), (width, width, 3)]
            for number, (outputs, inputs, side) in enumerate(kernels, start=1):
                yield f"{name}.conv{number}.weight", (outputs, inputs, side, side)
                yield from norm(f"{name}.bn{number}", outputs)
            if block == 0 and (group > 1 or bottleneck):  # there the width or the size changes
                yield f"{name}.downsample.0.weight", (after, before, 1, 1)
                yield from norm(f"{name}.downsample.1", after)
            before = after


@pytest.mark.parametrize(
    ("blocks", "bottleneck", "parameters"),
    [
        ((2, 2, 2, 2), False, 11_176_512),
        ((3, 4, 6, 3), False, 21_284_672),
        ((3, 4, 6, 3), True, 23_508_032),
    ],
    ids=["resnet18", "resnet34", "resnet50"],
)
def test_the_usual_weights_fit(blocks: tuple[int, ...], bottleneck: bool, parameters: int) -> None:
    with torch.device("meta"):
        net = ResNet(blocks, bottleneck=bottleneck)
        features = net(torch.empty(1, 3, 256, 256))
    assert sum(p.numel() for p in net.parameters()) == parameters
    assert features.shape == (1, net.features, 8, 8)
    assert net.features == (2048 if bottleneck else 512)
    ours = {}
    for name, value in net.state_dict().items():
        for pattern, replacement in (*RESNET, *SHORTCUTS):
            name = re.sub(pattern, replacement, "." + name).removeprefix(".")
        ours[name] = tuple(value.shape)
    assert ours == dict(usual_tensors(blocks, bottleneck))


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


def test_bottleneck_without_change_of_shape_adds_its_input() -> None:
    block = Bottleneck(16, 4, 1).eval()
    assert isinstance(block.shortcut, nn.Identity)
    nn.init.zeros_(block.conv3.weight)
    x = torch.randn(2, 16, 5, 6)
    assert torch.equal(block(x), torch.relu(x))


def test_the_stride_of_a_bottleneck_is_in_its_wide_convolution() -> None:
    block = Bottleneck(4, 4, 2).eval()
    assert [c.stride for c in (block.conv1, block.conv2, block.conv3)] == [(1, 1), (2, 2), (1, 1)]
    x = torch.randn(2, 4, 6, 7)
    y = torch.relu(block.bn1(block.conv1(x)))
    y = torch.relu(block.bn2(nn.functional.conv2d(y, block.conv2.weight, stride=2, padding=1)))
    expected = torch.relu(block.bn3(block.conv3(y)) + block.shortcut(x))
    torch.testing.assert_close(block(x), expected)
    assert expected.shape == (2, 16, 3, 4)
