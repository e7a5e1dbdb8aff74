"""Fusion of both modules' features, by hand."""

import torch

from mammoseg.nn.fusion import Fusion


def test_prediction() -> None:
    fusion = Fusion(3, 2, 2)
    z_g, z_l = torch.randn(4, 3), torch.randn(4, 2)
    expected = torch.sigmoid(torch.hstack([z_g, z_l]) @ fusion.linear.weight.T + fusion.linear.bias)
    torch.testing.assert_close(fusion(z_g, z_l), expected)
