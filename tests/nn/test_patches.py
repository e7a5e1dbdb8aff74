"""Choosing and cutting patches, against loops and slices."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mammoseg.nn.patches import crop_patches, select_patches


def levels(shape: tuple[int, ...], seed: int) -> Tensor:
    """Random maps of eighths from 0 to 1, both present: scaling and window sums are exact, and ties are many."""
    maps = torch.randint(0, 9, shape, generator=torch.Generator().manual_seed(seed)) / 8
    maps[..., 0, 0], maps[..., -1, -1] = 0, 1
    return maps


def by_loops(S_Khw: Tensor, image_shape: tuple[int, int], patch_px: int, num_patches: int) -> list[list[int]]:
    (H, W), (h, w) = image_shape, S_Khw.shape[-2:]
    rows, cols = max(1, round(patch_px * h / H)), max(1, round(patch_px * w / W))
    summed = torch.zeros(h, w)
    for S in S_Khw:
        spread = S.max() - S.min()
        summed += (S - S.min()) / spread if spread > 0 else 0
    corners = []
    for _ in range(num_patches):
        best, at = -1.0, (0, 0)
        for i in range(h - rows + 1):
            for j in range(w - cols + 1):
                total = float(summed[i : i + rows, j : j + cols].sum())
                if total > best:  # not >=: the first in raster order wins
                    best, at = total, (i, j)
        summed[at[0] : at[0] + rows, at[1] : at[1] + cols] = 0
        corners.append([min(round(at[0] * H / h), H - patch_px), min(round(at[1] * W / w), W - patch_px)])
    return corners


@settings(max_examples=40, deadline=None)
@given(
    grid=st.tuples(st.integers(2, 9), st.integers(2, 9)),
    image_shape=st.tuples(st.integers(8, 61), st.integers(8, 61)),
    patch_px=st.integers(1, 8),
    num_patches=st.integers(1, 5),
    constant=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_equals_loops(
    grid: tuple[int, int], image_shape: tuple[int, int], patch_px: int, num_patches: int, constant: bool, seed: int
) -> None:
    S_BKhw = levels((2, 2, *grid), seed)
    if constant:
        S_BKhw[:, 0] = 0.375
    corners = select_patches(S_BKhw, image_shape, patch_px, num_patches)
    assert corners.tolist() == [by_loops(S, image_shape, patch_px, num_patches) for S in S_BKhw]


def test_published_proportions() -> None:
    """On 184 x 120 cells a 512-pixel patch is 32 cells wide, and a cell 16 pixels."""
    S_BKhw = torch.zeros(1, 2, 184, 120)
    S_BKhw[0, 0, 100:132, 50:82] = 0.9
    S_BKhw[0, 1, 152:184, 88:120] = 0.2  # each class counts alike, however faint
    S_BKhw[0, 1, 152, 88] = 0.19
    assert select_patches(S_BKhw, (2944, 1920), 512, 2).tolist() == [[[1600, 800], [2432, 1408]]]


def test_a_class_without_saliency_does_not_choose() -> None:
    S_BKhw = torch.full((1, 2, 6, 6), 0.7)
    S_BKhw[0, 1, 4:, 2:4] = 0.8
    assert select_patches(S_BKhw, (12, 12), 4, 1).tolist() == [[[8, 4]]]


def test_constant_maps_and_more_patches_than_places() -> None:
    """Nothing stands out: the first place in raster order, again and again."""
    assert select_patches(torch.full((1, 2, 5, 4), 0.3), (20, 16), 8, 3).tolist() == [[[0, 0]] * 3]
    everything = select_patches(levels((1, 1, 2, 2), 0), (8, 8), 8, 3)
    assert everything.tolist() == [[[0, 0]] * 3]


def test_patches_stay_inside_odd_sizes() -> None:
    S_BKhw = torch.zeros(1, 1, 7, 5)
    S_BKhw[..., -1, -1] = 1
    [[[row, col]]] = select_patches(S_BKhw, (101, 67), 30, 1).tolist()
    assert (row, col) == (101 - 30, 67 - 30)


def test_the_choice_has_no_gradient() -> None:
    S_BKhw = torch.rand(1, 2, 6, 6, requires_grad=True)
    corners = select_patches(S_BKhw, (12, 12), 4, 2)
    assert not corners.requires_grad
    assert corners.dtype == torch.int64


def test_a_patch_larger_than_the_image() -> None:
    with pytest.raises(ValueError, match=r"64 pixels do not fit into an image of 100 x 60; choose a smaller"):
        select_patches(torch.rand(1, 2, 10, 6), (100, 60), 64, 1)


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(6, 20), st.integers(6, 20)),
    num_patches=st.integers(1, 3),
    patch_px=st.integers(1, 6),
    data=st.data(),
)
def test_crops_equal_slices(
    sizes: tuple[int, int, int, int], num_patches: int, patch_px: int, data: st.DataObject
) -> None:
    B, _, H, W = sizes
    image_BCHW = torch.arange(torch.Size(sizes).numel()).view(sizes).float()
    corner = st.tuples(st.integers(0, H - patch_px), st.integers(0, W - patch_px))
    drawn = data.draw(st.lists(corner, min_size=B * num_patches, max_size=B * num_patches))
    corners_BP2 = torch.tensor(drawn).view(B, num_patches, 2)
    patches = crop_patches(image_BCHW, corners_BP2, patch_px)
    assert patches.shape == (B, num_patches, sizes[1], patch_px, patch_px)
    for b in range(B):
        for p in range(num_patches):
            row, col = corners_BP2[b, p].tolist()
            assert torch.equal(patches[b, p], image_BCHW[b, :, row : row + patch_px, col : col + patch_px])
