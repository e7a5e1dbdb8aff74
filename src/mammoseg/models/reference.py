"""References that learn nothing: what a number is worth that a network reaches. Every kind has one map for all classes.

    random        S(x), y      uniform in [0, 1], from the pixels of the image themselves: the same image has the same in every run
    brightness    S = squash((m(x) - m) / s)            m(x) mean of the breast in a disc around x; m, s of the whole breast
    contrast      S = squash((m(x) - ring(x)) / s)      ring(x) mean of the breast around the disc, up to twice its radius; the
                                                        largest over three radii
    convergence   S = max(C(x), 0)                      nn/convergence.py: towards x it grows brighter from all sides
    y = largest S,   squash(z) = max(z, 0) / (1 + max(z, 0)),   S = 0 beside the breast (nn/tissue.py), but for `random`

Scores and maps are ranks: they order images and places, and are not probabilities.

Source   Random maps are the floor in Table 4 of Shen et al. 2021 (arXiv:2002.07613). Convergence: Kobatake & Hashimoto 1999.
         The others are ours.
Details  All is computed on cells of `cell_px` pixels; the discs have 8, 12 and 16 of them, 4.5 to 9 mm in the recipes. Random
         numbers come from a hash in whole numbers of the bits of the window: the same window has the same ones on every device
         (constants: the function "lowbias32" of C. Wellons).
Shapes   B batch | K class | H, W pixels of the window | h, w = ceil(H / cell_px), ceil(W / cell_px)
"""

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from mammoseg.nn.contract import Learning, Network, NetworkConfig, Output
from mammoseg.nn.convergence import RADII, convergence, correlated
from mammoseg.nn.tissue import breast_cells

_WORD = 0xFFFFFFFF


class ReferenceConfig(NetworkConfig):
    """Nothing that training could change."""

    kind: Literal["random", "brightness", "contrast", "convergence"] = "convergence"
    """What the map shows."""
    cell_px: int = Field(8, ge=1, le=64)
    """Side of a cell in model pixels. Our choice: 0.56 mm of 0.07 mm pixels, on which a lesion has a radius of 5 cells and more."""


class Reference(Network):
    def __init__(self, config: ReferenceConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Output:
        H, W = image_B1HW.shape[-2:]
        cells, K = (-(-H // self.config.cell_px), -(-W // self.config.cell_px)), len(self.config.classes)
        if self.config.kind == "random":
            y_B1, S_B1hw = _random(image_B1HW, cells)
        else:
            image_B1hw = adaptive_avg_pool2d(image_B1HW.float(), cells)
            inside_B1hw = breast_cells(image_B1HW, cells).float()
            S_B1hw = _MAPS[self.config.kind](image_B1hw, inside_B1hw) * inside_B1hw
            y_B1 = S_B1hw.amax((-2, -1))
        return Output(y_B1.expand(-1, K), {"saliency": S_B1hw.expand(-1, K, -1, -1)})


def _brightness(image_B1hw: Tensor, inside_B1hw: Tensor) -> Tensor:
    z_B1hw = _standardised(image_B1hw, inside_B1hw)
    return _squash(_mean_near(z_B1hw, inside_B1hw, _disc(RADII[0], image_B1hw.device)))


def _contrast(image_B1hw: Tensor, inside_B1hw: Tensor) -> Tensor:
    z_B1hw, best_B1hw = _standardised(image_B1hw, inside_B1hw), torch.zeros_like(image_B1hw)
    for radius in RADII:
        wide = _disc(2 * radius, image_B1hw.device)
        middle, reach = torch.zeros_like(wide), slice(radius, -radius)
        middle[reach, reach] = _disc(radius, image_B1hw.device)
        near_B1hw = _mean_near(z_B1hw, inside_B1hw, middle)
        best_B1hw = torch.maximum(best_B1hw, near_B1hw - _mean_near(z_B1hw, inside_B1hw, wide - middle))
    return _squash(best_B1hw)


def _convergence(image_B1hw: Tensor, inside_B1hw: Tensor) -> Tensor:
    return convergence(image_B1hw).clamp(min=0)


_MAPS = {"brightness": _brightness, "contrast": _contrast, "convergence": _convergence}


def _standardised(image_B1hw: Tensor, inside_B1hw: Tensor) -> Tensor:
    """Mean 0 and deviation 1 over the breast."""
    count_B111 = inside_B1hw.sum((-2, -1), keepdim=True)
    mean_B111 = (image_B1hw * inside_B1hw).sum((-2, -1), keepdim=True) / count_B111
    variance_B111 = ((image_B1hw - mean_B111).square() * inside_B1hw).sum((-2, -1), keepdim=True) / count_B111
    return (image_B1hw - mean_B111) / variance_B111.sqrt().clamp(min=1e-6)


def _mean_near(z_B1hw: Tensor, inside_B1hw: Tensor, filter_nn: Tensor) -> Tensor:
    """Over the cells of a filter of 0 and 1 that show the breast; 0 where there are none."""
    count_B1hw = correlated(inside_B1hw, filter_nn)
    return correlated(z_B1hw * inside_B1hw, filter_nn) / count_B1hw.clamp(min=0.5) * (count_B1hw > 0.5)


def _disc(radius: int, device: torch.device) -> Float[Tensor, "n n"]:
    side = torch.arange(-radius, radius + 1, dtype=torch.float32, device=device)
    return (torch.hypot(side[:, None], side) <= radius).float()


def _squash(z: Tensor) -> Tensor:
    above = z.clamp(min=0)
    return above / (1 + above)


def _random(image_B1HW: Tensor, cells: tuple[int, int]) -> tuple[Float[Tensor, "B 1"], Float[Tensor, "B 1 h w"]]:
    """y and S."""
    h, w = cells
    bits_Bn = image_B1HW.float().contiguous().view(torch.int32).flatten(1).long() & _WORD
    places_n = torch.arange(bits_Bn.shape[1], device=bits_Bn.device)
    seed_B1 = _mixed((bits_Bn ^ _mixed(places_n)) & _WORD).sum(1, keepdim=True) & _WORD
    numbers_Bm = _mixed(_mixed(seed_B1) ^ torch.arange(h * w + 1, device=bits_Bn.device))
    uniform_Bm = (numbers_Bm >> 8).float() / 2**24
    return uniform_Bm[:, :1], uniform_Bm[:, 1:].unflatten(1, (1, h, w))


def _mixed(x: Tensor) -> Tensor:
    """A hash of whole numbers of 32 bits, held in 64."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & _WORD
    x = ((x ^ (x >> 15)) * 0x846CA68B) & _WORD
    return x ^ (x >> 16)


def build(config: ReferenceConfig) -> Reference:
    return Reference(config)


Config = ReferenceConfig
TINY = ReferenceConfig(cell_px=1)
LEARNING = Learning(stages=())
