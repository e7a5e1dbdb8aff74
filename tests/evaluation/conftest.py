"""A small study that was predicted: four patients, two views per breast, one failed image, masks for some."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from mammoseg.data.manifest import Manifest
from mammoseg.io.failures import Failures
from mammoseg.io.runs import load_prediction, predicted_ids, save_prediction, write_run
from mammoseg.io.scores_table import write_predictions_csv
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Prediction

SHAPE = (60, 50)
GRID = PixelGrid(SHAPE, SHAPE, True, 4, -3, 48, 40, (48, 40))


@dataclass(frozen=True)
class Study:
    folder: Path
    manifest: Manifest
    masks: dict[str, NDArray[np.bool_]]
    """image_id -> mask of the malignant lesion."""

    @property
    def predictions(self) -> Path:
        return self.folder / "predictions"

    def with_column(self, name: str, value: Callable[[pd.Series], object]) -> Manifest:
        table = self.manifest.table.assign(**{name: self.manifest.table.apply(value, axis=1)})
        return Manifest.from_table(table, self.manifest.path)


def predict(image_id: str, patient_id: str, side: str, view: str, score: float) -> Prediction:
    rng = np.random.default_rng(sum(image_id.encode()))
    maps = {name: rng.random((2, rows, cols)) for name, rows, cols in (("saliency", 24, 20), ("global", 6, 5))}
    scores, part = {"benign": 1 - score, "malignant": score}, {"benign": 0.5, "malignant": score / 2}
    exam = f"e{patient_id}"
    return Prediction(image_id, patient_id, exam, side, view, scores, GRID, maps, parts={"global": part})


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Patients 0 to 3; breast L of patients 0 and 1 malignant; masks on its CC views, the one of patient 1 is empty."""
    rows, masks = [], {}
    predictions = tmp_path / "predictions"
    failures = Failures(predictions)
    write_run(predictions, {"checkpoint": "abc"})
    for patient in range(4):
        for side in "LR":
            for view in ("CC", "MLO"):
                image_id = f"{patient}{side}{view}"
                malignant = side == "L" and patient < 2
                row = {"patient_id": str(patient), "exam_id": f"e{patient}", "image_id": image_id, "laterality": side}
                row |= {
                    "view": view,
                    "path": f"{image_id}.png",
                    "malignant": int(malignant),
                    "density": "AB"[patient % 2],
                }
                row |= {"split": "val" if patient == 3 else "test", "benign": None if patient == 2 else 0}
                if malignant and view == "CC":
                    mask = np.zeros(SHAPE, np.uint8)
                    mask[20:30, 10:20] = 255 * (patient == 0)
                    cv2.imwrite(str(tmp_path / f"{image_id}_mask.png"), mask)
                    row["malignant_mask"] = f"{image_id}_mask.png"
                    masks[image_id] = mask > 0
                rows.append(row)
                if image_id == "2RMLO":
                    failures.add(image_id, f"{image_id}.png", "read", OSError("damaged"))
                else:
                    score = 0.9 - 0.2 * patient if malignant else 0.1 * patient + 0.05 * (view == "CC")
                    save_prediction(predictions, predict(image_id, str(patient), side, view, score))
    failures.write_table()
    write_predictions_csv(predictions)
    manifest = Manifest.from_table(pd.DataFrame(rows).astype(object), tmp_path / "manifest.csv")
    manifest.to_csv(manifest.path)
    return Study(tmp_path, manifest, masks)


@pytest.fixture
def one_class_study(study: Study) -> Study:
    """The same study predicted by a model of malignant alone; the failed image is the same."""
    for image_id in predicted_ids(study.predictions):
        both = load_prediction(study.predictions, image_id)
        one = replace(
            both,
            scores={"malignant": both.scores["malignant"]},
            maps={name: values[1:] for name, values in both.maps.items()},
            parts={name: {"malignant": scores["malignant"]} for name, scores in both.parts.items()},
        )
        save_prediction(study.predictions, one)
    write_predictions_csv(study.predictions)
    return study
