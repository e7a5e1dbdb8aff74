"""Non-maximum suppression written out, and torchvision with it."""

import pytest
import torch

from mammoseg.nn.vision import nms, roi_align, torchvision


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


def aligned_by_hand(
    maps: torch.Tensor, roi: torch.Tensor, scale: float, cells: int, samples: int, aligned: bool
) -> torch.Tensor:
    """One region, point by point."""
    image, left, top, right, bottom = roi.tolist()
    left, top, right, bottom = (scale * at - 0.5 * aligned for at in (left, top, right, bottom))
    width, height = (max(side, 0 if aligned else 1) for side in (right - left, bottom - top))
    found = torch.zeros(maps.shape[1], cells, cells)
    for row in range(cells * samples):
        for column in range(cells * samples):
            y = top + height * (row + 0.5) / (cells * samples)
            x = left + width * (column + 0.5) / (cells * samples)
            y, x = min(max(y, 0), maps.shape[2] - 1), min(max(x, 0), maps.shape[3] - 1)
            low, near = int(y), int(x)
            high, far = min(low + 1, maps.shape[2] - 1), min(near + 1, maps.shape[3] - 1)
            of_image = maps[int(image)]
            upper = of_image[:, low, near] * (1 - x + near) + of_image[:, low, far] * (x - near)
            lower = of_image[:, high, near] * (1 - x + near) + of_image[:, high, far] * (x - near)
            found[:, row // samples, column // samples] += upper * (1 - y + low) + lower * (y - low)
    return found / samples**2


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("samples", [1, 2])
def test_regions_are_means_of_interpolated_points(samples: int, aligned: bool) -> None:
    torch.manual_seed(0)
    maps = torch.randn(3, 2, 9, 7, requires_grad=True)
    corner = torch.rand(8, 2) * torch.tensor([40.0, 60.0])
    end = torch.minimum(corner + 0.5 + torch.rand(8, 2) * 40, torch.tensor([56.0, 72.0]))
    rois = torch.cat(
        [torch.tensor([0, 2, 2, 0, 2, 0, 0, 2.0])[:, None], corner, end], dim=1
    )  # none in the second image
    pooled = roi_align(maps, rois, 0.125, 3, 3, samples, aligned)
    by_points = torch.stack([aligned_by_hand(maps, roi, 0.125, 3, samples, aligned) for roi in rois])
    torch.testing.assert_close(pooled, by_points, atol=1e-4, rtol=1e-4)
    [ours] = torch.autograd.grad(pooled.square().sum(), maps, retain_graph=True)
    [theirs] = torch.autograd.grad(by_points.square().sum(), maps)
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-3)
    with pytest.raises(ValueError, match="sampled 0 times"):
        roi_align(maps, rois, 0.125, 3, 3, 0, aligned)


def test_no_regions() -> None:
    assert roi_align(torch.randn(1, 2, 9, 7), torch.zeros(0, 5), 0.125, 3, 3, 2, False).shape == (0, 2, 3, 3)
