"""Trunks by their names: the last features, of gray images and of colours."""

import pytest
import torch
from torch import Tensor

from mammoseg.nn.efficientnet import EfficientNetLite0
from mammoseg.nn.resnet import ResNet
from mammoseg.nn.resnet22 import ResNet22
from mammoseg.nn.trunk import ResNet34Shape, TrunkModule, full_range

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


@pytest.mark.parametrize(("name", "features"), [
    ("resnet", (6,)),
    ("resnet22", (6,)),
    ("efficientnet_lite0", (40, 112, 320)),
])  # fmt: skip
def test_scales_are_the_finest_first_and_end_with_the_last_features(name: str, features: tuple[int, ...]) -> None:
    net, image = module(trunk=name), torch.randn(1, 1, 96, 64)
    scales = net.scales(image)
    assert tuple(h.shape[1] for h in scales) == net.scale_features == features
    assert [h.shape[2] for h in scales] == sorted((h.shape[2] for h in scales), reverse=True)
    assert torch.equal(scales[-1], net.look(image))


def test_a_window_is_seen_from_its_darkest_to_its_brightest() -> None:
    seen = full_range(
        torch.tensor([3.0, 4.0, 7.0]).view(1, 1, 1, 3).repeat(2, 1, 1, 1) * torch.tensor([1.0, 5.0]).view(2, 1, 1, 1)
    )
    torch.testing.assert_close(seen.flatten(1), torch.tensor([[-1.0, -0.5, 1.0]] * 2))
    assert torch.isfinite(full_range(torch.zeros(1, 1, 2, 2))).all()
