"""Which cells of a map show the breast.

Shapes   B batch | C image channel | H, W pixels | h, w cells
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d


@torch.no_grad()
def breast_cells(image_BCHW: Float[Tensor, "B C H W"], cells: tuple[int, int]) -> Bool[Tensor, "B 1 h w"]:
    """Cells of which at least half is above the darkest value of the window, which is that of the background; all cells of a
    window where there are none."""
    image_B1HW = image_BCHW[:, :1]
    tissue_B1HW = image_B1HW > image_B1HW.amin((-2, -1), keepdim=True)
    inside_B1hw = adaptive_avg_pool2d(tissue_B1HW.float(), cells) >= 0.5
    return inside_B1hw | ~inside_B1hw.any(-1, keepdim=True).any(-2, keepdim=True)
