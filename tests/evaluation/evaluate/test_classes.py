"""A model of three classes of its own: every number is about these, and of no others."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from mammoseg.data.columns import ManifestError
from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.evaluation.evaluate import evaluate
from mammoseg.io.runs import load_prediction, map_png_path, remove_prediction, save_prediction, write_run
from mammoseg.io.scores_table import write_predictions_csv
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Prediction

CLASSES = ("mass", "big_mass", "cyst")
SHAPE = (30, 20)
GRID = PixelGrid(SHAPE, SHAPE, False, 0, 0, 30, 20, (30, 20))


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen patients; every other one has a mass, whose score is always higher; nothing is known of cysts."""
    folder = tmp_path_factory.mktemp("predicted")
    write_run(folder / "predictions", {"checkpoint": "abc"})
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:9, 5:12] = 255
    cv2.imwrite(str(folder / "mask.png"), mask)
    rng, rows = np.random.default_rng(0), []
    for number in range(16):
        image_id, mass = f"i{number}", number % 2
        scores = {"mass": 0.1 + 0.8 * mass, "big_mass": float(rng.random()), "cyst": 0.5}
        maps = {"saliency": rng.random((3, 6, 4))}
        part = {"local": dict.fromkeys(CLASSES, 0.25)}
        save_prediction(
            folder / "predictions",
            Prediction(image_id, f"p{number}", f"e{number}", "L", "CC", scores, GRID, maps, parts=part),
        )
        row = {
            "patient_id": f"p{number}",
            "exam_id": f"e{number}",
            "image_id": image_id,
            "laterality": "L",
            "view": "CC",
        }
        labels = {"mass": mass, "big_mass": number % 3 == 0, "cyst": None}
        rows.append({**row, "path": "x.png", **labels, "mass_mask": "mask.png" if mass else None})
    write_predictions_csv(folder / "predictions")
    Manifest.from_table(pd.DataFrame(rows).astype(object), folder / "manifest.csv").to_csv(folder / "manifest.csv")
    return folder


def test_numbers_of_every_class_of_the_run(predicted: Path, tmp_path: Path) -> None:
    manifest = load_manifest(predicted / "manifest.csv")
    manifest = Manifest(manifest.table.assign(cyst=None), manifest.path)
    metrics = evaluate(predicted / "predictions", manifest, tmp_path, bootstrap=20, by=["view"])
    for table in (*metrics["scores"].values(), metrics["maps"], metrics["by"]["view"]["values"]["CC"]):
        assert tuple(table) == CLASSES
    assert metrics["scores"]["image"]["mass"]["final"]["auc"]["value"] == 1
    assert metrics["scores"]["image"]["mass"]["local"]["auc"]["value"] == 0.5
    assert metrics["scores"]["breast"]["big_mass"]["final"]["positives"] == 6
    assert (
        metrics["scores"]["image"]["cyst"]["final"]["reason"]
        == "no case with a positive and none with a negative label"
    )
    assert metrics["maps"]["mass"]["maps"]["saliency"]["pxap"]["n"] == 8
    assert metrics["maps"]["big_mass"]["reason"] == "no image has a mask of this class"
    table = pd.read_csv(tmp_path / "per_image.csv")
    assert {"mass", "score_final_big_mass", "score_local_big_mass", "mass_saliency_pxap"} <= {*table}
    assert not [name for name in table if name.startswith("score") and "benign" in name]
    assert set(pd.read_csv(tmp_path / "metrics.csv")["class"]) == {*CLASSES}


def test_a_manifest_that_says_nothing_of_a_class(predicted: Path, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no column speaks of cyst, which the model is about"):
        evaluate(predicted / "predictions", load_manifest(predicted / "manifest.csv"), tmp_path)


def test_the_files_of_a_prediction_are_those_of_its_classes(predicted: Path, tmp_path: Path) -> None:
    save_prediction(tmp_path, load_prediction(predicted / "predictions", "i0"))
    assert all(map_png_path(tmp_path, "i0", name).is_file() for name in CLASSES)
    remove_prediction(tmp_path, "i0")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
