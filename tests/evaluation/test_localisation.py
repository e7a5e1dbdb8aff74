"""The parts of metrics.json about places, of a predicted study."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mammoseg.evaluation.evaluate import evaluate
from mammoseg.evaluation.mark_rule import MarkRule
from mammoseg.evaluation.tables import summary_table
from mammoseg.io.runs import load_prediction, predicted_ids, save_prediction
from mammoseg.io.scores_table import write_predictions_csv
from mammoseg.records.prediction import Patch
from mammoseg.statistics.histogram import to_levels


@pytest.fixture
def patched_study(study):
    """Images 0LCC with a patch that covers 70 of the 100 pixels of its lesion (rows and columns 20 to 29, 10 to 19)."""
    for image_id in predicted_ids(study.predictions):
        made = load_prediction(study.predictions, image_id)
        # The window begins at row 4 and 3 columns beside the mirrored image: column 19 of the file is 33 of the window.
        patch = Patch(16, 33, 7, made.scores)
        assert made.grid.box_in_original(16, 33, 23, 43) == (20, 10, 27, 20)
        save_prediction(study.predictions, replace(made, patches=(replace(patch, size=10, row=13),)))
    write_predictions_csv(study.predictions)
    return study


def test_places_in_the_results(patched_study) -> None:
    study, out = patched_study, patched_study.folder / "out"
    metrics = evaluate(study.predictions, study.manifest, out, bootstrap=30, by=["view", "density"])
    stored = json.loads((out / "metrics.json").read_text())
    malignant = stored["maps"]["malignant"]
    # Rows 17 to 26 of the file: 7 of the 10 rows of the lesion.
    assert malignant["patches"]["roi_covered"]["value"] == pytest.approx(0.7)
    assert malignant["patches"]["roi_hit"]["value"] == malignant["patches"]["roi_hit_lesion"]["value"] == 1
    assert malignant["lesion_share"] == pytest.approx(100 / 3000)
    assert list(malignant["by_size"]["saliency"]) == ["up to 11.28 px"]
    assert malignant["by"]["view"]["global"]["CC"]["pxap"]["n"] == 1
    marks = stored["marks"]
    assert set(marks) == {"malignant"}  # nothing benign is drawn
    assert list(marks["malignant"]) == ["saliency", "global", "findings"]
    final = marks["malignant"]["saliency"]
    # 0LCC has a lesion, the mask of 1LCC is empty, the MLO views have none, one image has failed.
    counts = {name: final[name] for name in ("n", "positives", "lesions", "empty", "undrawn", "unknown")}
    assert counts == {"n": 12, "positives": 1, "lesions": 1, "empty": 1, "undrawn": 2, "unknown": 0}
    assert stored["mark_rule"] == MarkRule().model_dump(mode="json")
    assert summary_table(stored) == summary_table(metrics)
    table = pd.read_csv(out / "metrics.csv")
    assert {"marks", "patches", "marks by size", "maps by size", "marks by view"} <= set(table["table"])


def test_pooled_is_the_only_image_with_a_lesion(study) -> None:
    metrics = evaluate(study.predictions, study.manifest, study.folder / "out", bootstrap=0)
    numbers = metrics["maps"]["malignant"]["maps"]["saliency"]
    assert numbers["pxap_pooled"]["value"] == pytest.approx(numbers["pxap"]["value"], abs=1e-12)
    assert numbers["pxap_pooled_scaled"]["value"] == pytest.approx(numbers["pxap"]["value"], abs=1e-12)


def test_marks_are_peaks_of_the_map_on_the_pixels_of_the_file(study) -> None:
    out = study.folder / "out"
    rule = MarkRule(floor=0.5, apart_share=0.1, most=3)
    evaluate(study.predictions, study.manifest, out, bootstrap=0, rule=rule)
    marks, lesions = pd.read_csv(out / "marks.csv"), pd.read_csv(out / "lesions.csv")
    assert marks.groupby(["image_id", "of"]).size().max() == 3
    for mark in marks[marks["of"] != "findings"].to_dict("records"):
        made = load_prediction(study.predictions, mark["image_id"])
        enlarged = made.grid.restore(made.maps[mark["of"]][1])
        assert enlarged[int(mark["row"]), int(mark["column"])] == pytest.approx(mark["rating"])
        inside = bool(study.masks.get(mark["image_id"], np.zeros((60, 50)))[int(mark["row"]), int(mark["column"])])
        assert inside == (mark["counts_as"] != "non-lesion")
    assert lesions[["image_id", "top", "left", "bottom", "right"]].to_numpy().tolist() == [["0LCC", 20, 10, 30, 20]]
    assert to_levels(marks["rating"].to_numpy()).min() >= to_levels(np.array([0.5]))[0]


def test_boxes_are_lesions_where_there_is_no_mask(study) -> None:
    boxed = study.with_column("malignant_boxes", lambda row: "20 10 30 20" if row["image_id"] == "0LMLO" else None)
    out = study.folder / "out"
    metrics = evaluate(study.predictions, boxed, out, bootstrap=0)
    assert metrics["marks"]["malignant"]["saliency"]["lesions"] == 2
    assert metrics["marks"]["malignant"]["saliency"]["undrawn"] == 1
    assert metrics["maps"]["malignant"]["images_with_mask"] == 2


def test_without_a_drawn_lesion_nothing_is_written_of_places(study) -> None:
    out = study.folder / "out"
    evaluate(study.predictions, study.manifest, out, bootstrap=0)
    assert (out / "froc.csv").is_file()
    metrics = evaluate(study.predictions, study.with_column("malignant_mask", lambda _: None), out, bootstrap=0)
    assert metrics["marks"] == {}
    assert not [path.name for path in out.iterdir() if path.stem in ("froc", "marks", "lesions", "dice_scatter")]
