"""Top-t% pooling: from a saliency map to an image-level probability.

    y[b,k] = mean of the n largest values of S[b,k,:,:],   n = max(1, round(t * cells)),   cells = h * w or those given

Source   Shen et al. 2021 (arXiv:2002.07613), Sec. 2.1; Liu et al. 2021 (arXiv:2106.07049), Fig. 2.
Deviates Plain rounding gives n = 0 on a very small map, whose mean is undefined; ours keeps one cell.
Shapes   B batch | K class (0 benign, 1 malignant) | h, w saliency cells
Units    S and y are probabilities in [0, 1]. t is a fraction: 0.03 means 3 %.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def top_t_pool(
    S_BKhw: Float[Tensor, "B K h w"], t: float, cells_B1hw: Bool[Tensor, "B 1 h w"] | None = None
) -> Float[Tensor, "B K"]:
    """Mean of the top fraction `t` of each map, or of its given `cells` (outside of them it must be 0). Rounds half to even, as
    the papers' software does."""
    if not 0 < t <= 1:
        raise ValueError(f"t must be a fraction in (0, 1], got {t}. For 3 % write t=0.03, not t=3.")
    S_BKn = S_BKhw.flatten(2)
    if cells_B1hw is not None:
        n_B = (t * cells_B1hw.flatten(1).sum(1)).round().clamp(min=1)
        largest_BKn = S_BKn.topk(max(1, round(t * S_BKn.shape[-1])), dim=-1).values
        counts_B1n = torch.arange(largest_BKn.shape[-1], device=S_BKhw.device) < n_B.view(-1, 1, 1)
        return (largest_BKn * counts_B1n).sum(-1) / n_B.unsqueeze(-1)
    n = max(1, round(t * S_BKn.shape[-1]))
    return S_BKn.topk(n, dim=-1, sorted=False).values.mean(-1)
