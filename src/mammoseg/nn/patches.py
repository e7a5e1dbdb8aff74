"""Where to look closely: greedy choice of square patches on a saliency map, and cutting them out.

    repeat P times:  take the window of cells with the highest mean,  then set its cells to zero

Source   Shen et al. 2021 (arXiv:2002.07613), Algorithm 1; the same rule serves GLAM on its 184 x 120 map.
Deviates A constant map is min-max scaled to zeros (the formula divides by zero); a patch that would leave the image is moved
         back inside (the published software pads it; no difference at 2944 x 1920).
Shapes   B batch | K class | P patches | h, w cells | H, W pixels | s side of a patch
Units    corners are (row, column) of the upper left pixel of a patch
"""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import avg_pool2d

_MOST_TILINGS = 4
"""More patches than so many times what tiles the window see nothing new."""


def patches_problem(patch_px: int, counts: Mapping[str, int], window: tuple[int, int]) -> str | None:
    """Why patches of this side do not fit a window of (rows, columns), or None if they do; `counts`: setting -> how many."""
    if patch_px > min(window):
        return f"network.patch_px is {patch_px}; a window of {window} takes at most {min(window)}"
    most = _MOST_TILINGS * math.prod(math.ceil(side / patch_px) for side in window)
    for name, count in counts.items():
        if count > most:
            return f"{name} is {count}; a window of {window} takes at most {most} patches of {patch_px} pixels"
    return None


@torch.no_grad()
def select_patches(
    S_BKhw: Float[Tensor, "B K h w"], image_shape: tuple[int, int], patch_px: int, num_patches: int
) -> Int[Tensor, "B P 2"]:
    """Corners of the patches in pixels, most salient first. The choice has no gradient.

    Ties go to the first window in raster order. Raises ValueError if a patch is larger than the image.
    """
    (H, W), (h, w) = image_shape, S_BKhw.shape[-2:]
    _check_fit(patch_px, H, W)
    rows, cols = max(1, round(patch_px * h / H)), max(1, round(patch_px * w / W))
    low, high = torch.aminmax(S_BKhw.detach().float().flatten(2), dim=-1, keepdim=True)
    spread = high - low
    scaled = (S_BKhw.detach().float().flatten(2) - low) / torch.where(spread > 0, spread, 1.0)
    map_Bhw = scaled.sum(1).view(-1, h, w)
    positions_w = w - cols + 1
    cell_rows = torch.arange(h, device=map_Bhw.device).view(1, h, 1)
    cell_cols = torch.arange(w, device=map_Bhw.device).view(1, 1, w)
    corners = []
    for _ in range(num_patches):
        best_B = avg_pool2d(map_Bhw.unsqueeze(1), (rows, cols), stride=1).flatten(1).argmax(1)
        row_B, col_B = best_B // positions_w, best_B % positions_w
        in_rows = (cell_rows >= row_B.view(-1, 1, 1)) & (cell_rows < row_B.view(-1, 1, 1) + rows)
        in_cols = (cell_cols >= col_B.view(-1, 1, 1)) & (cell_cols < col_B.view(-1, 1, 1) + cols)
        map_Bhw = map_Bhw.masked_fill(in_rows & in_cols, 0.0)
        corners.append(torch.stack([_to_pixels(row_B, H, h, patch_px), _to_pixels(col_B, W, w, patch_px)], dim=-1))
    return torch.stack(corners, dim=1)


def _check_fit(patch_px: int, H: int, W: int) -> None:
    if patch_px > min(H, W):
        raise ValueError(
            f"patches of {patch_px} pixels do not fit into an image of {H} x {W}; choose a smaller patch_px"
        )


def _to_pixels(cell_B: Tensor, pixels: int, cells: int, patch_px: int) -> Tensor:
    corner = torch.round(cell_B.double() * pixels / cells).long()
    return corner.clamp(max=pixels - patch_px)


@torch.no_grad()
def random_corners(image_BCHW: Tensor, patch_px: int, num_patches: int, training: bool) -> Int[Tensor, "B P 2"]:
    """Corners anywhere in the image; without training the same ones every time, in every image and on every device.

    Raises ValueError if a patch is larger than the image.
    """
    B, H, W = len(image_BCHW), image_BCHW.shape[-2], image_BCHW.shape[-1]
    _check_fit(patch_px, H, W)
    generator = None if training else torch.Generator().manual_seed(0)
    shape = (B if training else 1, num_patches)
    rows_cols = [torch.randint(size - patch_px + 1, shape, generator=generator) for size in (H, W)]
    return torch.stack(rows_cols, dim=-1).expand(B, -1, -1).to(image_BCHW.device)


def crop_patches(
    image_BCHW: Float[Tensor, "B C H W"], corners_BP2: Int[Tensor, "B P 2"], patch_px: int
) -> Float[Tensor, "B P C s s"]:
    """Cut the patches out of their images, on the images' device. Corners must keep the patches inside the image."""
    steps = torch.arange(patch_px, device=image_BCHW.device)
    rows_BPs1 = (corners_BP2[..., 0, None] + steps).unsqueeze(-1)
    cols_BP1s = (corners_BP2[..., 1, None] + steps).unsqueeze(-2)
    image_B111 = torch.arange(len(image_BCHW), device=image_BCHW.device).view(-1, 1, 1, 1)
    return image_BCHW.permute(0, 2, 3, 1)[image_B111, rows_BPs1, cols_BP1s].movedim(-1, 2)


def turn_patches(patches_BPCss: Float[Tensor, "B P C s s"]) -> Float[Tensor, "B P C s s"]:
    """Each patch turned by a random multiple of 90 degrees, for training (Shen et al. 2021, Sec. 3.3)."""
    turns = torch.randint(0, 4, patches_BPCss.shape[:2]).flatten().tolist()
    turned = [torch.rot90(p, t, (-2, -1)) for p, t in zip(patches_BPCss.flatten(0, 1), turns, strict=True)]
    return torch.stack(turned).unflatten(0, patches_BPCss.shape[:2])
