"""The maps of both modules -> one map.

    S_l: each patch map at its place, zero outside the patches        S = (S_l + S_g) / 2

Source   The published GLAM software, where later patches overwrite earlier ones.
Note     All maps are constant over cells, so the final map is built on the grid of the patch maps (a quarter of the resolution
         in the published network): the same values as at full resolution, with a sixteenth of the memory.
Shapes   B batch | P patches | K class | H, W pixels | h, w cells of S_g | m side of a patch map | u, v fine cells
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import interpolate


def place_patches(
    maps_BPKmm: Float[Tensor, "B P K m m"],
    corners_BP2: Int[Tensor, "B P 2"],
    patch_px: int,
    image_shape: tuple[int, int],
) -> Float[Tensor, "B K u v"]:
    """S_l on the grid of patch-map cells. Where patches overlap, it is that of the last one chosen.

    Corners that do not fall on a cell border move to the nearest one where the patch fits.
    """
    B, P, K, m, _ = maps_BPKmm.shape
    cell_px = patch_px / m
    u, v = (round(pixels / cell_px) for pixels in image_shape)
    local_BuvK = maps_BPKmm.new_zeros(B, u, v, K)
    last = torch.tensor((u - m, v - m), device=maps_BPKmm.device)
    cells_BP2 = torch.minimum(torch.round(corners_BP2 / cell_px).long(), last)
    steps = torch.arange(m, device=maps_BPKmm.device)
    image_B11 = torch.arange(B, device=maps_BPKmm.device).view(-1, 1, 1)
    for p in range(P):
        rows_Bm1 = (cells_BP2[:, p, 0, None] + steps).unsqueeze(-1)
        cols_B1m = (cells_BP2[:, p, 1, None] + steps).unsqueeze(-2)
        local_BuvK[image_B11, rows_Bm1, cols_B1m] = maps_BPKmm[:, p].movedim(1, -1)
    return local_BuvK.movedim(-1, 1)


def combine_maps(
    global_BKhw: Float[Tensor, "B K h w"], local_BKuv: Float[Tensor, "B K u v"], how: str
) -> Float[Tensor, "B K a b"]:
    """The map of both modules: `global` or `local` alone, else their mean, which is also what a student learns from."""
    if how == "global":
        return global_BKhw
    if how == "local":
        return local_BKuv
    return (local_BKuv + interpolate(global_BKhw, size=local_BKuv.shape[-2:], mode="nearest")) / 2
