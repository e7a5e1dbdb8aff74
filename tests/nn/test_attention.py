"""Gated attention: the formula, and what must hold of its weights."""

import pytest
import torch

from mammoseg.nn.attention import GatedAttention


@pytest.fixture
def attention() -> GatedAttention:
    torch.manual_seed(0)
    return GatedAttention(6, hidden=5)


def test_formula(attention: GatedAttention) -> None:
    z_BPC = torch.randn(2, 3, 6)
    V, U, w = attention.V.weight, attention.U.weight, attention.w.weight
    for z_PC, alpha_P in zip(z_BPC, attention(z_BPC), strict=True):
        scores = torch.stack([(w * (torch.tanh(V @ z) * torch.sigmoid(U @ z))).sum() for z in z_PC])
        torch.testing.assert_close(alpha_P, scores.exp() / scores.exp().sum())


def test_weights_sum_to_one_and_follow_the_patches(attention: GatedAttention) -> None:
    z_BPC = 10 * torch.randn(4, 5, 6)
    alpha_BP = attention(z_BPC)
    assert (alpha_BP >= 0).all()
    torch.testing.assert_close(alpha_BP.sum(1), torch.ones(4))
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(attention(z_BPC[:, order]), alpha_BP[:, order])


def test_equal_patches_weigh_the_same(attention: GatedAttention) -> None:
    torch.testing.assert_close(attention(torch.randn(2, 1, 6).expand(-1, 4, -1)), torch.full((2, 4), 0.25))


def test_a_single_patch_has_all_the_weight(attention: GatedAttention) -> None:
    assert attention(torch.randn(3, 1, 6)).tolist() == [[1.0]] * 3
