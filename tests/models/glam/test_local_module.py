"""Local module: patch maps, and both ways of making one prediction of them."""

from typing import Literal

import pytest
import torch

from mammoseg.models.glam.config import LocalConfig
from mammoseg.models.glam.local_module import LocalModule
from mammoseg.nn.pooling import top_t_pool

Aggregation = Literal["attention", "concatenation"]


def module(aggregation: Aggregation, channels_in: Literal[1, 3] = 1) -> LocalModule:
    torch.manual_seed(0)
    config = LocalConfig(
        blocks=(1, 1), widths=(4, 6), strides=(1, 1), channels_in=channels_in, top_t=0.3, aggregation=aggregation
    )
    return LocalModule(config, 2).eval()


@pytest.mark.parametrize("aggregation", ["attention", "concatenation"])
def test_patches_are_seen_one_by_one(aggregation: Aggregation) -> None:
    local = module(aggregation)
    patches = torch.randn(2, 3, 1, 32, 32)
    out = local(patches)
    assert out.maps_BPKmm.shape == (2, 3, 2, 8, 8)
    for b in range(2):
        for p in range(3):
            features = local.trunk(patches[b, p : p + 1])
            torch.testing.assert_close(out.maps_BPKmm[b, p], local.head(features).saliency_BKhw[0])
            torch.testing.assert_close(out.y_patch_BPK[b, p], top_t_pool(out.maps_BPKmm[b, p, None], 0.3)[0])


def test_concatenation_pools_all_cells_together() -> None:
    out = module("concatenation")(torch.randn(2, 3, 1, 32, 32))
    n = round(0.3 * 3 * 64)
    cells = out.maps_BPKmm.transpose(1, 2).flatten(2)
    torch.testing.assert_close(out.y_BK, cells.sort(dim=-1, descending=True).values[..., :n].mean(-1))


def test_concatenation_of_one_patch_is_its_prediction() -> None:
    out = module("concatenation")(torch.randn(2, 1, 1, 32, 32))
    torch.testing.assert_close(out.y_BK, out.y_patch_BPK[:, 0])


def test_attention_weighs_patches_and_their_features() -> None:
    local = module("attention")
    patches = torch.randn(2, 3, 1, 32, 32)
    out = local(patches)
    z_BPC = local.trunk(patches.flatten(0, 1)).amax((-2, -1)).unflatten(0, (2, 3))
    assert local.attention is not None
    alpha_BP = local.attention(z_BPC)
    torch.testing.assert_close(out.y_BK, torch.einsum("bp,bpk->bk", alpha_BP, out.y_patch_BPK))
    torch.testing.assert_close(out.z_BC, torch.einsum("bp,bpc->bc", alpha_BP, z_BPC))
    torch.testing.assert_close(out.attention_BP, alpha_BP)
    assert module("concatenation")(patches).attention_BP is None


def test_certain_patches_do_not_make_more_than_certain() -> None:
    """Softmax weights can sum to 1.0000001; a probability must not, or its logarithm is undefined."""
    local = module("attention")
    torch.nn.init.zeros_(local.head.weight)
    local.head.weight.data += 1e4
    out = local(torch.randn(64, 3, 1, 16, 16))
    assert (out.y_patch_BPK == 1).any()
    assert (out.y_BK <= 1).all()


@pytest.mark.parametrize("aggregation", ["attention", "concatenation"])
def test_the_order_of_patches_does_not_matter(aggregation: Aggregation) -> None:
    local = module(aggregation)
    patches = torch.randn(1, 4, 1, 32, 32)
    out, turned = local(patches), local(patches.flip(1))
    torch.testing.assert_close(out.y_BK, turned.y_BK)
    torch.testing.assert_close(out.z_BC, turned.z_BC)


def test_three_channels_are_the_gray_one() -> None:
    local = module("attention", channels_in=3)
    patches = torch.randn(1, 1, 1, 32, 32)
    torch.testing.assert_close(
        local(patches).maps_BPKmm[0], local.head(local.trunk(patches[0].repeat(1, 3, 1, 1))).saliency_BKhw
    )
