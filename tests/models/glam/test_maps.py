"""Putting maps together, against loops and the rule at full resolution."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import interpolate

from mammoseg.models.glam.maps import combine_maps, place_patches


def by_loops(maps_PKmm: Tensor, cells_P2: list[tuple[int, int]], shape: tuple[int, int]) -> Tensor:
    """Cell by cell."""
    _, K, m, _ = maps_PKmm.shape
    placed = torch.zeros(K, *shape)
    for i in range(shape[0]):
        for j in range(shape[1]):
            covers = [p for p, (row, col) in enumerate(cells_P2) if row <= i < row + m and col <= j < col + m]
            if covers:
                placed[:, i, j] = maps_PKmm[covers[-1], :, i - cells_P2[covers[-1]][0], j - cells_P2[covers[-1]][1]]
    return placed


@settings(max_examples=40)
@given(
    m=st.integers(1, 5),
    cell_px=st.integers(1, 6),
    extra=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    num_patches=st.integers(1, 4),
    data=st.data(),
)
def test_placing_equals_loops(
    m: int, cell_px: int, extra: tuple[int, int], num_patches: int, data: st.DataObject
) -> None:
    """Corners on cell borders; patches overlap often, also exactly."""
    u, v = m + extra[0], m + extra[1]
    corner = st.tuples(st.integers(0, extra[0]), st.integers(0, extra[1]))
    cells = data.draw(st.lists(corner, min_size=2 * num_patches, max_size=2 * num_patches))
    maps_BPKmm = torch.rand(2, num_patches, 2, m, m)
    corners_BP2 = cell_px * torch.tensor(cells).view(2, num_patches, 2)
    placed = place_patches(maps_BPKmm, corners_BP2, m * cell_px, (u * cell_px, v * cell_px))
    for b, own in enumerate((cells[:num_patches], cells[num_patches:])):
        assert torch.equal(placed[b], by_loops(maps_BPKmm[b], own, (u, v)))


def test_a_later_patch_overwrites_also_with_zeros() -> None:
    maps = torch.stack([torch.ones(2, 2, 2), torch.zeros(2, 2, 2)])[None]
    placed = place_patches(maps, torch.tensor([[[0, 0], [4, 0]]]), 8, (12, 8))
    assert placed[0, 0].tolist() == [[1, 1], [0, 0], [0, 0]]


@settings(max_examples=60)
@given(
    m=st.integers(1, 6),
    patch_px=st.integers(6, 20),
    size=st.tuples(st.integers(20, 45), st.integers(20, 45)),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@example(m=5, patch_px=10, size=(41, 41), place=(1.0, 1.0))  # 20.5 cells round down, the place at 15.5 up
def test_every_patch_is_placed_whole(m: int, patch_px: int, size: tuple[int, int], place: tuple[float, float]) -> None:
    """Whatever the sizes, a patch keeps all its cells and lies within a cell of its place."""
    row, col = (int(fraction * (pixels - patch_px)) for fraction, pixels in zip(place, size, strict=True))
    A = torch.arange(1, m * m + 1).float().view(1, 1, 1, m, m)
    placed = place_patches(A, torch.tensor([[[row, col]]]), patch_px, size)[0, 0]
    cell_px = patch_px / m
    [(i, j)] = (placed == 1).nonzero().tolist()
    assert torch.equal(placed[i : i + m, j : j + m], A[0, 0, 0])
    assert (placed > 0).sum() == m * m
    assert max(abs(i * cell_px - row), abs(j * cell_px - col)) <= cell_px


@settings(max_examples=20)
@given(cells=st.tuples(st.integers(4, 8), st.integers(4, 8)), ratio=st.sampled_from([1, 2, 4]), seed=st.integers(0, 99))
def test_the_final_map_is_the_one_at_full_resolution(cells: tuple[int, int], ratio: int, seed: int) -> None:
    """Cells of S_g have 16 pixels, cells of a patch map 16 / ratio: the published numbers are 16 and 4."""
    random = torch.Generator().manual_seed(seed)
    H, W, patch_px = 16 * cells[0], 16 * cells[1], 64
    m = 4 * ratio
    S_g = torch.rand(2, 2, *cells, generator=random)
    A = torch.rand(2, 3, 2, m, m, generator=random)
    steps = torch.tensor([cells[0] - 3, cells[1] - 3])
    corners_BP2 = 16 * (torch.rand(2, 3, 2, generator=random) * steps).long()

    S_l = torch.zeros(2, 2, H, W)
    for b, corners in enumerate(corners_BP2.tolist()):
        for p, (row, col) in enumerate(corners):
            S_l[b, :, row : row + patch_px, col : col + patch_px] = interpolate(A[b, p, None], size=patch_px)[0]
    expected = (S_l + interpolate(S_g, size=(H, W))) / 2

    ours = combine_maps(S_g, place_patches(A, corners_BP2, patch_px, (H, W)), "mean")
    assert ours.shape == (2, 2, ratio * cells[0], ratio * cells[1])
    assert torch.equal(interpolate(ours, size=(H, W)), expected)


@pytest.mark.parametrize("how", ["global", "local"])
def test_one_of_both_maps(how: str) -> None:
    maps = {"global": torch.rand(1, 2, 3, 2), "local": torch.rand(1, 2, 12, 8)}
    assert combine_maps(maps["global"], maps["local"], how) is maps[how]
