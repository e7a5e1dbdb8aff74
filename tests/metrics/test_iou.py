"""IoU against counts of pixels."""

import numpy as np
import pytest

from mammoseg.metrics.iou import measure
from mammoseg.statistics.histogram import MapOnMask, to_levels


def test_by_hand() -> None:
    saliency = np.array([[1.0, 0.6], [0.2, 0.0]])
    mask = np.array([[True, False], [True, False]])
    s = to_levels(saliency) / 65535
    numbers = measure(MapOnMask(to_levels(saliency), mask))
    overlap = (s * mask).sum()
    assert numbers["soft"] == pytest.approx(overlap / ((s**2).sum() + 2 - overlap))
    assert numbers["linear"] == pytest.approx(overlap / (s.sum() + 2 - overlap))
    assert numbers["half"] == pytest.approx(1 / 3)
    assert numbers["best"] == pytest.approx(2 / 3)  # the threshold 0.2


def test_of_binary_maps_every_reading_is_the_share_of_the_union() -> None:
    rng = np.random.default_rng(0)
    called, mask = rng.random((20, 30)) < 0.3, rng.random((20, 30)) < 0.3
    numbers = measure(MapOnMask(to_levels(called.astype(float)), mask))
    expected = (called & mask).sum() / (called | mask).sum()
    assert [numbers[name] for name in ("soft", "linear", "half")] == pytest.approx([expected] * 3)


def test_an_empty_mask_is_undefined() -> None:
    assert all(np.isnan(v) for v in measure(MapOnMask(np.ones((3, 3), np.uint16), np.zeros((3, 3), bool))).values())
