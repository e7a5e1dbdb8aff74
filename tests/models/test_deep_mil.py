"""Deep MIL: the prediction is the highest place, and what the schemes tell the others."""

import torch

from mammoseg.models.deep_mil import TINY, DeepMil, ObjectiveConfig, assigned_bce, step
from mammoseg.nn.contract import Batch
from mammoseg.nn.loss import bce

IMAGE = torch.randn(3, 1, 96, 64, generator=torch.Generator().manual_seed(1))
LABEL = torch.tensor([[0.0, 1.0], [1.0, torch.nan], [0.0, 0.0]])


def model(**changes: object) -> DeepMil:
    torch.manual_seed(0)
    return DeepMil(TINY.model_copy(update=changes)).eval()


def losses(scheme: str, **changes: object) -> dict[str, torch.Tensor]:
    objective = ObjectiveConfig.model_validate({"scheme": scheme, **changes})
    return dict(step(model(), Batch(IMAGE, LABEL), objective, False).losses)


def test_the_highest_place_is_the_prediction() -> None:
    out = model(channels_in=3)(IMAGE)
    assert torch.equal(out.y_BK, out.maps["saliency"].flatten(2).max(-1).values)


def test_max_and_sparse() -> None:
    out = model()(IMAGE)
    assert losses("max").keys() == {"bce"}
    torch.testing.assert_close(losses("max")["bce"], bce(out.y_BK, LABEL))
    sparse = losses("sparse", sparsity=0.5)
    torch.testing.assert_close(sparse["bce"], bce(out.y_BK, LABEL))
    torch.testing.assert_close(sparse["sparsity"], 0.5 * out.maps["saliency"].sum((1, 2, 3)).mean())


def test_label_assignment_tells_every_place() -> None:
    assert losses("label_assignment").keys() == {"assigned_bce"}


def test_label_assignment_by_hand() -> None:
    r_BKhw = torch.tensor([0.1, 0.9, 0.6, 0.2]).view(1, 1, 2, 2)
    log = torch.log
    present, absent = (assigned_bce(r_BKhw, torch.tensor([[label]]), 0.5) for label in (1.0, 0.0))
    torch.testing.assert_close(present, -(log(r_BKhw.flatten()[1:3]).sum() + log(torch.tensor([0.9, 0.8])).sum()) / 4)
    torch.testing.assert_close(absent, -log(1 - r_BKhw).mean())


def test_places_of_an_unknown_label_do_not_count() -> None:
    r_BKhw = torch.rand(2, 1, 4, 3, generator=torch.Generator().manual_seed(0))
    unknown = torch.tensor([[1.0], [torch.nan]])
    torch.testing.assert_close(assigned_bce(r_BKhw, unknown, 0.2), assigned_bce(r_BKhw[:1], unknown[:1], 0.2))
    assert assigned_bce(r_BKhw, unknown * torch.nan, 0.2) == 0


def test_one_place_at_least_is_assigned() -> None:
    r_BKhw = torch.full((1, 1, 2, 2), 0.5)
    r_BKhw[0, 0, 0, 0] = 0.9
    few = assigned_bce(r_BKhw, torch.ones(1, 1), 0.01)
    torch.testing.assert_close(few, -(torch.log(torch.tensor([0.9, 0.5, 0.5, 0.5]))).mean())
