"""The walk of a patch classifier: positions by their properties, the heatmap against a loop over pixels."""

import random
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mammoseg.nn.walk import mean_of_patches, spread, starts


@given(patch=st.integers(1, 300), more=st.integers(0, 4000), stride=st.integers(1, 300), seed=st.integers(0, 99))
def test_patches_reach_from_border_to_border(patch: int, more: int, stride: int, seed: int) -> None:
    for pick in (spread, lambda m, k: random.Random(seed).sample(range(m), k)):
        found = starts(patch + more, patch, stride, pick)
        assert (found[0], found[-1]) == (0, more)
        steps = [after - before for before, after in pairwise(found)]
        assert len(steps) == -(-more // stride)
        assert not steps or (max(steps) <= stride and max(steps) - min(steps) <= 1)


def test_strides_of_the_published_walk() -> None:
    """2,944 pixels: 38 strides and 28 pixels more. The 42 too many are one for each of 39 strides, and three more."""
    asked = []

    def pick(strides: int, short: int) -> list[int]:
        asked.append((strides, short))
        return [0, 5, 38]

    steps = [after - before for before, after in pairwise(starts(2944, 256, 70, pick))]
    assert asked == [(39, 3)]
    assert [number for number, step in enumerate(steps) if step == 68] == [0, 5, 38]
    assert {step for number, step in enumerate(steps) if number not in (0, 5, 38)} == {69}
    assert starts(256 + 140, 256, 70, pick) == [0, 70, 140]
    assert len(asked) == 1, "without a remainder nothing is drawn"


def test_an_axis_shorter_than_a_patch_is_refused() -> None:
    with pytest.raises(ValueError, match="an axis of 255 pixels holds no patch of 256"):
        starts(255, 256, 70, spread)


@pytest.mark.parametrize("cell", [1, 4, 5])
def test_a_cell_is_the_mean_of_the_patches_over_its_centre(cell: int) -> None:
    torch.manual_seed(0)
    shape, patch = (23, 17), 8
    rows, cols = (starts(side, patch, 5, spread) for side in shape)
    p = torch.rand(2, 3, len(rows), len(cols))
    found = mean_of_patches(p, rows, cols, patch, shape, cell)
    assert found.shape == (2, 3, -(-shape[0] // cell), -(-shape[1] // cell))
    for h in range(found.shape[2]):
        for w in range(found.shape[3]):
            row, col = (h * cell + min((h + 1) * cell, 23)) / 2, (w * cell + min((w + 1) * cell, 17)) / 2
            over = [
                p[:, :, i, j]
                for i, top in enumerate(rows)
                for j, left in enumerate(cols)
                if top <= row < top + patch and left <= col < left + patch
            ]
            torch.testing.assert_close(found[:, :, h, w], torch.stack(over).mean(0))


def test_equal_patches_give_an_even_heatmap() -> None:
    rows, cols = starts(100, 16, 7, spread), starts(64, 16, 7, spread)
    p = torch.full((1, 1, len(rows), len(cols)), 0.3)
    torch.testing.assert_close(mean_of_patches(p, rows, cols, 16, (100, 64), 2), torch.full((1, 1, 50, 32), 0.3))
