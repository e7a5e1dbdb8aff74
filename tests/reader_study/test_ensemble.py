"""Weights of several models."""

import numpy as np
import pytest

from mammoseg.reader_study.ensemble import MOST, simplex


@pytest.mark.parametrize(("models", "combinations"), [(1, 1), (2, 101), (3, 5151), (7, 462), (30, 465)])
def test_weights_are_all_of_a_grid_on_the_simplex(models: int, combinations: int) -> None:
    weights = simplex(models)
    assert weights.shape == (combinations, models)
    assert len(weights) <= MOST
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert len(np.unique(weights, axis=0)) == combinations
    assert all((weights == row).all(axis=1).any() for row in np.eye(models))


def test_the_published_weights_are_on_the_grid() -> None:
    """GMIC's super-ensemble: 0.56, 0.20, 0.24."""
    assert np.isclose(simplex(3), (0.56, 0.20, 0.24)).all(axis=1).any()
