"""Which patches are drawn, and what they are."""

import pytest
import torch
from torch import Tensor

from mammoseg.models.patch_densenet.draws import UNKNOWN, draw_patches, with_boxes

NAN = torch.nan


def masks() -> Tensor:
    """Four windows of 60 x 50: a malignant lesion at the border, both kinds, none, and nothing known."""
    mask = torch.zeros(4, 2, 60, 50)
    mask[0, 1, 0:4, 20:30] = 1
    mask[1, 0, 40:44, 40:44] = 1
    mask[1, 1, 10:20, 10:20] = 1
    mask[3] = NAN
    return mask


LABELS = torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [NAN, NAN]])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_half_are_centred_in_a_lesion_where_there_is_one() -> None:
    corners, targets = draw_patches(masks(), LABELS, 16, 40, 0.5, seeded())
    assert corners.shape == (4, 40, 2)
    assert ((corners >= 0) & (corners <= torch.tensor((44, 34)))).all(), "inside the window"
    assert set(targets[0, :20].tolist()) == {0}, "malignant is output 0"
    assert set(targets[1, :20].tolist()) == {0, 1}
    for (row, col), target in zip(corners[:2, :20].flatten(0, 1).tolist(), targets[:2, :20].flatten(), strict=True):
        image = 0 if row == 0 else 1
        inside = masks()[image, 1 - int(target), row : row + 16, col : col + 16]
        assert inside.any()
    rows, cols = corners[0, :20].T
    assert set(rows.tolist()) == {0}, "moved into the window"
    assert 12 <= cols.min() <= cols.max() <= 21


def test_others_show_no_lesion() -> None:
    corners, targets = draw_patches(masks(), LABELS, 16, 60, 0.5, seeded())
    assert set(targets[2].tolist()) == {3}, "of an image without a lesion"
    assert set(targets[3].tolist()) == {UNKNOWN}
    assert set(targets[1, 30:].tolist()) == {2, UNKNOWN}
    for (row, col), target in zip(corners[1, 30:].tolist(), targets[1, 30:].tolist(), strict=True):
        shows = bool(masks()[1, :, row : row + 16, col : col + 16].any())
        assert (target == UNKNOWN) == shows


def test_a_class_of_which_nothing_is_known_leaves_the_lesions_of_another() -> None:
    mask = masks()[:1]
    mask[0, 0] = NAN
    _, targets = draw_patches(mask, LABELS[:1], 16, 8, 0.5, seeded())
    assert targets.tolist() == [[0] * 4 + [UNKNOWN] * 4]


def test_draws_follow_from_the_generator() -> None:
    first, again, other = (draw_patches(masks(), LABELS, 16, 8, 0.5, seeded(n))[0] for n in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_boxes_stand_for_masks_that_are_not_there() -> None:
    mask = torch.full((3, 2, 20, 20), NAN)
    mask[1] = 0
    boxes = ({"malignant": ((2.4, 3.0, 6.0, 30.0),)}, {"benign": ((0.0, 0.0, 9.0, 9.0),)}, {"benign": ()})
    found = with_boxes(mask, boxes, ("benign", "malignant"))
    assert found[0, 1].nonzero().tolist() == [[row, col] for row in range(2, 6) for col in range(3, 20)]
    assert found[0, 0].isnan().all()
    assert torch.equal(found[1], mask[1]), "a mask counts, and not the box"
    assert found[2].isnan().all()
    assert mask[0].isnan().all(), "the batch stays as it is"
    assert with_boxes(mask, None, ("benign", "malignant")) is mask


@pytest.mark.parametrize("lesions", [0.0, 1.0])
def test_share_of_lesion_patches(lesions: float) -> None:
    _, targets = draw_patches(masks()[:1], LABELS[:1], 16, 30, lesions, seeded())
    assert (targets == 0).all().item() == (lesions == 1.0)
    assert (targets == 0).any().item() == (lesions == 1.0)
