from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from mammoseg.config import ConfigError
from mammoseg.evaluation.breakdowns import breakdowns
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.evaluation.scores import level_tables

METRICS = load_metrics()


def cohort(patients: int = 160, seed: int = 0) -> pd.DataFrame:
    """Two views of one breast of each patient; every fourth is positive; vendor y ranks worse."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(patients), 2)
    truth = (who % 4 == 0).astype(float)
    vendor = np.where(who % 8 < 4, "x", "y")
    score = truth * np.where(vendor == "x", 2.5, 0.5) + rng.normal(size=patients)[who] + rng.normal(size=who.size)
    table = pd.DataFrame({"patient_id": who.astype(str), "exam_id": "e", "laterality": "L", "malignant": truth})
    kind = np.where(truth == 1, np.where(who % 3 == 0, "mass", "calcification"), None)
    table = table.assign(view=np.tile(["CC", "MLO"], patients), vendor=vendor, kind=kind)
    return table.assign(age=(40 + who % 37).astype(str), score_final_malignant=score)


def broken_down(images: pd.DataFrame, *by: str, bootstrap: int = 0, **cuts: list[float]) -> dict[str, Any]:
    tables = level_tables(images, ["final"], ["malignant"])
    return breakdowns(images, tables, by, Method(METRICS, ("malignant",), bootstrap), cuts)


def test_a_property_of_breasts_is_measured_by_breast() -> None:
    images = cohort()
    found = broken_down(images, "vendor")["vendor"]
    assert (found["level"], found["columns"], list(found["values"])) == ("breast", ["vendor"], ["x", "y"])
    breasts = images.groupby("patient_id").agg({"score_final_malignant": "mean", "malignant": "max", "vendor": "first"})
    for vendor, part in breasts.groupby("vendor"):
        expected = roc_auc_score(part["malignant"], part["score_final_malignant"])
        assert found["values"][vendor]["malignant"]["auc"]["value"] == pytest.approx(expected)


def test_a_property_of_images_is_measured_by_image() -> None:
    found = broken_down(cohort(), "view")["view"]
    assert found["level"] == "image"
    assert found["values"]["CC"]["malignant"]["n"] == 160


def test_vendors_that_differ_and_views_that_do_not_are_told_apart() -> None:
    found = broken_down(cohort(), "vendor", "view")
    vendor, view = (found[name]["heterogeneity"]["malignant"] for name in ("vendor", "view"))
    assert vendor["p"] < 0.01
    assert view["p"] > 0.05
    assert vendor["difference"]["of"] == "y minus x"
    assert vendor["difference"]["high"] < 0
    assert (vendor["tests"], view["tests"]) == (2, 2)
    assert [vendor["p_holm"], view["p_holm"]] == pytest.approx(
        multipletests([vendor["p"], view["p"]], method="holm")[1].tolist()
    )


def test_the_kind_of_a_lesion_is_measured_against_all_negatives() -> None:
    images = cohort()
    found = broken_down(images, "kind")["kind"]
    assert found["against_all_negatives"] == {"malignant": ["kind"]}
    assert {name: each["malignant"]["n"] for name, each in found["values"].items() if name != "unknown"} == {
        "calcification": 146, "mass": 134,
    }  # fmt: skip
    both = broken_down(images, "kind,vendor")["kind,vendor"]
    mass = both["values"]["mass / x"]["malignant"]
    assert (mass["positives"], mass["negatives"]) == (7, 60)
    assert found["heterogeneity"]["malignant"]["groups"] == ["calcification", "mass"]


def test_groups_of_few_patients_have_their_caution_and_no_test() -> None:
    images = cohort()
    images["site"] = np.where(images["patient_id"].astype(int) < 8, "small", "large")
    found = broken_down(images, "site")["site"]
    assert found["values"]["small"]["malignant"]["caution"] == "caution: only 2 positive and 6 negative patients"
    test = found["heterogeneity"]["malignant"]
    assert test["left_out"] == {"small": "fewer than 10 positive or negative patients"}
    assert test["reason"] == "1 group to compare; needed: two"
    assert np.isnan(test["p"])


def test_numbers_are_cut() -> None:
    found = broken_down(cohort(), "age", age=[50, 60])["age"]
    assert list(found["values"]) == ["below 50", "50 to below 60", "60 and above"]
    assert found["cuts"] == {"age": {"edges": [50, 60], "by": "stated"}}
    assert broken_down(cohort(), "age")["age"]["cuts"]["age"]["by"] == "quartiles of the images"


def test_rows_without_a_value_are_a_group_that_is_not_tested() -> None:
    images = cohort()
    images.loc[images["patient_id"].astype(int) < 80, "vendor"] = None
    found = broken_down(images, "vendor")["vendor"]
    assert "unknown" in found["values"]
    assert found["heterogeneity"]["malignant"]["left_out"] == {"unknown": "the value is unknown"}


def test_values_that_look_like_two_stay_apart() -> None:
    images = cohort(8)
    images["a"] = np.where(images["view"] == "CC", "p / q", "p")
    images["b"] = np.where(images["view"] == "CC", "r", "q / r")
    assert list(broken_down(images, "a,b")["a,b"]["values"]) == ["'p' / 'q / r'", "'p / q' / 'r'"]


def test_an_unknown_column() -> None:
    with pytest.raises(ConfigError, match="no such column"):
        broken_down(cohort(8), "nothing")
