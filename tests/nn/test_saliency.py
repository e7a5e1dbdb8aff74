"""From features to a map and a prediction, with every head and every pooling."""

import pytest
import torch

from mammoseg.nn.pooling import top_t_pool
from mammoseg.nn.saliency import SaliencyModule, SaliencyShape

SHAPE = SaliencyShape(trunk="resnet", blocks=(1, 1), widths=(4, 6), strides=(1, 2), top_t=0.1)


def module(**changes: object) -> SaliencyModule:
    torch.manual_seed(0)
    return SaliencyModule(SHAPE.model_copy(update=changes), classes=2).eval()


def test_the_map_is_that_of_the_head_and_its_highest_cells_are_the_prediction() -> None:
    net, image = module(), torch.randn(3, 1, 96, 64)
    seen = net.see(image)
    assert torch.equal(seen.h_BDhw, net.look(image))
    torch.testing.assert_close(seen.saliency_BKhw, net.head(seen.h_BDhw).saliency_BKhw)
    torch.testing.assert_close(seen.y_BK, top_t_pool(seen.saliency_BKhw, 0.1))
    assert seen.y_finding_B1 is None


@pytest.mark.parametrize(("pooling", "t"), [("max", 1e-6), ("average", 1.0), ("top_t", 0.1)])
def test_poolings(pooling: str, t: float) -> None:
    A_BKhw = torch.rand(2, 2, 12, 8)
    torch.testing.assert_close(module(pooling=pooling).pool(A_BKhw), top_t_pool(A_BKhw, t))


def test_a_head_with_a_map_of_any_finding_predicts_one() -> None:
    seen = module(heads="where_what").see(torch.randn(3, 1, 96, 64))
    assert seen.y_finding_B1 is not None
    assert (seen.y_finding_B1 >= seen.y_BK.amax(1, keepdim=True) - 1e-6).all()
