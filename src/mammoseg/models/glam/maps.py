"""The maps of both modules -> one map.

    S_l: each patch map at its place, zero outside the patches        S = (S_l + S_g) / 2

Source   The published GLAM software, where later patches overwrite earlier ones. The paper's text leaves the rule open, so
         the others it could mean can be chosen.
Note     All maps are constant over cells, so the final map is built on the grid of the patch maps (a quarter of the resolution
         in the published network): the same values as at full resolution, with a sixteenth of the memory.
Shapes   B batch | P patches | K class | H, W pixels | h, w cells of S_g | m side of a patch map | u, v fine cells
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import interpolate


class PlacedMaps(NamedTuple):
    map_BKuv: Tensor
    """S_l."""
    count_B1uv: Tensor
    """How many patches cover a cell."""


def place_patches(
    maps_BPKmm: Float[Tensor, "B P K m m"],
    corners_BP2: Int[Tensor, "B P 2"],
    patch_px: int,
    image_shape: tuple[int, int],
    overlap: str = "last",
) -> PlacedMaps:
    """S_l on the grid of patch-map cells. Where patches overlap: the `last` one chosen, the `max`, or the `mean`.

    Corners that do not fall on a cell border move to the nearest one where the patch fits.
    """
    B, P, K, m, _ = maps_BPKmm.shape
    cell_px = patch_px / m
    u, v = (round(pixels / cell_px) for pixels in image_shape)
    local_BuvK = maps_BPKmm.new_zeros(B, u, v, K)
    count_Buv1 = maps_BPKmm.new_zeros(B, u, v, 1)
    last = torch.tensor((u - m, v - m), device=maps_BPKmm.device)
    cells_BP2 = torch.minimum(torch.round(corners_BP2 / cell_px).long(), last)
    steps = torch.arange(m, device=maps_BPKmm.device)
    image_B11 = torch.arange(B, device=maps_BPKmm.device).view(-1, 1, 1)
    for p in range(P):
        at = (
            image_B11,
            (cells_BP2[:, p, 0, None] + steps).unsqueeze(-1),
            (cells_BP2[:, p, 1, None] + steps).unsqueeze(-2),
        )
        new, old = maps_BPKmm[:, p].movedim(1, -1), local_BuvK[at]
        local_BuvK[at] = new if overlap == "last" else torch.maximum(old, new) if overlap == "max" else old + new
        count_Buv1[at] += 1
    if overlap == "mean":
        local_BuvK = local_BuvK / count_Buv1.clamp(min=1)
    return PlacedMaps(local_BuvK.movedim(-1, 1), count_Buv1.movedim(-1, 1))


def combine_maps(global_BKhw: Float[Tensor, "B K h w"], local: PlacedMaps, how: str) -> Float[Tensor, "B K a b"]:
    """The final map: the `mean` of both, `global` or `local` alone, or `inside`: local in the patches, global around them."""
    if how == "global":
        return global_BKhw
    if how == "local":
        return local.map_BKuv
    global_BKuv = interpolate(global_BKhw, size=local.map_BKuv.shape[-2:], mode="nearest")
    if how == "inside":
        return torch.where(local.count_B1uv > 0, local.map_BKuv, global_BKuv)
    return (local.map_BKuv + global_BKuv) / 2
