"""Which cells show the breast."""

from pathlib import Path

import pytest
import torch

from mammoseg.data.cache import CropCache
from mammoseg.data.dataset import WindowDataset
from mammoseg.data.manifest import Manifest
from mammoseg.data.warp import WarpConfig
from mammoseg.nn.equivariance import twin_of
from mammoseg.nn.tissue import breast_cells
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.window import WindowNoise


def test_cells_of_which_half_is_tissue_are_breast() -> None:
    image = torch.full((1, 1, 8, 8), -1.5)  # the background of a normalised window is not 0
    image[..., :4, :4] = torch.linspace(0, 1, 16).view(4, 4)
    image[..., 4:6, :4] = 0.2  # half of a cell
    image[..., :3, 4:5] = 0.2  # less than half
    assert breast_cells(image, (2, 2)).tolist() == [[[[True, False], [True, False]]]]


def test_each_window_has_its_own_background() -> None:
    image = torch.zeros(2, 2, 4, 4)
    image[0, 0, :2] = 1
    image[1, 0] = 5
    image[1, 0, :2] = 7
    image[:, 1] = torch.rand(4, 4)  # further channels do not count
    assert torch.equal(breast_cells(image, (2, 2))[0], breast_cells(image, (2, 2))[1])


def test_a_window_without_a_breast_counts_whole() -> None:
    assert breast_cells(torch.full((1, 1, 4, 4), 0.3), (2, 2)).all()


@pytest.mark.parametrize("step", ["bicubic", "reduced", "noise", "warp"])
def test_training_windows_have_the_breast_of_the_window_itself(
    phantom_study: Manifest, tmp_path: Path, step: str
) -> None:
    """Resizing leaves values below the background beside the breast, and others that are nearly the background."""
    cache = CropCache(tmp_path, PrepConfig(window=(192, 128), pixel_mm=1.12, opening_px=6, buffer_px=3))
    rows = list(phantom_study.rows())[:8]
    noise = WindowNoise((0, 0), 6) if step in ("bicubic", "reduced") else None
    warp = WarpConfig(flip=False, rotation_deg=0, shift=0, scale=(1, 1), shear_deg=0) if step == "noise" else None
    if step == "warp":
        warp = WarpConfig(shift=0.02, scale=(0.95, 1.05), shear_deg=5, noise=0)
    plain, changed = (WindowDataset(rows, cache, noise, warp=warp) for noise, warp in ((None, None), (noise, warp)))
    for index in range(len(rows)):
        image = plain.sample(index, 0).image_CHW[None]
        other = changed.sample(index, 0).image_CHW[None]
        if step == "reduced":
            other = twin_of(other).image_BCHW
        shares = [breast_cells(of, (24, 16)).float().mean().item() for of in (image, other)]
        assert shares[1] == pytest.approx(shares[0], abs=0.08)
        assert shares[0] < 0.85


def test_a_window_that_is_all_breast_counts_nearly_whole() -> None:
    torch.manual_seed(0)
    assert breast_cells(torch.randn(2, 1, 64, 64).abs(), (8, 8)).float().mean() > 0.9
