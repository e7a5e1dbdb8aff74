"""Non-maximum suppression written out, and torchvision with it."""

import pytest
import torch

from mammoseg.nn.vision import nms, torchvision


def overlap(one: torch.Tensor, other: torch.Tensor) -> float:
    """Intersection over union."""
    a, b, c, d = one.tolist()
    left, top, right, bottom = other.tolist()
    both = max(0.0, min(c, right) - max(a, left)) * max(0.0, min(d, bottom) - max(b, top))
    return both / ((c - a) * (d - b) + (right - left) * (bottom - top) - both)


def by_hand(boxes: torch.Tensor, scores: torch.Tensor, threshold: float) -> list[int]:
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i].item()):
        if all(overlap(boxes[i], boxes[j]) <= threshold for j in kept):
            kept.append(i)
    return kept


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_what_overlaps_a_higher_one_is_left_out(threshold: float) -> None:
    torch.manual_seed(0)
    corner = torch.rand(60, 2) * 20
    boxes, scores = torch.cat([corner, corner + 1 + torch.rand(60, 2) * 10], dim=1), torch.rand(60)
    assert nms(boxes, scores, threshold).tolist() == by_hand(boxes, scores, threshold)


def test_of_none_there_is_none() -> None:
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).shape == (0,)


def test_torchvision_pools_a_region() -> None:
    """With or without its compiled operators: the mean of a ramp over a box is its value in the middle."""
    pytest.importorskip("torchvision.version")
    ramp = torch.arange(16.0).expand(1, 1, 16, 16).clone().requires_grad_()
    pooled = torchvision().ops.roi_align(ramp, [torch.tensor([[4.0, 4.0, 12.0, 12.0]])], 2, sampling_ratio=2)
    torch.testing.assert_close(pooled[0, 0], torch.tensor([[6.0, 10.0], [6.0, 10.0]]))
    pooled.sum().backward()
    assert ramp.grad is not None
    assert ramp.grad.sum() == pytest.approx(4)
