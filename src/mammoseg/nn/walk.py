"""A classifier of patches walks over an image: where its patches lie, and how their probabilities become a heatmap.

    along an axis of n pixels, patches of side s at a nominal stride of d:    q = (n - s) // d,   r = (n - s) % d
    r = 0: q strides of d. Else q + 1 strides, d - (d - r) // (q + 1) each, of which (d - r) % (q + 1) are one pixel shorter

so that the first patch begins at 0, the last one ends at n, and neighbours are at most d apart. Which strides are the shorter ones
is the caller's choice (`Pick`). A cell of the heatmap is the mean over all patches that its centre lies in.

Source   Wu et al. 2019 (arXiv:1903.08297), the released software, which draws the shorter strides at random.
Shapes   B images | N patches | K class | R, C rows and columns of patches | s side of a patch | h, w cells
"""

from abc import abstractmethod
from collections.abc import Callable
from itertools import accumulate

import torch
from jaxtyping import Float
from torch import Tensor

from mammoseg.nn.contract import Network

Pick = Callable[[int, int], list[int]]
"""(m, k) -> k of the numbers 0 to m - 1, each once."""


class PatchNetwork(Network):
    """A network that classifies patches: what `mammoseg heatmaps` walks over an image with."""

    patch_px: int
    """Side of a patch."""
    stride_px: int
    """Nominal stride, at most a side."""

    @abstractmethod
    def of_patches(self, patches_N1ss: Tensor) -> Tensor:
        """(N, K) probabilities, float32."""


def starts(length: int, patch: int, stride: int, pick: Pick) -> list[int]:
    """First pixel of each patch along an axis. `pick` is asked only if there is a remainder.

    Raises ValueError for an axis that is shorter than a patch.
    """
    if length < patch:
        raise ValueError(f"an axis of {length} pixels holds no patch of {patch}")
    count, rest = divmod(length - patch, stride)
    if rest == 0:
        return [number * stride for number in range(count + 1)]
    strides = count + 1
    too_much = stride - rest
    steps = [stride - too_much // strides] * strides
    for number in pick(strides, too_much % strides):
        steps[number] -= 1
    return list(accumulate(steps, initial=0))


def spread(strides: int, short: int) -> list[int]:
    """The shorter ones evenly among all: a `Pick` without chance."""
    return [number * strides // short for number in range(short)]


def mean_of_patches(
    p_BKRC: Float[Tensor, "B K R C"], rows: list[int], cols: list[int], patch: int, shape: tuple[int, int], cell: int
) -> Float[Tensor, "B K h w"]:
    """The heatmap on cells of `cell` pixels of an image of `shape`: for each cell the mean over the patches its centre lies in."""
    seen_hR = _seen(rows, patch, shape[0], cell, p_BKRC)
    seen_wC = _seen(cols, patch, shape[1], cell, p_BKRC)
    over_rows_BKhC = (p_BKRC.unsqueeze(2) * seen_hR.unsqueeze(-1)).sum(3)  # no matrix product: autocast would round it
    sums_BKhw = (over_rows_BKhC.unsqueeze(3) * seen_wC).sum(4)
    return sums_BKhw / (seen_hR.sum(1)[:, None] * seen_wC.sum(1))


def _seen(starts: list[int], patch: int, length: int, cell: int, like: Tensor) -> Float[Tensor, "h R"]:
    """1 where the centre of a cell lies in a patch. The last cell may be cut off by the border."""
    cells = -(-length // cell)
    ends = [min((number + 1) * cell, length) for number in range(cells)]
    centres = torch.tensor([(number * cell + end) / 2 for number, end in enumerate(ends)], device=like.device)
    begin = torch.tensor(starts, dtype=centres.dtype, device=like.device)
    inside = (centres[:, None] >= begin) & (centres[:, None] < begin + patch)
    return inside.to(like.dtype)
