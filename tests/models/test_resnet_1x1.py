"""The 1x1 convolution in the place of the last layer: GMIC's map and prediction, and their loss."""

import pytest
import torch

from mammoseg.models.resnet_1x1 import TINY, ObjectiveConfig, ResNet1x1, step
from mammoseg.nn.contract import Batch
from mammoseg.nn.loss import bce
from mammoseg.nn.pooling import top_t_pool

IMAGE = torch.randn(3, 1, 96, 64, generator=torch.Generator().manual_seed(1))
LABEL = torch.tensor([[0.0, 1.0], [1.0, torch.nan], [0.0, 0.0]])


def model(**changes: object) -> ResNet1x1:
    torch.manual_seed(0)
    return ResNet1x1(TINY.model_copy(update=changes)).eval()


def test_map_and_prediction() -> None:
    net = model(top_t=0.1)
    out = net(IMAGE)
    weight_KD = net.head.weight[:, :, 0, 0]  # type: ignore[union-attr, index]
    A_BKhw = torch.sigmoid(torch.einsum("kd,bdhw->bkhw", weight_KD, net.look(IMAGE)))
    torch.testing.assert_close(out.maps["saliency"], A_BKhw)
    torch.testing.assert_close(out.y_BK, top_t_pool(A_BKhw, 0.1))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_loss(reduction: str) -> None:
    net = model()
    losses = step(net, Batch(IMAGE, LABEL), ObjectiveConfig(sparsity=0.5, reduction=reduction), False).losses
    out = net(IMAGE)
    A_BKn = out.maps["saliency"].flatten(2)
    penalty = A_BKn.sum((1, 2)) if reduction == "sum" else A_BKn.mean(2).sum(1)
    torch.testing.assert_close(losses["bce"], bce(out.y_BK, LABEL))
    torch.testing.assert_close(losses["sparsity"], 0.5 * penalty.mean())
    assert losses.keys() == {"bce", "sparsity"}


def test_a_head_with_a_map_of_any_finding_learns_it() -> None:
    losses = step(model(heads="where_what"), Batch(IMAGE, LABEL), ObjectiveConfig(), True).losses
    assert losses.keys() == {"bce", "sparsity", "finding_bce"}


def test_three_channels() -> None:
    assert model(channels_in=3)(IMAGE).maps["saliency"].shape == (3, 2, 12, 8)
