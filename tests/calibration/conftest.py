"""Twenty cases whose numbers other programs gave."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray


class Twenty(NamedTuple):
    labels: NDArray[np.float64]
    probabilities: NDArray[np.float64]


@pytest.fixture
def twenty() -> Twenty:
    labels = [0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1]
    probabilities = (5, 12, 34, 41, 22, 8, 61, 77, 55, 30, 91, 15, 27, 2, 48, 66, 83, 19, 36, 71)
    return Twenty(np.array(labels, float), np.array(probabilities) / 100)


@pytest.fixture
def many() -> Twenty:
    """A thousand breasts of 500 patients: scores that are too high and too flat."""
    rng = np.random.default_rng(5)
    truth = rng.beta(0.5, 3, 1000)
    scores = 1 / (1 + np.exp(-(0.6 * np.log(truth / (1 - truth)) + 0.8)))
    return Twenty((rng.random(1000) < truth).astype(float), scores)
