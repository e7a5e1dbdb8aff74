import json
import math

import pandas as pd
import pytest

from mammoseg.evaluation.evaluate import evaluate
from mammoseg.evaluation.tables import summary_table
from mammoseg.io.ledger import Ledger
from mammoseg.io.runs import predicted_ids, record_path, write_predictions_csv


def test_four_files_with_the_same_numbers(study) -> None:
    out = study.folder / "evaluation"
    metrics = evaluate(study.predictions, study.manifest, out, bootstrap=100, by=["density"], date="2024-01-31")
    assert sorted(p.name for p in out.iterdir()) == ["metrics.csv", "metrics.json", "per_image.csv", "roc.png"]
    assert (out / "roc.png").read_bytes().startswith(b"\x89PNG")
    stored = json.loads((out / "metrics.json").read_text())
    assert stored["date"] == "2024-01-31"
    assert stored["manifest"]["sha256"] == study.manifest.sha256()
    assert stored["predictions"]["run"] == {"checkpoint": "abc"}
    auc = stored["scores"]["breast"]["malignant"]["final"]["auc"]
    assert auc["value"] == metrics["scores"]["breast"]["malignant"]["final"]["auc"]["value"] == 1.0
    table = pd.read_csv(out / "metrics.csv")
    chosen = table.query("table == 'scores' and level == 'breast' and `class` == 'malignant' and of == 'final'")
    assert dict(zip(chosen["metric"], chosen["value"], strict=True)) == {"auc": 1.0, "average_precision": 1.0}
    assert set(table["table"]) == {"scores", "maps", "difference", "ratio to random", "by density"}


def test_everything_left_out_is_counted(study) -> None:
    metrics = evaluate(study.predictions, study.manifest, study.folder / "out", bootstrap=20)
    counts = {key: metrics[key] for key in metrics if key.startswith("n_")}
    assert counts == {
        "n_images": 15, "n_breasts": 8, "n_exams": 4, "n_patients": 4, "n_failed": 1, "n_breasts_failed": 0,
    }  # fmt: skip
    assert metrics["failed"] == ["2RMLO"]
    benign = metrics["scores"]["image"]["benign"]["final"]
    assert (benign["n"], benign["unknown"]) == (12, 3)
    malignant = metrics["maps"]["malignant"]
    assert (malignant["images_with_mask"], malignant["positive_without_mask"], malignant["failed_with_mask"]) == (
        2,
        2,
        0,
    )
    assert (malignant["maps"]["saliency"]["pxap"]["n"], malignant["maps"]["saliency"]["pxap"]["undefined"]) == (1, 1)
    assert malignant["saliency_minus_global"]["pxap"]["n"] == 1


def test_undefined_is_null_with_a_reason_in_the_file(study) -> None:
    out = study.folder / "out"
    metrics = evaluate(study.predictions, study.manifest, out, split="val", bootstrap=20)
    stored = json.loads((out / "metrics.json").read_text())
    final = stored["scores"]["breast"]["malignant"]["final"]
    assert final["auc"]["value"] is final["auc"]["low"] is None
    assert final["reason"] == "no case with a positive label"
    assert math.isnan(metrics["scores"]["breast"]["malignant"]["final"]["auc"]["value"])
    assert stored["maps"]["malignant"]["reason"] == "no image has a mask of this class"
    assert summary_table(stored) == summary_table(metrics)


def test_per_image_table_has_every_image_and_no_zeros_for_unknown(study) -> None:
    out = study.folder / "out"
    evaluate(study.predictions, study.manifest, out, bootstrap=0)
    table = pd.read_csv(out / "per_image.csv", dtype={"patient_id": str}).set_index("image_id")
    assert len(table) == 16
    assert table.loc["2RMLO", "failed"] == 1
    assert table.loc["2RMLO", ["score_final_malignant", "benign"]].isna().all()
    assert table.loc["0LCC", "malignant_random_pxap"] == pytest.approx(100 / 3000, abs=0.02)
    assert table["malignant_saliency_pxap"].notna().sum() == 1
    assert not {"path", "malignant_mask"} & set(table.columns)


def test_the_same_seed_gives_the_same_file(study) -> None:
    files = []
    for seed in (0, 0, 1):
        out = study.folder / f"out{len(files)}"
        evaluate(study.predictions, study.manifest, out, bootstrap=30, seed=seed)
        files.append((out / "metrics.json").read_text())
    assert files[0] == files[1] != files[2]


def test_an_unknown_column_is_named(study) -> None:
    with pytest.raises(ValueError, match=r"'race'.*no such column"):
        evaluate(study.predictions, study.manifest, study.folder / "out", bootstrap=0, by=["race"])
    assert not (study.folder / "out").exists()


def test_a_run_in_which_every_image_failed(study) -> None:
    for image_id in predicted_ids(study.predictions):
        record_path(study.predictions, image_id).unlink()
        Ledger(study.predictions / "errors.csv").add(image_id, "", "predict", OSError("damaged"))
    write_predictions_csv(study.predictions)
    metrics = evaluate(study.predictions, study.manifest, study.folder / "out", bootstrap=10)
    assert (metrics["n_images"], metrics["n_failed"], metrics["n_breasts_failed"]) == (0, 16, 8)
    assert metrics["maps"]["malignant"]["failed_with_mask"] == 2
    assert {row["value"] for row in summary_table(metrics)} == {"undefined"}
