"""torchvision's detection, also where its compiled operators cannot be loaded.

The torchvision of the Python package index is compiled for CUDA. Beside a PyTorch for CPUs its library does not load, and importing
it fails, since it describes operators that are then not there. So non-maximum suppression is defined before the import, and RoI
align takes the place of torchvision's version in Python afterwards, which is meant to be compiled on first use: few machines have
what that takes. The same numbers up to rounding.

Where the library loads, nothing of this is done. What imports torchvision without being asked to, as Lightning does through its
metrics, fails in the same way: there the operators have to be defined before (training/lightning.py).
"""

import importlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

_DEFINED: list[torch.library.Library] = []
"""Lives as long as the process: operators are gone with it."""


@cache
def torchvision() -> Any:
    """The package, with `ops` and `models.detection`. Raises ImportError where it is not installed."""
    compiled = not define_missing_operators()
    package = importlib.import_module("torchvision")
    importlib.import_module("torchvision.models.detection")
    if not compiled:
        vars(importlib.import_module("torchvision.ops.roi_align"))["_roi_align"] = roi_align
        for name in ("torchvision.ops.boxes", "torchvision.ops.roi_align"):
            vars(importlib.import_module(name))["_assert_has_ops"] = lambda: None
    return package


@cache
def define_missing_operators() -> bool:
    """Whether there were any; for the whole process."""
    spec = find_spec("torchvision")
    missing = spec is not None and not any(_loads(Path(folder)) for folder in spec.submodule_search_locations or ())
    if missing:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            library.impl(name, nms, "CompositeExplicitAutograd")
        _DEFINED.append(library)
    return missing


def _loads(folder: Path) -> bool:
    """Whether the compiled operators can be used."""
    for file in sorted([*folder.glob("_C*.so"), *folder.glob("_C*.pyd")]):
        try:
            torch.ops.load_library(file)
        except (OSError, RuntimeError):
            continue
        return True
    return False


def nms(dets: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Which boxes (N, 4) as (left, top, right, bottom) are left, the highest score first, when each takes those that overlap it
    by more than the threshold with it."""
    order = scores.argsort(descending=True, stable=True)
    box_N4 = dets[order]
    corner_NN2 = torch.maximum(box_N4[:, None, :2], box_N4[:, :2])
    end_NN2 = torch.minimum(box_N4[:, None, 2:], box_N4[:, 2:])
    both_NN = (end_NN2 - corner_NN2).clamp(min=0).prod(2)
    area_N = (box_N4[:, 2:] - box_N4[:, :2]).prod(1)
    takes_NN = (both_NN > iou_threshold * (area_N[:, None] + area_N - both_NN)).triu(1)
    kept_N, before_N = torch.ones_like(order, dtype=torch.bool), None
    while before_N is None or not torch.equal(kept_N, before_N):  # each round settles at least one more box, mostly all
        before_N, kept_N = kept_N, ~takes_NN[kept_N].any(0)
    return order[kept_N]


def roi_align(
    input: Tensor,
    rois: Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Regions (K, 5), number of the image and (left, top, right, bottom), of maps (B, C, H, W) -> (K, C, rows, columns): means of
    sampling_ratio x sampling_ratio interpolated values for each cell. As torchvision calls it, but for adaptive numbers of samples
    and regions that reach beyond the image."""
    if sampling_ratio < 1:
        raise ValueError(f"regions are sampled {sampling_ratio} times a cell. Expected a number from 1 on")
    rows, columns = pooled_height * sampling_ratio, pooled_width * sampling_ratio
    box_K4 = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    sides_K2 = box_K4[:, 2:] - box_K4[:, :2]
    if not aligned:
        sides_K2 = sides_K2.clamp(min=1)
    height, width = input.shape[-2:]
    x_Kw = box_K4[:, :1] + sides_K2[:, :1] * (torch.arange(columns, device=rois.device) + 0.5) / columns
    y_Kh = box_K4[:, 1:2] + sides_K2[:, 1:] * (torch.arange(rows, device=rois.device) + 0.5) / rows
    across_Kw, down_Kh = ((2 * x_Kw + 1) / width - 1, (2 * y_Kh + 1) / height - 1)
    grid_Khw2 = torch.stack(torch.broadcast_tensors(across_Kw[:, None], down_Kh[:, :, None]), dim=-1)
    pooled = input.new_empty(len(rois), input.shape[1], pooled_height, pooled_width)
    for number in range(len(input)):
        own = torch.nonzero(rois[:, 0] == number)[:, 0]
        if not len(own):
            continue
        sampled_1CNw = grid_sample(
            input[number : number + 1], grid_Khw2[own].flatten(0, 1)[None], padding_mode="border", align_corners=False
        )
        cells_CkN = avg_pool2d(sampled_1CNw, sampling_ratio)[0].unflatten(1, (len(own), pooled_height))
        pooled = pooled.index_copy(0, own, cells_CkN.transpose(0, 1))
    return pooled
