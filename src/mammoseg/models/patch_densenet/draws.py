"""Which patches of a window are learned from, and what each of them is.

Lesion patches are centred on a pixel of a lesion, moved into the window where they would leave it; the class is drawn first, so
that small lesions are not lost beside large ones of another class. The others lie anywhere in the window. A patch that shows a part
of a lesion without having been centred on it is neither, and is not learned from; nor is one of a window in which it is not known
where lesions are, unless it is centred on one.

Source   Not published: ours. The paper says that patches of 256 pixels are classified by pixel labels.
Shapes   B images of a batch | P patches of each | K class | H, W pixels of the window
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mammoseg.records.finding import Box

UNKNOWN = -100
"""Target of a patch that is not learned from."""


def with_boxes(
    mask_BKHW: Float[Tensor, "B K H W"], boxes: Sequence[Mapping[str, Sequence[Box]]] | None, classes: Sequence[str]
) -> Float[Tensor, "B K H W"]:
    """The masks; where there is none, what lies in the boxes of the class, if there are any."""
    if boxes is None:
        return mask_BKHW
    mask_BKHW = mask_BKHW.clone()
    for mask_KHW, of_image in zip(mask_BKHW, boxes, strict=True):
        for name, of_class in of_image.items():
            mask_HW = mask_KHW[classes.index(name)]
            if of_class and mask_HW.isnan().all():
                mask_HW.zero_()
                for top, left, bottom, right in of_class:
                    rows, cols = (slice(max(0, round(a)), max(0, round(b))) for a, b in ((top, bottom), (left, right)))
                    mask_HW[rows, cols] = 1
    return mask_BKHW


def draw_patches(
    mask_BKHW: Float[Tensor, "B K H W"],
    label_BK: Float[Tensor, "B K"],
    patch_px: int,
    count: int,
    lesions: float,
    generator: torch.Generator | None = None,
) -> tuple[Int[Tensor, "B P 2"], Int[Tensor, "B P"]]:
    """Upper left corners, and targets: outputs of the network (model.py), or UNKNOWN. `lesions`: share of lesion patches."""
    drawn = [
        _of_image(mask_KHW, label_K, patch_px, count, lesions, generator)
        for mask_KHW, label_K in zip(mask_BKHW, label_BK, strict=True)
    ]
    corners, targets = zip(*drawn, strict=True)
    return torch.stack(corners).to(mask_BKHW.device), torch.tensor(targets, device=mask_BKHW.device)


def _of_image(
    mask_KHW: Tensor, label_K: Tensor, patch_px: int, count: int, lesions: float, generator: torch.Generator | None
) -> tuple[Tensor, list[int]]:
    K, last_2 = len(mask_KHW), torch.tensor(mask_KHW.shape[1:]) - patch_px
    shown = [k for k in range(K) if (mask_KHW[k] == 1).any()]
    diseased = bool(shown) or bool((label_K == 1).any())

    def below(most: int) -> int:
        return int(torch.randint(most, (), generator=generator))

    corners, targets = [], []
    for number in range(count):
        if shown and number < round(count * lesions):
            k = shown[below(len(shown))]
            pixels_N2 = (mask_KHW[k] == 1).nonzero()
            centre_2 = pixels_N2[below(len(pixels_N2))].cpu()
            corners.append((centre_2 - patch_px // 2).clamp(min=torch.zeros_like(last_2), max=last_2))
            targets.append(K - 1 - k)
        else:
            row, col = (below(int(side) + 1) for side in last_2)
            inside_Kss = mask_KHW[:, row : row + patch_px, col : col + patch_px]
            corners.append(torch.tensor((row, col)))
            targets.append((K if diseased else K + 1) if bool((inside_Kss == 0).all()) else UNKNOWN)
    return torch.stack(corners), targets
