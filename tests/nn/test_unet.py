"""Shapes of every level, and what the map can see."""

import pytest
import torch

from mammoseg.nn.unet import UNet, UNetShape


@pytest.mark.parametrize(("window", "cells"), [((96, 64), (48, 32)), ((50, 38), (25, 19)), ((33, 47), (17, 24))])
def test_a_map_of_half_the_window_for_each_class(window: tuple[int, int], cells: tuple[int, int]) -> None:
    """Also where the sides cannot be halved so often."""
    S = UNet(UNetShape(widths=(4, 6, 8, 8)), 3).eval()(torch.randn(2, 1, *window)).maps["saliency"]
    assert S.shape == (2, 3, *cells)
    assert (S >= 0).all()
    assert (S.sum(1) <= 1).all()


def test_it_sees_further_than_its_finest_level_and_keeps_the_place() -> None:
    torch.manual_seed(0)
    model = UNet(UNetShape(widths=(4, 6, 8, 8)), 1).eval()
    image = torch.zeros(1, 1, 128, 128)
    there = image.clone()
    there[..., 64, 64] = 100
    with torch.no_grad():
        change = (model(there).maps["saliency"] - model(image).maps["saliency"])[0, 0].abs()
    assert change[32, 40] > 0  # 16 pixels away, more than two 3 x 3 convolutions reach
    rows, cols = (change > change.max() / 2).nonzero().float().mean(0).tolist()
    assert abs(rows - 32) < 6
    assert abs(cols - 32) < 6
