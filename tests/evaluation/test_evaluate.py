import json
import math
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest

from mammoseg.evaluation import evaluate as evaluate_module
from mammoseg.evaluation.evaluate import evaluate, evaluate_joined
from mammoseg.evaluation.score_table import Columns, read_score_table
from mammoseg.evaluation.tables import summary_table
from mammoseg.ingest.tables import read_table
from mammoseg.io.errors import RunFileError
from mammoseg.io.failures import Failures
from mammoseg.io.runs import load_prediction, predicted_ids, record_path
from mammoseg.io.scores_table import write_predictions_csv


def test_files_with_the_same_numbers(study) -> None:
    out = study.folder / "evaluation"
    metrics = evaluate(study.predictions, study.manifest, out, bootstrap=100, by=["density"], date="2024-01-31")
    figures = {"decision_curve", "dice_scatter", "forest", "froc", "pr", "reliability", "roc"}
    assert {path.stem for path in out.glob("*.pdf")} == {path.stem for path in out.glob("*.svg")} == figures
    assert {path.name for path in out.glob("*.csv")} == {
        "decision_curve.csv", "froc.csv", "lesions.csv", "marks.csv", "metrics.csv", "per_image.csv", "pr.csv", "reliability.csv",
        "roc.csv",
    }  # fmt: skip
    assert (out / "roc.png").read_bytes().startswith(b"\x89PNG")
    stored = json.loads((out / "metrics.json").read_text())
    assert stored["date"] == "2024-01-31"
    assert stored["manifest"]["sha256"] == study.manifest.sha256()
    assert stored["predictions"]["run"] == {"checkpoint": "abc"}
    auc = stored["scores"]["breast"]["malignant"]["final"]["auc"]
    assert auc["value"] == metrics["scores"]["breast"]["malignant"]["final"]["auc"]["value"] == 1.0
    table = pd.read_csv(out / "metrics.csv")
    chosen = table.query("table == 'scores' and level == 'breast' and `class` == 'malignant' and of == 'final'")
    assert dict(zip(chosen["metric"], chosen["value"], strict=True)) == {
        "auc": 1.0, "average_precision": 1.0, "partial_auc": 1.0,
    }  # fmt: skip
    assert set(table["table"]) >= {
        "scores",
        "maps",
        "difference",
        "ratio to random",
        "by density",
        "marks",
        "marks by size",
    }


def test_files_of_two_evaluations_do_not_stand_together(study, monkeypatch: pytest.MonkeyPatch) -> None:
    out = study.folder / "out"
    evaluate(study.predictions, study.manifest, out, bootstrap=0)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ValueError, match="there is no such column"):
        evaluate(study.predictions, study.manifest, out, bootstrap=0, by=["nothing"])
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(evaluate_module, "write_figure", full)
    with pytest.raises(OSError, match="No space"):
        evaluate(study.predictions, study.manifest, out, split="val", bootstrap=0)
    assert sorted(path.name for path in out.iterdir()) == ["metrics.csv", "per_image.csv", "pr.csv", "roc.csv"]


@pytest.mark.parametrize("text", ["0.9,", "5.6,", "-0.9,"])
def test_a_score_that_no_record_says_is_refused(study, text: str) -> None:
    path = study.predictions / "predictions.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1].replace("0.9,", text), *lines[2:]] + [lines[1]] * (text == "0.9,")))
    with pytest.raises(RunFileError, match=r"predictions\.csv: does not say what the records say"):
        evaluate(study.predictions, study.manifest, study.folder / "out", bootstrap=0)


def test_everything_left_out_is_counted(study) -> None:
    metrics = evaluate(study.predictions, study.manifest, study.folder / "out", bootstrap=20)
    counts = {key: metrics[key] for key in metrics if key.startswith("n_")}
    assert counts == {
        "n_images": 15, "n_breasts": 8, "n_breasts_one_view": 1, "n_exams": 4, "n_patients": 4, "n_failed": 1,
        "n_of_training": 0, "n_breasts_failed": 0,
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


@pytest.mark.filterwarnings("error")
def test_a_model_of_one_class(one_class_study) -> None:
    """The numbers of its class are those of a model of both; the other class is undefined everywhere, and says why."""
    study, out = one_class_study, one_class_study.folder / "out"
    manifest = study.with_column("benign_mask", lambda row: row["malignant_mask"])
    metrics = evaluate(study.predictions, manifest, out, bootstrap=20, by=["density"])
    reason = "the model does not predict this class"
    stored = json.loads((out / "metrics.json").read_text())
    for level in ("image", "breast"):
        final = stored["scores"][level]["benign"]["final"]
        assert (final["n"], final["auc"]["value"], final["reason"]) == (0, None, reason)
    assert stored["by"]["density"]["values"]["A"]["benign"]["reason"] == reason
    assert stored["maps"]["benign"]["reason"] == reason
    assert stored["maps"]["benign"]["maps"] == stored["maps"]["benign"]["ratio_to_random"] == {}
    assert stored["maps"]["benign"]["images_with_mask"] == 2
    assert stored["maps"]["malignant"]["reason"] is None
    assert stored["scores"]["breast"]["malignant"]["final"]["auc"]["value"] == 1.0
    assert stored["maps"]["malignant"]["maps"]["saliency"]["pxap"]["n"] == 1
    table = pd.read_csv(out / "per_image.csv")
    assert not [name for name in table if name.startswith("benign_")]
    assert table["score_final_benign"].isna().all()
    assert (out / "roc.png").read_bytes().startswith(b"\x89PNG")
    rows = summary_table(metrics)
    assert {row["value"] for row in rows if row["class"] == "benign"} == {"undefined"}
    assert all(row["remark"].startswith(reason) for row in rows if row["class"] == "benign")


def test_the_class_of_a_one_class_model_is_measured_like_that_of_a_model_of_both(study, request) -> None:
    both = evaluate(study.predictions, study.manifest, study.folder / "both", bootstrap=20)
    request.getfixturevalue("one_class_study")
    one = evaluate(study.predictions, study.manifest, study.folder / "one", bootstrap=20)
    assert str(one["maps"]["malignant"]) == str(both["maps"]["malignant"])
    assert str(one["scores"]["breast"]["malignant"]) == str(both["scores"]["breast"]["malignant"])


def test_masks_of_the_model_window(study) -> None:
    """The frame comes from the manifest: the same lesion, stored on the window or on the image, gives the same numbers."""

    def store(in_window: bool) -> None:
        for image_id, mask in study.masks.items():
            grid = load_prediction(study.predictions, image_id).grid
            window = grid.project(mask)
            stored = window if in_window else grid.restore(window)
            cv2.imwrite(str(study.folder / f"{image_id}_mask.png"), stored.astype(np.uint8) * 255)

    store(in_window=False)
    expected = evaluate(study.predictions, study.manifest, study.folder / "image", bootstrap=0)["maps"]["malignant"]
    store(in_window=True)
    manifest = study.with_column("mask_frame", lambda row: "window" if row["malignant_mask"] else None)
    measured = evaluate(study.predictions, manifest, study.folder / "window", bootstrap=0)["maps"]["malignant"]
    assert str(measured) == str(expected)
    assert measured["maps"]["saliency"]["pxap"]["value"] > 0
    assert "mask_frame" not in pd.read_csv(study.folder / "window" / "per_image.csv")
    with pytest.raises(ValueError, match=r"0LCC_mask\.png: the mask has \(48, 40\) pixels. Expected \(60, 50\)"):
        evaluate(study.predictions, study.manifest, study.folder / "wrong", bootstrap=0)


def test_a_run_in_which_every_image_failed(study) -> None:
    failures = Failures(study.predictions)
    for image_id in predicted_ids(study.predictions):
        record_path(study.predictions, image_id).unlink()
        failures.add(image_id, "", "predict", OSError("damaged"))
    failures.write_table()
    write_predictions_csv(study.predictions)
    metrics = evaluate(study.predictions, study.manifest, study.folder / "out", bootstrap=10)
    assert (metrics["n_images"], metrics["n_failed"], metrics["n_breasts_failed"]) == (0, 16, 8)
    assert metrics["maps"]["malignant"]["failed_with_mask"] == 2
    assert {row["value"] for row in summary_table(metrics)} == {"undefined"}


def test_the_table_of_images_gives_the_numbers_of_the_predictions(study) -> None:
    """One way after reading: what `per_image.csv` says is evaluated like what the records say."""
    whole = evaluate(study.predictions, study.manifest, study.folder / "whole", bootstrap=60, by=["density", "view"])
    columns = Columns(("score_final_malignant",), "malignant", by=("density", "view"))
    table = read_table(study.folder / "whole" / "per_image.csv")
    joined = read_score_table([table], columns)["score_final_malignant"]
    found = evaluate_joined(joined, study.folder / "table", bootstrap=60, by=["density", "view"])
    for level in ("image", "breast", "exam"):
        expected = whole["scores"][level]["malignant"]["final"]
        assert str(found["scores"][level]["malignant"]["final"]) == str(expected)
    for column in ("density", "view"):
        groups = {value: each["malignant"] for value, each in whole["by"][column]["values"].items()}
        assert str({value: each["malignant"] for value, each in found["by"][column]["values"].items()}) == str(groups)
    counts = ("n_images", "n_failed", "failed", "n_breasts", "n_breasts_one_view", "n_exams", "n_patients")
    assert [found[name] for name in counts] == [whole[name] for name in counts]
    assert found["maps"] == {}
    assert not (study.folder / "table" / "froc.csv").exists()


def test_parts_are_evaluated_with_their_maps(study) -> None:
    """Two folders of disjoint images give what one gives."""
    whole = evaluate(study.predictions, study.manifest, study.folder / "whole", bootstrap=0)
    folders = [study.folder / name for name in "ab"]
    for folder, patients in zip(folders, ("01", "23"), strict=True):
        shutil.copytree(study.predictions, folder)
        for image_id in predicted_ids(folder):
            if image_id[0] not in patients:
                record_path(folder, image_id).unlink()
        write_predictions_csv(folder)
    parts = evaluate(folders, study.manifest, study.folder / "parts", bootstrap=0)
    assert str(parts["scores"]) == str(whole["scores"])
    assert str(parts["maps"]) == str(whole["maps"])
    assert len(parts["predictions"]["parts"]) == 2
