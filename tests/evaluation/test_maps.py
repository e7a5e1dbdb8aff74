from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from mammoseg.evaluation.localise import Drawn, Localiser
from mammoseg.evaluation.maps import map_tables
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.io.runs import load_prediction
from mammoseg.records.prediction import Prediction

METRICS = load_metrics()
METHOD = Method(METRICS)


def image_rows(
    prediction: Prediction, patient_id: str, masks: dict[str, Path], frame: str | None, method: Method
) -> list[dict[str, Any]]:
    localiser = Localiser(method, list(masks))
    localiser.add(prediction, Drawn(patient_id, masks=masks, mask_frame=frame, pixel_mm=0.1))
    return localiser.found().pixel_rows.to_dict("records")


def test_metrics_are_those_of_the_original_pixels(study) -> None:
    prediction = load_prediction(study.predictions, "0LCC")
    path = study.folder / "0LCC_mask.png"
    rows = {row["map"]: row for row in image_rows(prediction, "0", {"malignant": path}, None, METHOD)}
    assert list(rows) == ["saliency", "global", "random"]
    mask = study.masks["0LCC"].ravel()
    for name in ("saliency", "global"):
        s = np.rint(prediction.grid.restore(prediction.maps[name][1]).ravel().astype(float) * 65535) / 65535
        assert rows[name]["lesion_px"] == mask.sum() == 100
        assert rows[name]["pxap"] == pytest.approx(average_precision_score(mask, s), abs=1e-12)
        assert rows[name]["dice_soft"] == pytest.approx(2 * s @ mask / (s @ s + mask.sum()), abs=1e-12)


def test_the_random_map_is_at_the_floor_and_the_same_for_the_same_image(study, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "large.png"), np.pad(np.full((200, 200), 255, np.uint8), ((0, 800), (0, 800))))
    prediction = load_prediction(study.predictions, "0LCC")
    large = replace(prediction, grid=replace(prediction.grid, original_shape=(1000, 1000)))
    drawn = [
        image_rows(large, "0", {"malignant": tmp_path / "large.png"}, "image", Method(METRICS, seed=s))[-1]
        for s in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    share = 0.04
    assert drawn[0]["pxap"] == pytest.approx(share, rel=0.02)
    assert drawn[0]["dice_soft"] == pytest.approx(share / (1 / 3 + share), rel=0.02)  # E[S] = 1/2, E[S^2] = 1/3
    assert drawn[0]["dice_linear"] == pytest.approx(share / (1 / 2 + share), rel=0.02)


def test_a_mask_of_another_size_is_an_error(study, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "small.png"), np.ones((30, 25), np.uint8))
    prediction = load_prediction(study.predictions, "0LCC")
    for frame, size in (("image", r"\(60, 50\)"), ("window", r"\(48, 40\)")):
        message = (
            rf"small\.png: .*\(30, 25\) pixels. Expected {size}, since its mask_frame is '{frame}'.* benign_mask or"
        )
        with pytest.raises(ValueError, match=message):
            image_rows(prediction, "0", {"benign": tmp_path / "small.png"}, frame, METHOD)


def test_a_mask_of_the_window_is_compared_on_the_pixels_of_the_file(study, tmp_path: Path) -> None:
    """The window is mirrored, begins 4 rows below the image's first and 3 columns beside it."""
    prediction = load_prediction(study.predictions, "0LCC")
    window = np.zeros((48, 40), np.uint8)
    window[10:20, 0:8] = 255  # columns 0 to 2 lie in the padding
    mask = np.zeros((60, 50), np.uint8)
    mask[14:24, 45:50] = 255
    rows = {}
    for frame, pixels in (("window", window), ("image", mask)):
        cv2.imwrite(str(tmp_path / f"{frame}.png"), pixels)
        rows[frame] = image_rows(prediction, "0", {"malignant": tmp_path / f"{frame}.png"}, frame, METHOD)
    assert rows["window"] == rows["image"]
    assert rows["window"][0]["lesion_px"] == 50


def test_masks_of_a_class_that_is_not_predicted_are_left_out(one_class_study, tmp_path: Path) -> None:
    prediction = load_prediction(one_class_study.predictions, "0LCC")
    path = one_class_study.folder / "0LCC_mask.png"
    rows = image_rows(prediction, "0", {"benign": tmp_path / "never opened.png", "malignant": path}, None, METHOD)
    assert [(row["class"], row["map"]) for row in rows] == [("malignant", m) for m in ("saliency", "global", "random")]
    s = np.rint(prediction.grid.restore(prediction.maps["saliency"][0]).ravel().astype(float) * 65535) / 65535
    assert rows[0]["pxap"] == pytest.approx(
        average_precision_score(one_class_study.masks["0LCC"].ravel(), s), abs=1e-12
    )


def rows_of(**values: list[float]) -> pd.DataFrame:
    """Map name -> PxAP (and every other metric) of the images 0, 1, ..., one patient each."""
    rows = [
        {
            "image_id": str(i),
            "patient_id": str(i),
            "class": "malignant",
            "map": name,
            "lesion_px": 0 if np.isnan(v) else 7,
            "dice_soft": v,
            "pxap": v,
        }
        for name, column in values.items()
        for i, v in enumerate(column)
    ]
    return pd.DataFrame(rows)


def test_means_differences_and_ratios_by_hand() -> None:
    nan = float("nan")
    rows = rows_of(random=[0.1, 0.1, 0.1, nan], **{"global": [0.2, 0.5, 0.5, nan]}, saliency=[0.4, 0.6, 0.8, nan])
    table = map_tables(rows, Method(METRICS, bootstrap=200))["malignant"]
    assert list(table["maps"]) == ["saliency", "global", "random"]
    final = table["maps"]["saliency"]["pxap"]
    assert (final["n"], final["undefined"], final["reason"]) == (3, 1, None)
    assert final["value"] == pytest.approx(0.6)
    assert final["std"] == pytest.approx(np.std([0.4, 0.6, 0.8]))
    assert 0.4 - 1e-9 <= final["low"] < 0.6 < final["high"] <= 0.8 + 1e-9
    difference = table["saliency_minus_global"]["dice_soft"]
    assert difference["value"] == pytest.approx(np.mean([0.2, 0.1, 0.3]))
    assert 0.1 - 1e-9 <= difference["low"] < difference["high"] <= 0.3 + 1e-9
    assert difference["undefined"] == 1
    assert list(table["ratio_to_random"]) == ["saliency", "global"]
    assert table["ratio_to_random"]["saliency"]["pxap"]["value"] == pytest.approx(6)
    assert table["ratio_to_random"]["saliency"]["pxap"]["low"] >= 4 - 1e-9


def test_without_masks_without_lesions_and_without_a_global_map() -> None:
    tables = map_tables(rows_of(random=[float("nan")], saliency=[float("nan")]), Method(METRICS, bootstrap=50))
    assert tables["benign"] == {"maps": {}, "saliency_minus_global": {}, "ratio_to_random": {}}
    final = tables["malignant"]["maps"]["saliency"]["pxap"]
    assert np.isnan([final["value"], final["std"], final["low"], final["high"]]).all()
    assert (final["n"], final["undefined"], final["reason"]) == (0, 1, "every mask is empty")
    assert tables["malignant"]["saliency_minus_global"] == {}
    assert np.isnan(tables["malignant"]["ratio_to_random"]["saliency"]["pxap"]["value"])


def test_a_metric_that_is_undefined_on_lesions_does_not_blame_the_masks() -> None:
    rows = rows_of(random=[0.1], saliency=[float("nan")]).assign(lesion_px=7)
    final = map_tables(rows, Method(METRICS, bootstrap=50))["malignant"]["maps"]["saliency"]["pxap"]
    assert (final["n"], final["undefined"], final["reason"]) == (0, 1, "undefined in every image")


def test_a_floor_of_zero_gives_no_ratio() -> None:
    ratio = map_tables(rows_of(random=[0.0, 0.0], saliency=[0.5, 0.5]), Method(METRICS, bootstrap=50))["malignant"][
        "ratio_to_random"
    ]
    assert np.isnan(ratio["saliency"]["pxap"]["value"])
    assert ratio["saliency"]["pxap"]["replicates_dropped"] == 50
    assert ratio["saliency"]["pxap"]["reason"] is not None
