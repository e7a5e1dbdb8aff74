"""The losses of each stage, from their terms."""

import torch

from mammoseg.models.glam.config import ObjectiveConfig
from mammoseg.models.glam.model import Glam
from mammoseg.models.glam.objective import global_losses, joint_losses, local_losses
from mammoseg.nn.contract import Batch
from mammoseg.nn.loss import any_finding, bce


def test_terms_of_both_modules(model: Glam, batch: Batch) -> None:
    out = model.eval()(batch.image_BCHW)
    config = ObjectiveConfig(global_sparsity=0.5, local_sparsity=0.25, reduction="mean")
    coarse, fine = (
        global_losses(out.global_, batch.label_BK, config),
        local_losses(out.local, batch.label_BK, config),
    )
    assert list(coarse) == ["global_bce", "global_sparsity"]
    assert list(fine) == ["local_bce", "local_sparsity"]
    torch.testing.assert_close(coarse["global_bce"], sum(bce(y, batch.label_BK) for y in out.global_.y_scales) / 3)
    mean_of_maps = sum(S.mean((0, 2, 3)).sum() for S in out.global_.scales) / 3
    torch.testing.assert_close(coarse["global_sparsity"], 0.5 * mean_of_maps)
    torch.testing.assert_close(fine["local_bce"], bce(out.local.y_BK, batch.label_BK))
    torch.testing.assert_close(fine["local_sparsity"], 0.25 * out.local.maps_BPKmm.mean((0, 1, 3, 4)).sum())


def test_the_joint_loss_adds_the_fusion_to_both_modules(model: Glam, batch: Batch) -> None:
    out = model.eval()(batch.image_BCHW)
    config = ObjectiveConfig()
    parts = global_losses(out.global_, batch.label_BK, config) | local_losses(out.local, batch.label_BK, config)
    joint = joint_losses(out.global_, out.local, out.y_fusion_BK, batch.label_BK, config)
    assert list(joint) == [*parts, "fusion_bce"]
    assert all(torch.equal(joint[name], loss) for name, loss in parts.items())
    torch.testing.assert_close(joint["fusion_bce"], bce(out.parts["fusion"], batch.label_BK))
    assert list(joint_losses(out.global_, out.local, None, batch.label_BK, config)) == list(parts)


def test_heads_with_a_map_of_any_finding_learn_it_too(where_what: Glam, batch: Batch) -> None:
    out = where_what.eval()(batch.image_BCHW)
    coarse = global_losses(out.global_, batch.label_BK, ObjectiveConfig())
    fine = local_losses(out.local, batch.label_BK, ObjectiveConfig())
    assert list(coarse) == ["global_bce", "global_sparsity", "global_finding_bce"]
    assert list(fine) == ["local_bce", "local_sparsity", "local_finding_bce"]
    of_any = any_finding(batch.label_BK)
    assert len(out.global_.y_finding_scales) == 3
    torch.testing.assert_close(
        coarse["global_finding_bce"], sum(bce(y, of_any) for y in out.global_.y_finding_scales) / 3
    )
    torch.testing.assert_close(fine["local_finding_bce"], bce(out.local.y_finding_B1, of_any))
