"""DMV-CNN against numbers measured with the published software on weights anyone can generate."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mammoseg.models.dmvcnn.config import WINDOWS
from mammoseg.models.dmvcnn.model import VIEWS, DmvCnn
from mammoseg.models.dmvcnn.published import PUBLISHED

FORWARD = Path(__file__).parent / "golden_forward.json"
SEEDS = dict(zip(VIEWS, (11, 12, 13, 14), strict=True))


def blobs(seed: int, window: tuple[int, int]) -> Tensor:
    """Eight Gaussian blobs, as in the rule of the stored numbers."""
    random = np.random.RandomState(seed)
    rows, cols = (np.arange(side, dtype=np.float64) for side in window)
    image = np.zeros(window)
    for _ in range(8):
        cy, cx, s, a = (random.uniform(*bounds) for bounds in ((300, 2644), (300, 1620), (60, 160), (-6, 6)))
        image += a * np.outer(np.exp(-((rows - cy) ** 2) / (2 * s * s)), np.exp(-((cols - cx) ** 2) / (2 * s * s)))
    return torch.from_numpy(image.astype(np.float32))


@torch.inference_mode()
def test_forward(simple_weights: Any, fill: Callable[..., None]) -> None:
    [case] = json.loads(FORWARD.read_text())
    model = DmvCnn(PUBLISHED[0].config).eval()  # type: ignore[arg-type]
    fill(model, PUBLISHED[0], simple_weights)
    image_41HW = torch.full((4, 1, 2974, 1942), 7.0)  # what is beside a window must not matter
    for number, view in enumerate(VIEWS):
        rows, cols = WINDOWS[view.split("-")[1]]  # type: ignore[index]
        window = blobs(SEEDS[view], (rows, cols))
        assert window.double().sum().item() == pytest.approx(case["x_sums"][view], rel=1e-5)
        image_41HW[number, 0, :rows, :cols] = window
    out = model(image_41HW, torch.ones(1, 4, dtype=torch.bool))
    left, right = out.y_BK[0].tolist(), out.y_BK[1].tolist()
    assert [left[0], right[0], left[1], right[1]] == pytest.approx(
        case["output_left_benign_right_benign_left_malignant_right_malignant"], abs=1e-5
    )
    for part in ("cc", "mlo"):
        (l_benign, l_malignant), (r_benign, r_malignant) = out.parts[part][0].tolist(), out.parts[part][1].tolist()
        positive = [row[1] for row in case[f"prob_{part}"]]
        assert [l_benign, r_benign, l_malignant, r_malignant] == pytest.approx(positive, abs=1e-5)
    assert out.maps["saliency"].shape == (4, 2, 47, 31)


@pytest.mark.shared
def test_copied_numbers(shared: Path) -> None:
    assert json.loads(FORWARD.read_text()) == json.loads(
        (shared / "golden" / "forward" / "forward_dmvcnn.json").read_text()
    )
