"""Fusion: what both modules saw -> one prediction; both maps -> one map.

    y = sigmoid(W [z_g, z_l] + b),        S = (S_l + S_g) / 2

Source   Shen et al. 2021 (arXiv:2002.07613), eq. 11, for the prediction; the published GLAM software for the map, where S_l is
         zero outside the patches and later patches overwrite earlier ones.
Note     All maps are constant over cells, so the final map is built on the grid of the patch maps (a quarter of the resolution
         in the published network): the same values as at full resolution, with a sixteenth of the memory.
Shapes   B batch | P patches | K class | C channels | H, W pixels | h, w cells of S_g | m side of a patch map | u, v fine cells
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import interpolate


class Fusion(nn.Module):
    def __init__(self, global_features: int, local_features: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(global_features + local_features, classes)

    def forward(self, z_global_BC: Float[Tensor, "B C"], z_local_BD: Float[Tensor, "B D"]) -> Float[Tensor, "B K"]:
        return torch.sigmoid(self.linear(torch.cat([z_global_BC.float(), z_local_BD.float()], dim=1)).float())


def place_patches(
    maps_BPKmm: Float[Tensor, "B P K m m"],
    corners_BP2: Int[Tensor, "B P 2"],
    patch_px: int,
    image_shape: tuple[int, int],
) -> Float[Tensor, "B K u v"]:
    """S_l: the patch maps at their places on the grid of patch-map cells, zero elsewhere; later patches overwrite earlier.

    Corners that do not fall on a cell border move to the nearest one where the patch fits.
    """
    B, P, K, m, _ = maps_BPKmm.shape
    cell_px = patch_px / m
    u, v = (round(pixels / cell_px) for pixels in image_shape)
    local_BKuv = maps_BPKmm.new_zeros(B, K, u, v)
    last = torch.tensor((u - m, v - m), device=maps_BPKmm.device)
    cells_BP2 = torch.minimum(torch.round(corners_BP2 / cell_px).long(), last)
    steps = torch.arange(m, device=maps_BPKmm.device)
    image_B11 = torch.arange(B, device=maps_BPKmm.device).view(-1, 1, 1)
    for p in range(P):
        rows_Bm1 = (cells_BP2[:, p, 0, None] + steps).unsqueeze(-1)
        cols_B1m = (cells_BP2[:, p, 1, None] + steps).unsqueeze(-2)
        local_BKuv.movedim(1, -1)[image_B11, rows_Bm1, cols_B1m] = maps_BPKmm[:, p].movedim(1, -1)
    return local_BKuv


def combine_maps(
    global_BKhw: Float[Tensor, "B K h w"], local_BKuv: Float[Tensor, "B K u v"], how: str
) -> Float[Tensor, "B K a b"]:
    """The final map: the `mean` of both, or `global` or `local` alone."""
    if how == "global":
        return global_BKhw
    if how == "local":
        return local_BKuv
    return (local_BKuv + interpolate(global_BKhw, size=local_BKuv.shape[-2:], mode="nearest")) / 2
