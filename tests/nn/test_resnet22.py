"""ResNet-22: published size and grids, and the three details its weights depend on."""

import pytest
import torch
from torch import nn

from mammoseg.nn.resnet22 import PreActivationBlock, ResNet22


def test_published_parameters_and_grids() -> None:
    with torch.device("meta"):
        net = ResNet22()
        features = net(torch.empty(1, 1, 2944, 1920))
    assert sum(p.numel() for p in net.parameters()) == 2_799_536
    expected = [(16, 735, 479), (32, 368, 240), (64, 184, 120), (128, 92, 60), (256, 46, 30), (256, 46, 30)]
    assert [tuple(f.shape[1:]) for f in features] == expected


def test_a_small_window_keeps_the_grids() -> None:
    net = ResNet22((2, 2, 2, 2, 2), strides=(1, 2, 1, 2, 2), stem_pool=False)
    assert [tuple(f.shape[2:]) for f in net(torch.rand(1, 1, 64, 48))][2:] == [(16, 12), (8, 6), (4, 3), (4, 3)]


def test_blocks_of_each_group_and_channels_of_the_image() -> None:
    net = ResNet22((2, 4, 6), strides=(1, 2, 2), blocks=(1, 3, 2), stem_pool=False, channels_in=3)
    assert [len(group) for group in net.groups] == [1, 3, 2]
    assert [tuple(f.shape) for f in net(torch.rand(2, 3, 32, 24))] == [
        (2, 2, 16, 12),
        (2, 4, 8, 6),
        (2, 6, 4, 3),
        (2, 6, 4, 3),
    ]
    with pytest.raises(ValueError, match="argument"):
        ResNet22((2, 4, 6), strides=(1, 2, 2), blocks=(1, 3))


def test_groups_are_raw_and_the_last_is_normalised() -> None:
    torch.manual_seed(0)
    net = ResNet22((4, 4, 4, 4, 4)).eval()
    *groups, last = net(torch.randn(2, 1, 128, 96))
    assert all((group < 0).any() for group in groups)
    torch.testing.assert_close(last, torch.relu(net.final_bn(groups[-1])))


def test_no_norm_or_activation_between_stem_and_pool() -> None:
    net = ResNet22((4, 4, 4, 4, 4)).eval()
    seen = []
    net.groups[0].register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    image = torch.randn(1, 1, 65, 64)
    net(image)
    stem = nn.functional.conv2d(image, net.stem.weight, stride=2, padding=3)
    torch.testing.assert_close(seen[0], nn.functional.max_pool2d(stem, 3, 2))


@pytest.mark.parametrize("stride", [1, 2])
def test_the_projection_sees_the_activated_input(stride: int) -> None:
    torch.manual_seed(0)
    block = PreActivationBlock(3, 4, stride, project=True).eval()
    assert block.shortcut is not None
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 3, 9, 8)
    torch.testing.assert_close(block(x), block.shortcut(torch.relu(block.bn1(x))))


def test_without_projection_the_raw_input_passes() -> None:
    block = PreActivationBlock(4, 4, 1, project=False).eval()
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 4, 5, 6)
    assert torch.equal(block(x), x)


def test_the_first_block_of_every_group_projects() -> None:
    projects = [[block.shortcut is not None for block in group] for group in ResNet22((2, 2, 2, 2, 2)).groups]
    assert projects == [[True, False]] * 5
