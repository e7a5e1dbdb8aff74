"""The U-Net that learns from masks. What holds for every model is in test_contract.py."""

import pytest
import torch

from mammoseg.models.unet import TINY, build, masks_step
from mammoseg.nn.contract import Batch, NoObjective


def test_it_learns_a_lesion_from_its_mask() -> None:
    """A bright square in noise, of one class: after some steps its map is there and nowhere else."""
    torch.manual_seed(0)
    model = build(TINY).train()
    image, mask = torch.randn(4, 1, 96, 64) * 0.1, torch.zeros(4, 2, 96, 64)
    for i, (row, col) in enumerate(((10, 8), (50, 20), (30, 40))):
        image[i, :, row : row + 20, col : col + 16] += 1
        mask[i, 1, row : row + 20, col : col + 16] = 1
    batch = Batch(image, mask.amax((-2, -1)), mask_BKHW=mask)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        torch.stack(list(masks_step(model, batch, NoObjective(), True).losses.values())).sum().backward()
        optimizer.step()
    out = model(image)
    assert out.y_BK[:3, 1].min() > 0.5 > out.y_BK[3].max()
    inside = out.maps["saliency"][:3, 1][mask[:3, 1, ::2, ::2] == 1]
    outside = out.maps["saliency"][:3, 1][mask[:3, 1, ::2, ::2] == 0]
    assert inside.mean() > 10 * outside.mean()


def test_it_needs_masks() -> None:
    with pytest.raises(TypeError, match="needs batches with them"):
        masks_step(build(TINY), Batch(torch.zeros(1, 1, 96, 64), torch.zeros(1, 2)), NoObjective(), True)
