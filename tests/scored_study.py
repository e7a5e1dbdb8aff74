"""Predictions of many breasts, made without a model or an image: scores, too high and too flat, and a manifest with labels."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.data.manifest import Manifest
from mammoseg.io.atomic import plain
from mammoseg.io.record import record_of
from mammoseg.io.runs import made_by, record_path, write_run
from mammoseg.io.scores_table import write_predictions_csv
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Prediction

GRID = PixelGrid((8, 8), (8, 8), True, 0, 0, 8, 8, (8, 8))
MAPS = {"saliency": np.zeros((2, 2, 2))}
SETTINGS = {"model": "glam", "checkpoint_sha256": "ab" * 32, "num_tta": 0}


def write_scored_study(
    root: Path,
    settings: Mapping[str, Any] = SETTINGS,
    patients: int = 110,
    seed: int = 0,
    shift: float = 0.0,
    learned: int = 0,
) -> Manifest:
    """`root`/predictions and `root`/manifest.csv: two breasts of each patient, every third in two views, 30 % of them malignant.

    Half of the patients have split val, half test. Log odds of scores are 0.6 of the truth's, and 0.8 + `shift`. Of three patients
    a benign finding is known, of the others nothing about it. From the first `learned` patients the model has learned.
    """
    rng, rows = np.random.default_rng(seed), []
    write_run(root / "predictions", {"mammoseg": "0", **settings})
    (root / "predictions" / "records").mkdir()
    for patient in range(patients):
        for side in "LR":
            truth = rng.beta(0.5, 1.2)
            label = int(rng.random() < truth)
            middle = 1 / (1 + np.exp(-(0.6 * np.log(truth / (1 - truth)) + 0.8 + shift)))
            views = ("CC", "MLO") if patient % 3 == 0 else ("CC",)
            for view in views:
                name = f"p{patient:03}{side}{view}"
                score = float(np.clip(middle + (0.01 if view == "CC" else -0.01) * (len(views) - 1), 0, 1))
                ids = (name, f"p{patient:03}", f"p{patient:03}_e", side, view)
                scores = {"benign": 1 - score, "malignant": score}
                about = {"made_by": made_by(settings), "of_training": patient < learned}
                record = plain(record_of(Prediction(*ids, scores, GRID, MAPS, **about), {}))
                record_path(root / "predictions", name).write_text(
                    json.dumps(record)
                )  # much faster than one that is safe
                row = dict(zip(("image_id", "patient_id", "exam_id", "laterality", "view"), ids, strict=True))
                split = "val" if patient < patients // 2 else "test"
                row |= {"path": f"{name}.png", "malignant": label, "split": split}
                rows.append(row | {"benign": int(side == "L") if patient < 3 else None})
    write_predictions_csv(root / "predictions")
    manifest = Manifest.from_table(pd.DataFrame(rows).astype(object), root / "manifest.csv")
    manifest.to_csv(manifest.path)
    return manifest
