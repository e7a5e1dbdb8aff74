"""Which cells of a map show the breast.

The background of a prepared window is one value, or nearly. A displaced window was resized, which leaves values below the
background beside the breast (bicubic interpolation); a reduced or warped one has values close to it. So it is not the darkest value
but the most frequent one below the mean.

Shapes   B batch | C image channel | H, W pixels | h, w cells
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

_BINS = 64
"""Between the darkest value and the mean."""
_LEAST = 0.05
"""Share of the window that a background has at least; with less, the darkest values are taken for it."""
_WIDE = 2
"""Bins that a background may cover."""


@torch.no_grad()
def breast_cells(image_BCHW: Float[Tensor, "B C H W"], cells: tuple[int, int]) -> Bool[Tensor, "B 1 h w"]:
    """Cells of which at least half is above the background; all cells of a window where there are none."""
    image_B1HW = image_BCHW[:, :1].float()
    low_B11 = image_B1HW.amin((-3, -2, -1)).view(-1, 1, 1, 1)
    width_B11 = (image_B1HW.mean((-3, -2, -1)).view(-1, 1, 1, 1) - low_B11) / _BINS
    bins_Bn = ((image_B1HW - low_B11) / width_B11.clamp(min=1e-12)).clamp(max=_BINS).long().flatten(1)
    counts_Bm = torch.zeros(len(bins_Bn), _BINS + 1, dtype=torch.int64, device=bins_Bn.device)
    counts_Bm = counts_Bm.scatter_add(1, bins_Bn, torch.ones_like(bins_Bn))[:, :_BINS]
    most_B, fullest_B = counts_Bm.max(1)
    background_B = torch.where(most_B >= _LEAST * bins_Bn.shape[1], fullest_B, 0)
    tissue_B1HW = image_B1HW > low_B11 + (background_B.view(-1, 1, 1, 1) + _WIDE) * width_B11
    inside_B1hw = adaptive_avg_pool2d(tissue_B1HW.float(), cells) >= 0.5
    return inside_B1hw | ~inside_B1hw.any(-1, keepdim=True).any(-2, keepdim=True)
