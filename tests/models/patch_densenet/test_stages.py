"""How the patch classifier learns."""

import pytest
import torch

from mammoseg.models.patch_densenet.config import TINY, ObjectiveConfig
from mammoseg.models.patch_densenet.model import PatchDenseNet
from mammoseg.models.patch_densenet.stages import LEARNING, patches_step
from mammoseg.nn.contract import Batch


def bright_squares() -> Batch:
    """Bright ones are malignant, dark ones benign; the fourth image has none."""
    torch.manual_seed(0)
    image, mask = torch.randn(4, 1, 96, 64) * 0.1, torch.zeros(4, 2, 96, 64)
    for i, (row, col, k) in enumerate(((10, 8, 1), (50, 20, 0), (30, 40, 1))):
        image[i, :, row : row + 16, col : col + 16] += 2 * k - 1
        mask[i, k, row : row + 16, col : col + 16] = 1
    return Batch(image, mask.amax((-2, -1)), mask_BKHW=mask)


def test_it_learns_what_is_in_the_middle_of_a_patch() -> None:
    batch = bright_squares()
    model = PatchDenseNet(TINY).train()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(80):
        optimizer.zero_grad()
        patches_step(model, batch, ObjectiveConfig(), True).losses["patch_ce"].backward()
        optimizer.step()
    with torch.inference_mode():
        out = patches_step(model.eval(), batch, ObjectiveConfig(), False)
    right, wrong = out.y_BK[[0, 1, 2], [1, 0, 1]], out.y_BK[[0, 1, 2], [0, 1, 0]]
    assert right.min() > wrong.max()
    assert out.y_BK[3].max() < right.min()
    for i, k in ((0, 1), (1, 0), (2, 1)):
        peak = int(out.saliency_BKhw[i, k].argmax())
        row, col = (2 * cell for cell in divmod(peak, out.saliency_BKhw.shape[-1]))
        assert batch.mask_BKHW is not None
        assert batch.mask_BKHW[i, k, max(0, row - 8) : row + 8, max(0, col - 8) : col + 8].any()


def test_validation_sees_the_same_patches_every_time() -> None:
    model, batch = PatchDenseNet(TINY).eval(), bright_squares()
    first, again = (patches_step(model, batch, ObjectiveConfig(), False).losses["patch_ce"] for _ in range(2))
    assert torch.equal(first, again)


def test_nothing_is_learned_where_nothing_is_known() -> None:
    model, batch = PatchDenseNet(TINY).train(), bright_squares()
    unknown = batch._replace(mask_BKHW=torch.full((4, 2, 96, 64), torch.nan))
    out = patches_step(model, unknown, ObjectiveConfig(), True)
    out.losses["patch_ce"].backward()
    assert out.losses["patch_ce"] == 0
    assert all(p.grad is None or not p.grad.any() for p in model.parameters())


def test_it_needs_masks() -> None:
    with pytest.raises(TypeError, match="needs batches with them"):
        patches_step(PatchDenseNet(TINY), Batch(torch.zeros(1, 1, 96, 64), torch.zeros(1, 2)), ObjectiveConfig(), True)


def test_a_patch_larger_than_the_window_is_told() -> None:
    assert LEARNING.misfit(TINY, None, (96, 64)) is None
    assert "patch_px is 16" in str(LEARNING.misfit(TINY, None, (96, 12)))
