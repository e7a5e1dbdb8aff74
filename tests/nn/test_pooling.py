"""Top-t pooling against a sort, and at the edges of t."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mammoseg.nn.pooling import top_t_pool


@settings(max_examples=40)
@given(
    t=st.floats(0.001, 1),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 9), st.integers(1, 9)),
    levels=st.sampled_from([1, 3, 1000]),
    seed=st.integers(0, 2**31),
)
def test_equals_a_sort(t: float, shape: tuple[int, int, int, int], levels: int, seed: int) -> None:
    """With one level the maps are constant, with three there are many ties."""
    S = torch.randint(1, levels + 1, shape, generator=torch.Generator().manual_seed(seed)) / levels
    n = max(1, round(t * shape[2] * shape[3]))
    expected = S.flatten(2).sort(dim=-1, descending=True).values[..., :n].mean(-1)
    torch.testing.assert_close(top_t_pool(S, t), expected)


def test_half_a_cell_rounds_to_even() -> None:
    S = torch.tensor([1.0, 0.8, 0.6, 0.4, 0.2]).view(1, 1, 1, 5)
    assert top_t_pool(S, 0.5).item() == pytest.approx(0.9)  # 2.5 cells: 2
    assert top_t_pool(S, 0.7).item() == pytest.approx(0.7)  # 3.5 cells: 4


def test_a_tiny_map_keeps_one_cell() -> None:
    S = torch.tensor([[[[0.1, 0.7], [0.3, 0.2]]]])
    assert top_t_pool(S, 0.01).item() == pytest.approx(0.7)


def test_the_gradient_reaches_only_the_largest_cells() -> None:
    S = torch.tensor([[[[0.1, 0.7], [0.3, 0.2]]]], requires_grad=True)
    top_t_pool(S, 0.5).sum().backward()
    assert S.grad is not None
    assert S.grad.flatten().tolist() == [0.0, 0.5, 0.5, 0.0]


@pytest.mark.parametrize("t", [0.0, -0.1, 1.01, 3.0, float("nan")])
def test_t_is_a_fraction(t: float) -> None:
    with pytest.raises(ValueError, match=r"fraction in \(0, 1\].*write t=0.03"):
        top_t_pool(torch.rand(1, 2, 4, 4), t)


def test_t_can_be_a_share_of_given_cells() -> None:
    """Half of the cells of each image: of three, of four and of one."""
    S = torch.tensor([[0.9, 0.5, 0.1, 0.0], [0.8, 0.6, 0.4, 0.2], [0.3, 0.0, 0.0, 0.0]]).view(3, 1, 2, 2)
    cells = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 0, 0]]).bool().view(3, 1, 2, 2)
    torch.testing.assert_close(top_t_pool(S, 0.5, cells), torch.tensor([[0.7], [0.7], [0.3]]))


def test_all_cells_given_are_those_of_the_window() -> None:
    S = torch.rand(2, 3, 7, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(top_t_pool(S, 0.1, torch.ones(2, 1, 7, 5, dtype=torch.bool)), top_t_pool(S, 0.1))
