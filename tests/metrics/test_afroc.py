"""The AFROC figure of merit by hand."""

import numpy as np
import pytest

from mammoseg.metrics.afroc import measure
from mammoseg.statistics.froc import Marked


def test_by_hand() -> None:
    """Lesions 0.9, 0.2 and one without a mark against normal images 0.8 (its highest) and one without a mark."""
    normal = np.array([True, True, False, False])
    marked = Marked(
        normal, np.array([2, 2, 3]), np.array([0.9, 0.2, -np.inf]), np.array([0, 0, 2]), np.array([0.8, 0.1, 0.95])
    )
    assert measure(marked, np.ones((1, 4)))[0] == pytest.approx((2 + 1 + 0.5) / 6)
    assert measure(marked, np.array([[3.0, 1, 1, 1]]))[0] == pytest.approx((4 + 1 + 0.5) / 12)
