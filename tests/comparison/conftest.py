"""Folders that look as if `evaluate` had written them."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def evaluation(tmp_path: Path, evaluation_in: Callable[..., Path]) -> Callable[..., Path]:
    """`evaluation("a", shift)` in the folder of a test."""
    return partial(evaluation_in, tmp_path)


@pytest.fixture(scope="session")
def evaluation_in() -> Callable[..., Path]:
    """`evaluation_in(root, "a", shift)`: 40 patients, both breasts, every second patient with a malignant left one.

    `shift` is added to the scores of the malignant breasts, `change(images)` may spoil the table of images, `metrics` are further
    results.
    """

    def write(
        root: Path,
        name: str,
        shift: float = 0.0,
        change: Callable[[pd.DataFrame], pd.DataFrame] = lambda t: t,
        **metrics: Any,
    ) -> Path:
        folder = root / name
        folder.mkdir()
        rng = np.random.default_rng(5)
        rows = []
        for patient in range(40):
            for side in "LR":
                positive = side == "L" and patient % 2 == 0
                noise, dice = rng.normal(0, 0.15), rng.uniform(0.2, 0.6)
                row: dict[str, Any] = {
                    "patient_id": f"p{patient}",
                    "exam_id": f"e{patient}",
                    "image_id": f"p{patient}{side}",
                }
                row |= {
                    "laterality": side,
                    "view": "CC",
                    "malignant": float(positive),
                    "benign": "" if patient == 3 else 0.0,
                }
                score = 0.5 + noise + (0.15 + shift + rng.normal(0, 0.02) * (shift > 0)) * positive
                row |= {"score_final_malignant": score, "score_final_benign": 0.5 - noise, "failed": 0}
                found = {
                    "dice_soft": dice + (shift > 0) * rng.uniform(0.02, 0.08),
                    "pointing_inside": float(dice > 0.4),
                    "pxap": dice**2,
                }
                row |= {f"malignant_saliency_{metric}": value if positive else "" for metric, value in found.items()}
                rows.append(row)
        change(pd.DataFrame(rows)).to_csv(folder / "per_image.csv", index=False)
        titles = {"auc": "AUC", "average_precision": "Average precision", "dice_soft": "Dice (soft)", "pxap": "PxAP"}
        about = {
            "titles": titles,
            "predictions": {"run": {"model": name}},
            "manifest": {"sha256": "ab"},
            "version": "1",
            "scores": {level: {"malignant": {}} for level in ("image", "breast")},
        }
        (folder / "metrics.json").write_text(json.dumps(about | metrics))
        return folder

    return write
