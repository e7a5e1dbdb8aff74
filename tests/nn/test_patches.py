"""Choosing and cutting patches, against loops and slices."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mammoseg.nn.patches import crop_patches, patches_problem, random_corners, select_patches, turn_patches


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


@settings(max_examples=40)
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


@pytest.mark.parametrize(
    ("grid", "image_shape", "patch_px", "num_patches"),
    [
        ((46, 30), (2944, 1920), 256, 6),  # GMIC
        ((46, 30), (2941, 1913), 250, 6),
        ((23, 15), (368, 240), 48, 9),
        ((45, 31), (359, 247), 37, 4),
        ((3, 2), (48, 32), 16, 10),  # more patches than cells
        ((3, 2), (47, 33), 32, 5),  # every window meets every other
    ],
)
def test_equals_loops_at_the_proportions_of_networks(
    grid: tuple[int, int], image_shape: tuple[int, int], patch_px: int, num_patches: int
) -> None:
    S_BKhw = levels((1, 2, *grid), seed=num_patches)
    corners = select_patches(S_BKhw, image_shape, patch_px, num_patches)
    assert corners.tolist() == [by_loops(S_BKhw[0], image_shape, patch_px, num_patches)]


def test_published_proportions() -> None:
    """On 184 x 120 cells a 512-pixel patch is 32 cells wide, and a cell 16 pixels."""
    S_BKhw = torch.zeros(1, 2, 184, 120)
    S_BKhw[0, 0, 100:132, 50:82] = 0.9
    S_BKhw[0, 1, 152:184, 88:120] = 0.2  # each class counts alike, however faint
    S_BKhw[0, 1, 152, 88] = 0.19
    assert select_patches(S_BKhw, (2944, 1920), 512, 2).tolist() == [[[1600, 800], [2432, 1408]]]


def test_published_proportions_of_gmic() -> None:
    """On 46 x 30 cells a 256-pixel patch is 4 cells wide, and a cell 64 pixels."""
    S_BKhw = torch.zeros(1, 2, 46, 30)
    S_BKhw[0, 0, 20:24, 10:14] = 0.9
    S_BKhw[0, 1, 42:46, 26:30] = 0.2
    S_BKhw[0, 1, 42, 26] = 0.19
    assert select_patches(S_BKhw, (2944, 1920), 256, 3).tolist() == [[[1280, 640], [2688, 1664], [0, 0]]]


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


@settings(max_examples=30)
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


@settings(max_examples=30)
@given(
    size=st.tuples(st.integers(6, 20), st.integers(6, 20)),
    patch_px=st.integers(1, 6),
    num_patches=st.integers(1, 8),
    training=st.booleans(),
)
def test_random_corners_are_inside(size: tuple[int, int], patch_px: int, num_patches: int, training: bool) -> None:
    corners_BP2 = random_corners(torch.empty(3, 1, *size), patch_px, num_patches, training)
    assert corners_BP2.shape == (3, num_patches, 2)
    assert corners_BP2.dtype == torch.int64
    assert ((corners_BP2 >= 0) & (corners_BP2 <= torch.tensor(size) - patch_px)).all()


@pytest.mark.parametrize("training", [True, False])
def test_random_corners_are_anywhere(training: bool) -> None:
    """All 5 x 3 places come up, up to both borders, rows and columns independently."""
    corners_BP2 = random_corners(torch.empty(2, 1, 12, 10), 8, 500, training)
    for corners_P2 in corners_BP2:
        places, counts = corners_P2.unique(dim=0, return_counts=True)
        assert places.tolist() == [[row, col] for row in range(5) for col in range(3)]
        assert counts.min() > 500 / 15 / 3


def test_random_corners_stay_the_same_without_training() -> None:
    """Whatever else is drawn, in which batch an image is, and in every one of its images."""
    first = random_corners(torch.empty(1, 1, 90, 70), 8, 6, training=False)
    torch.manual_seed(7)
    state = torch.get_rng_state()
    again = random_corners(torch.empty(4, 3, 90, 70), 8, 6, training=False)
    assert torch.equal(again, first.expand(4, -1, -1))
    assert torch.equal(torch.get_rng_state(), state)  # and nothing drawn elsewhere changes


def test_random_corners_vary_in_training_and_repeat_with_the_seed() -> None:
    image_BCHW = torch.empty(2, 1, 90, 70)
    torch.manual_seed(7)
    first, second = (random_corners(image_BCHW, 8, 6, training=True) for _ in range(2))
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])
    torch.manual_seed(7)
    assert torch.equal(random_corners(image_BCHW, 8, 6, training=True), first)


def test_random_corners_of_a_patch_larger_than_the_image() -> None:
    with pytest.raises(ValueError, match=r"64 pixels do not fit into an image of 100 x 60; choose a smaller"):
        random_corners(torch.empty(1, 1, 100, 60), 64, 1, training=True)


def test_every_patch_is_turned_by_itself() -> None:
    torch.manual_seed(0)
    patches = torch.randn(20, 6, 2, 5, 5)
    turned = turn_patches(patches)
    assert turned.shape == patches.shape
    rotations = torch.stack([torch.rot90(patches, k, (-2, -1)) for k in range(4)])
    turns_4BP = (rotations == turned).flatten(3).all(-1)
    assert (turns_4BP.sum(0) == 1).all()
    assert turns_4BP.flatten(1).sum(1).min() > 120 / 4 / 2  # each angle comes up
    angles_BP = turns_4BP.int().argmax(0)
    assert (angles_BP != angles_BP[:, :1]).any()  # not every image as a whole


def test_patches_that_fit_a_window() -> None:
    counts = {"network.num_patches": 24}
    assert patches_problem(32, counts, (96, 64)) is None, "four times the 3 x 2 patches that tile it"
    assert patches_problem(32, counts, (65, 64)) is None, "one more row begins another row of patches"
    assert patches_problem(32, counts, (64, 64)) == (
        "network.num_patches is 24; a window of (64, 64) takes at most 16 patches of 32 pixels"
    )
    assert patches_problem(32, counts, (96, 31)) == "network.patch_px is 32; a window of (96, 31) takes at most 31"
