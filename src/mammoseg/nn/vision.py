"""torchvision's detection, also where its compiled operators cannot be loaded.

The torchvision of the Python package index is compiled for CUDA. Beside a PyTorch for CPUs its library does not load, and importing
it fails, since it describes operators that are then not there. So these are defined before the import: non-maximum suppression
is written out here, and RoI align has a version in Python in torchvision itself. That one is meant to be compiled on first use,
for which few machines have what it takes; it is called as it is written. Slower, the same numbers up to rounding.

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

_DEFINED: list[torch.library.Library] = []
"""Lives as long as the process: operators are gone with it."""


@cache
def torchvision() -> Any:
    """The package, with `ops` and `models.detection`. Raises ImportError where it is not installed."""
    compiled = not define_missing_operators()
    package = importlib.import_module("torchvision")
    importlib.import_module("torchvision.models.detection")
    if not compiled:
        align = importlib.import_module("torchvision.ops.roi_align")
        vars(align)["_roi_align"] = vars(align)["_roi_align"].__wrapped__
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
    area = (dets[:, 2] - dets[:, 0]) * (dets[:, 3] - dets[:, 1])
    kept = []
    while order.numel():
        best, others = order[0], order[1:]
        kept.append(best)
        corner, end = torch.maximum(dets[others, :2], dets[best, :2]), torch.minimum(dets[others, 2:], dets[best, 2:])
        both = (end - corner).clamp(min=0).prod(1)
        order = others[both <= iou_threshold * (area[others] + area[best] - both)]
    return torch.stack(kept) if kept else order
