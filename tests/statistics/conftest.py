"""Fixtures of the statistics tests."""

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """The cases that R and other packages were given: 200 of 101 patients, by formula, with ties.

    i <- 1:200
    y <- as.integer((i*7) %% 20 < 5)
    a <- round(((i*37) %% 101)/101 + 0.45*y, 2); b <- round(((i*53) %% 97)/97 + 0.3*y + 0.2*a, 2); d <- a + 0.3*b
    """
    i = np.arange(1, 201)
    y = ((i * 7) % 20 < 5).astype(float)
    a = np.round(((i * 37) % 101) / 101 + 0.45 * y, 2)
    b = np.round(((i * 53) % 97) / 97 + 0.3 * y + 0.2 * a, 2)
    return SimpleNamespace(y=y, a=a, b=b, d=a + 0.3 * b, patients=i // 2)
