"""The loss, eq. 12-13 by hand."""

import math
from collections.abc import Callable
from typing import Literal

import pytest
import torch
from torch import Tensor

from mammoseg.models.gmic.config import ObjectiveConfig
from mammoseg.models.gmic.global_module import GlobalOutput
from mammoseg.models.gmic.local_module import LocalOutput
from mammoseg.models.gmic.model import Gmic, GmicOutput
from mammoseg.models.gmic.objective import joint_losses
from mammoseg.nn.contract import Batch, Patches

SALIENCY = torch.tensor(
    [[[[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.5], [0.5, 0.5]]], [[[0.0, 1.0], [0.0, 0.0]], [[0.2, 0.2], [0.0, 0.0]]]]
)
LABELS = torch.tensor([[1.0, 0.0], [0.0, float("nan")]])


def output() -> GmicOutput:
    """Two images, two classes, maps of 2 x 2 cells."""
    coarse = GlobalOutput(SALIENCY, torch.tensor([[0.9, 0.2], [0.3, 0.6]]), torch.zeros(2, 3))
    y_local = torch.tensor([[0.8, 0.1], [0.4, 0.7]])
    fine = LocalOutput(torch.zeros(2, 1, 2), y_local, torch.zeros(2, 5), torch.ones(2, 1))
    y_fusion = torch.tensor([[0.7, 0.3], [0.5, 0.8]])
    patches = Patches(torch.zeros(2, 1, 2).long(), 8, fine.y_patch_BPK)
    return GmicOutput(y_fusion, coarse, fine, y_fusion, patches)


def by_hand(right: list[list[float]]) -> float:
    """-log of the probability given to the truth: per class its mean over images with a label, then the sum."""
    return sum(-sum(map(math.log, of_class)) / len(of_class) for of_class in right)


@pytest.mark.parametrize(
    ("reduction", "norms"),
    [("sum", [1.0 + 2.0, 1.0 + 0.4]), ("mean", [0.25 + 0.5, 0.25 + 0.1])],
)
def test_by_hand(reduction: Literal["sum", "mean"], norms: list[float]) -> None:
    losses = joint_losses(output(), LABELS, ObjectiveConfig(sparsity=0.01, reduction=reduction))
    assert {name: pytest.approx(loss.item(), rel=1e-5) for name, loss in losses.items()} == {
        "global_bce": by_hand([[0.9, 0.7], [0.8]]),
        "local_bce": by_hand([[0.8, 0.6], [0.9]]),
        "fusion_bce": by_hand([[0.7, 0.5], [0.7]]),
        "sparsity": 0.01 * sum(norms) / 2,
    }


def test_every_prediction_has_its_own_gradient(build: Callable[..., Gmic], batch: Batch) -> None:
    out = build()(batch.image_BCHW)
    own: dict[str, Tensor] = {
        "global_bce": out.global_.y_BK,
        "local_bce": out.local.y_BK,
        "fusion_bce": out.y_fusion_BK,
        "sparsity": out.global_.saliency_BKhw,
    }
    losses = joint_losses(out, batch.label_BK, ObjectiveConfig(sparsity=1.0))
    assert list(losses) == list(own)
    for name, value in own.items():
        [gradient] = torch.autograd.grad(losses[name], value, retain_graph=True)
        assert gradient.abs().sum() > 0, name


def test_one_class() -> None:
    out = output()
    coarse = out.global_._replace(saliency_BKhw=SALIENCY[:, 1:], y_BK=out.global_.y_BK[:, 1:])
    fine = out.local._replace(y_BK=out.local.y_BK[:, 1:])
    out = out._replace(global_=coarse, local=fine, y_fusion_BK=out.y_fusion_BK[:, 1:])
    losses = joint_losses(out, LABELS[:, 1:], ObjectiveConfig(sparsity=1))
    assert losses["global_bce"].item() == pytest.approx(-math.log(0.8))
    assert losses["sparsity"].item() == pytest.approx((2.0 + 0.4) / 2)
