"""The losses, against PyTorch's own and by hand."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy

from mammoseg.nn.loss import any_finding, bce, dice_loss, finding_bce, pixel_bce, sparsity

NAN = float("nan")


def test_bce_on_known_labels_is_pytorchs() -> None:
    torch.manual_seed(0)
    y = torch.rand(7, 2, requires_grad=True)
    label = torch.randint(0, 2, (7, 2)).float()
    loss, expected = bce(y, label), binary_cross_entropy(y, label, reduction="none").mean(0).sum()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(torch.autograd.grad(loss, y), torch.autograd.grad(expected, y))


def test_unknown_labels_do_not_count() -> None:
    y = torch.tensor([[0.2, 0.9], [0.6, 0.3], [0.5, 0.5]], requires_grad=True)
    label = torch.tensor([[NAN, 1.0], [1.0, NAN], [NAN, 0.0]])
    loss = bce(y, label)
    expected = -math.log(0.6) - (math.log(0.9) + math.log(0.5)) / 2  # each class over its own known labels
    assert loss.item() == pytest.approx(expected)
    loss.backward()
    assert y.grad is not None
    assert ((y.grad == 0) == label.isnan()).all()


def test_nothing_known_gives_zero() -> None:
    y = torch.tensor([[0.2, 1.0]], requires_grad=True)
    loss = bce(y, torch.full((1, 2), NAN))
    loss.backward()
    assert loss.item() == 0
    assert y.grad is not None
    assert y.grad.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("logit", [20.0, 120.0, -95.0, -120.0])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_certain_predictions_have_finite_loss_and_gradient(logit: float, label: float) -> None:
    """A sigmoid is exactly 1 from a logit of 17 on; a NaN gradient there would end training for good."""
    x = torch.full((1, 2), logit, requires_grad=True)
    loss = bce(torch.sigmoid(x), torch.full((1, 2), label))
    loss.backward()
    wrong = (logit > 0) != (label > 0)
    assert loss.item() == pytest.approx(200 if wrong else 0, abs=20 if wrong else 1e-6)
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_a_diverged_prediction_shows() -> None:
    assert bce(torch.tensor([[NAN, 0.5]]), torch.zeros(1, 2)).isnan()


def test_sparsity_by_hand() -> None:
    maps = torch.tensor(
        [[[[1.0, 2.0]], [[3.0, 4.0]]], [[[5.0, 6.0]], [[0.0, 0.0]]]]
    )  # 2 images, 2 classes, 1 x 2 cells
    assert sparsity(maps, "sum").item() == (10 + 11) / 2
    assert sparsity(maps, "mean").item() == (5 + 5.5) / 2
    assert sparsity(maps[:, None], "sum").item() == (10 + 11) / 2  # one patch each
    assert sparsity(maps[None], "sum").item() == (10 + 11) / 2  # two patches of one image: per patch


def test_pixels_are_compared_where_the_truth_is_known() -> None:
    S = torch.rand(2, 2, 5, 4, generator=torch.Generator().manual_seed(0))
    truth = (S > 0.6).float()
    per_class = binary_cross_entropy(S, truth, reduction="none").mean((0, 2, 3))
    torch.testing.assert_close(pixel_bce(S, truth), per_class.sum())
    truth[0, 1] = NAN
    expected = per_class[0] + binary_cross_entropy(S[1, 1], truth[1, 1])
    torch.testing.assert_close(pixel_bce(S, truth), expected)


def test_dice_of_a_map_with_its_own_mask_and_with_another() -> None:
    mask = torch.zeros(1, 1, 40, 40)
    mask[..., 10:30, 10:30] = 1
    assert dice_loss(mask, mask).item() == pytest.approx(0)
    assert dice_loss(1 - mask, mask).item() == pytest.approx(1, abs=0.01)
    half = mask.clone()
    half[..., 20:] = 0  # half of the lesion: 2 * 200 / (200 + 400)
    assert dice_loss(half, mask).item() == pytest.approx(1 / 3, abs=0.01)


def test_only_maps_with_a_lesion_have_a_dice() -> None:
    mask = torch.zeros(3, 1, 8, 8)
    mask[0, 0, 2:6, 2:6] = 1
    mask[2] = NAN
    S = torch.full((3, 1, 8, 8), 0.3, requires_grad=True)
    torch.testing.assert_close(dice_loss(S, mask), dice_loss(S[:1], mask[:1]))
    dice_loss(S, mask).backward()
    assert S.grad is not None
    assert (S.grad[1:] == 0).all()
    assert dice_loss(S, torch.zeros_like(mask)).item() == 0


def test_any_finding() -> None:
    nan = float("nan")
    labels = torch.tensor([[0, 0], [1, 0], [1, 1], [nan, 1], [nan, 0], [nan, nan]])
    torch.testing.assert_close(any_finding(labels), torch.tensor([[0], [1], [1], [1], [nan], [nan]]), equal_nan=True)
    torch.testing.assert_close(
        finding_bce(torch.full((6, 1), 0.25), labels),
        bce(torch.full((4, 1), 0.25), torch.tensor([[0.0], [1], [1], [1]])),
    )
