"""The convergence index: high in the middle of what is bright, whatever its contrast and wherever it lies."""

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from mammoseg.nn.convergence import RADII, convergence


def lump(row: int, column: int, radius: float = 10.0, noise: float = 0.05) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(120.0), torch.arange(90.0), indexing="ij")
    bright = torch.sigmoid((radius - torch.hypot(rows - row, columns - column)) / 1.5)
    return (bright + noise * torch.randn(120, 90, generator=torch.Generator().manual_seed(0)))[None, None]


def by_opencv(image_HW: NDArray[np.float32]) -> NDArray[np.float32]:
    """With the filters of a library."""
    smooth = cv2.GaussianBlur(image_HW, (0, 0), 1.5)
    gx, gy = (cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=1 / 8) for dx in (1, 0))
    length = np.hypot(gx, gy)
    length += np.median(length[length > 0])
    best = np.full(image_HW.shape, -1, np.float32)
    for radius in RADII:
        dy, dx = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
        d = np.hypot(dy, dx)
        ring = (d <= radius) & (d >= 0.4 * radius)
        weight = ring / (np.maximum(d, 1) * ring.sum())
        pointing = [cv2.filter2D(g / length, cv2.CV_32F, -to * weight) for g, to in ((gx, dx), (gy, dy))]
        best = np.maximum(best, pointing[0] + pointing[1])
    return best


@pytest.mark.parametrize("shape", [(120, 90), (40, 17), (12, 9)])
def test_as_with_the_filters_of_a_library(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
    image[:, : shape[1] // 3] = 0  # flat: no part of the median
    ours = convergence(torch.from_numpy(image)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(ours, by_opencv(image), atol=1e-5)


def test_it_is_high_in_the_middle_of_a_lump() -> None:
    C = convergence(lump(50, 40))
    assert C[0, 0, 50, 40] > 0.5
    assert C.abs().max() <= 1
    assert convergence(-lump(50, 40))[0, 0, 50, 40] < 0, "dark in its middle"


def test_contrast_does_not_count() -> None:
    torch.testing.assert_close(convergence(7 * lump(50, 40) + 3), convergence(lump(50, 40)), atol=1e-4, rtol=0)


def test_images_of_a_batch_do_not_know_each_other() -> None:
    one, other = lump(50, 40), 5 * lump(20, 70)
    torch.testing.assert_close(convergence(torch.cat([one, other])), torch.cat([convergence(one), convergence(other)]))


def test_a_flat_image_converges_nowhere() -> None:
    assert not convergence(torch.full((2, 1, 30, 20), 7.0)).any()


def test_mixed_precision_changes_nothing() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        C = convergence(lump(50, 40))
    assert torch.equal(C, convergence(lump(50, 40)))
