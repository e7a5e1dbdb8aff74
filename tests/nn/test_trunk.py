"""Trunks by their names: the last features, of gray images and of colours."""

import pytest
import torch
from torch import Tensor

from mammoseg.nn.efficientnet import EfficientNetLite0
from mammoseg.nn.resnet import ResNet
from mammoseg.nn.resnet22 import ResNet22
from mammoseg.nn.trunk import ResNet34Shape, TrunkModule

SMALL = ResNet34Shape(blocks=(1, 1), widths=(4, 6), strides=(1, 2))


def module(gray_as_colour: bool = False, **changes: object) -> TrunkModule:
    torch.manual_seed(0)
    return TrunkModule(SMALL.model_copy(update=changes), gray_as_colour=gray_as_colour).eval()


@pytest.mark.parametrize(("name", "kind", "features", "cells"), [
    ("resnet", ResNet, 6, (12, 8)),
    ("resnet22", ResNet22, 6, (12, 8)),
    ("efficientnet_lite0", EfficientNetLite0, 320, (3, 2)),
])  # fmt: skip
def test_a_name_is_a_network(name: str, kind: type, features: int, cells: tuple[int, int]) -> None:
    net = module(trunk=name)
    assert isinstance(net.trunk, kind)
    assert net.features == features
    assert net.look(torch.randn(2, 1, 96, 64)).shape == (2, features, *cells)


def test_of_a_resnet22_it_is_what_the_final_norm_leaves() -> None:
    net, image = module(trunk="resnet22"), torch.randn(2, 1, 96, 64)
    assert torch.equal(net.look(image), net.trunk(image)[-1])
    assert (net.look(image) >= 0).all()


@pytest.mark.parametrize("name", ["resnet", "resnet22", "efficientnet_lite0"])
def test_a_gray_image_is_repeated_for_three_channels(name: str) -> None:
    net, image = module(gray_as_colour=True, trunk=name), torch.randn(2, 1, 96, 64)
    out: Tensor | list[Tensor] = net.trunk(image.repeat(1, 3, 1, 1))
    torch.testing.assert_close(net.look(image), out[-1] if isinstance(out, list) else out)


def test_settings_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="one entry per group"):
        ResNet34Shape(blocks=(1, 2))


def test_the_published_size() -> None:
    with torch.device("meta"):
        gray, colour = TrunkModule(ResNet34Shape()), TrunkModule(ResNet34Shape(), gray_as_colour=True)
        assert gray.look(torch.empty(1, 1, 2944, 1920)).shape == (1, 512, 92, 60)
    assert sum(p.numel() for p in gray.parameters()) == 21_278_400
    assert sum(p.numel() for p in colour.parameters()) == 21_284_672
