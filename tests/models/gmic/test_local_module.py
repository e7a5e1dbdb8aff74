"""Local module: a vector for each patch, attention over them, and one prediction, against the formulas."""

from typing import Literal

import pytest
import torch
from torch import Tensor

from mammoseg.models.gmic.config import LocalConfig
from mammoseg.models.gmic.local_module import LocalModule

SMALL = LocalConfig(blocks=(1, 1), widths=(4, 6), strides=(1, 2), channels_in=1)
Attention = Literal["gated", "uniform"]


def module(attention: Attention = "gated", classes: int = 2, **changes: object) -> LocalModule:
    torch.manual_seed(0)
    return LocalModule(SMALL.model_copy(update={"attention": attention, **changes}), classes).eval()


def vectors(local: LocalModule, patches_BP1ss: Tensor) -> Tensor:
    """h_k of every patch, seen alone: (B, P, C)."""
    rows = [[local.trunk(patch[None])[0].mean((1, 2)) for patch in patches] for patches in patches_BP1ss]
    return torch.stack([torch.stack(row) for row in rows])


@pytest.mark.parametrize("attention", ["gated", "uniform"])
@pytest.mark.parametrize("classes", [1, 2])
def test_patches_are_seen_one_by_one(attention: Attention, classes: int) -> None:
    local = module(attention, classes)
    patches = torch.randn(2, 3, 1, 32, 32)
    h_BPC = vectors(local, patches)
    torch.testing.assert_close(local(patches).y_patch_BPK, torch.sigmoid(h_BPC @ local.classifier.weight.T))
    assert local.classifier.bias is None


def test_gated_attention_weighs_the_vectors() -> None:
    local = module()
    assert local.attention is not None
    V, U, w = (getattr(local.attention, name).weight for name in "VUw")
    assert (V.shape, U.shape, w.shape) == ((128, 6), (128, 6), (1, 128))
    patches = torch.randn(2, 4, 1, 32, 32)
    out = local(patches)
    for b, h_PC in enumerate(vectors(local, patches)):
        scores = torch.stack([(w[0] * torch.tanh(V @ h) * torch.sigmoid(U @ h)).sum() for h in h_PC])
        alpha = scores.exp() / scores.exp().sum()
        z = sum(a * h for a, h in zip(alpha, h_PC, strict=True))
        torch.testing.assert_close(out.attention_BP[b], alpha)
        torch.testing.assert_close(out.z_BC[b], z)
        torch.testing.assert_close(out.y_BK[b], torch.sigmoid(local.classifier.weight @ z))


def test_uniform_attention_is_the_mean() -> None:
    local = module("uniform")
    patches = torch.randn(2, 4, 1, 32, 32)
    out, z_BC = local(patches), vectors(local, patches).mean(1)
    assert out.attention_BP.tolist() == [[0.25] * 4] * 2
    torch.testing.assert_close(out.z_BC, z_BC)
    torch.testing.assert_close(out.y_BK, torch.sigmoid(z_BC @ local.classifier.weight.T))
    assert {name.split(".")[0] for name, _ in local.named_parameters()} == {"trunk", "classifier"}


def test_one_patch_has_all_the_weight() -> None:
    out = module()(torch.randn(2, 1, 1, 32, 32))
    assert out.attention_BP.tolist() == [[1.0]] * 2
    torch.testing.assert_close(out.y_BK, out.y_patch_BPK[:, 0])


@pytest.mark.parametrize("attention", ["gated", "uniform"])
def test_the_order_of_patches_does_not_matter(attention: Attention) -> None:
    local = module(attention)
    patches = torch.randn(1, 4, 1, 32, 32)
    out, turned = local(patches), local(patches.flip(1))
    torch.testing.assert_close(out.attention_BP.flip(1), turned.attention_BP)
    torch.testing.assert_close(out.y_BK, turned.y_BK)
    torch.testing.assert_close(out.z_BC, turned.z_BC)


def test_three_channels_are_the_gray_one() -> None:
    local = module(channels_in=3)
    patches = torch.randn(2, 1, 1, 32, 32)
    h_BC = local.trunk(patches[:, 0].repeat(1, 3, 1, 1)).mean((-2, -1))
    torch.testing.assert_close(local(patches).z_BC, h_BC)


@pytest.mark.parametrize(
    ("blocks", "bottleneck", "trunk", "features"),
    [
        ((2, 2, 2, 2), False, 11_176_512, 512),
        ((3, 4, 6, 3), False, 21_284_672, 512),
        ((3, 4, 6, 3), True, 23_508_032, 2048),
    ],
    ids=["resnet18", "resnet34", "resnet50"],
)
def test_the_papers_trunks(blocks: tuple[int, ...], bottleneck: bool, trunk: int, features: int) -> None:
    """The vectors of ResNet-50 go to attention and classifier as wide as they are."""
    with torch.device("meta"):
        local = LocalModule(LocalConfig(blocks=blocks, bottleneck=bottleneck), 2)
        out = local(torch.empty(1, 6, 1, 256, 256))
    assert sum(p.numel() for p in local.trunk.parameters()) == trunk
    assert local.features == features
    assert out.z_BC.shape == (1, features)
    assert out.attention_BP.shape == (1, 6)
    count = sum(p.numel() for p in local.parameters()) - trunk
    assert count == 2 * 128 * features + 128 + 2 * features
