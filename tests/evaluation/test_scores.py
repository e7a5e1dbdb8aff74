from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.evaluation.scores import breast_table, level_tables, ranking, score_tables
from mammoseg.records.label import CLASSES

NAN = float("nan")
METRICS = load_metrics()


def method(bootstrap: int) -> Method:
    return Method(METRICS, bootstrap=bootstrap)


def images_of(*rows: tuple[str, str, float, float], **columns: list[object]) -> pd.DataFrame:
    """One image per (patient, side, malignant label, malignant score); benign is unknown everywhere."""
    table = pd.DataFrame(rows, columns=["patient_id", "laterality", "malignant", "score_final_malignant"])
    return table.assign(exam_id=table["patient_id"], benign=NAN, score_final_benign=0.5, **columns)


def levels(images: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return level_tables(images, ["final"], CLASSES)


def test_a_breast_is_the_mean_of_its_images_and_as_positive_as_the_worst() -> None:
    images = images_of(
        ("p", "L", 1, 0.2), ("p", "L", NAN, 0.6), ("p", "R", 0, 0.4), ("q", "L", 0, 0.1), ("q", "L", NAN, 0.3)
    )
    breasts = breast_table(images, ["final"], CLASSES).set_index(["patient_id", "laterality"])
    assert breasts["score_final_malignant"].to_dict() == pytest.approx(
        {("p", "L"): 0.4, ("p", "R"): 0.4, ("q", "L"): 0.2}
    )
    assert breasts.loc[("p", "L"), "malignant"] == 1
    assert breasts.loc[("p", "R"), "malignant"] == 0
    assert np.isnan(breasts.loc[("q", "L"), "malignant"]), (
        "a breast with an unlabelled image is not known to be negative"
    )


def test_unknown_labels_are_left_out_and_counted() -> None:
    images = images_of(("p", "L", 1, 0.8), ("q", "L", 0, 0.3), ("r", "L", NAN, 0.9))
    result = ranking(images, "malignant", "final", method(100))
    counts = {k: result[k] for k in ("n", "positives", "negatives", "unknown", "unscored", "reason")}
    assert counts == {"n": 2, "positives": 1, "negatives": 1, "unknown": 1, "unscored": 0, "reason": None}
    assert result["auc"]["value"] == 1.0
    assert 0 < result["auc"]["replicates_dropped"] < 100  # draws of one patient twice


def patients_of(positive: int, negative: int) -> pd.DataFrame:
    """Two images a patient; the score of each is a little higher with a lesion."""
    rows = [(f"p{i}", side, float(i < positive), i % 7 + 3.5 * (i < positive)) for i in range(positive + negative)
            for side in "LR"]  # fmt: skip
    return images_of(*rows)


@pytest.mark.parametrize(
    ("positive", "negative", "caution"),
    [
        (10, 10, None),
        (9, 12, "caution: only 9 positive patients"),
        (12, 1, "caution: only 1 negative patient"),
        (3, 4, "caution: only 3 positive and 4 negative patients"),
    ],
)
def test_few_patients_are_told_however_many_images_they_have(positive: int, negative: int, caution: str | None) -> None:
    result = ranking(patients_of(positive, negative), "malignant", "final", method(0))
    assert (result["positives"], result["positive_patients"], result["negative_patients"]) == (
        2 * positive,
        positive,
        negative,
    )
    assert result["caution"] == caution


def test_one_positive_patient_has_an_auc_but_no_interval() -> None:
    auc = ranking(patients_of(1, 30), "malignant", "final", method(500))["auc"]
    assert 0 <= auc["value"] <= 1
    assert np.isnan([auc["low"], auc["high"]]).all()
    assert auc["replicates_dropped"] > 100
    assert auc["no_interval"].startswith(f"{500 - auc['replicates_dropped']} of 500 replicates are defined")
    several = ranking(patients_of(3, 30), "malignant", "final", method(500))["auc"]
    assert several["low"] < several["value"] <= several["high"]
    assert several["no_interval"] is None


def test_a_missing_class_is_undefined_with_a_reason() -> None:
    result = score_tables(levels(images_of(("p", "L", 0, 0.8), ("q", "R", 0, 0.3))), ["final"], method(50))["breast"][
        "malignant"
    ]
    assert np.isnan([result["final"]["auc"][key] for key in ("value", "low", "high")]).all()
    assert result["final"]["reason"] == "no case with a positive label"
    unknown = ranking(images_of(("p", "L", 0, 0.8)), "benign", "final", method(50))
    assert unknown["reason"] == "no case with a positive and none with a negative label"
    assert unknown["unknown"] == 1


@pytest.mark.filterwarnings("error")
def test_a_class_nobody_predicted() -> None:
    images = images_of(("p", "L", 1, 0.8), ("q", "L", 0, 0.3)).assign(score_final_benign=NAN, benign=[0.0, 1.0])
    for level, table in score_tables(levels(images), ["final"], method(50)).items():
        result = table["benign"]["final"]
        assert (result["n"], result["unscored"], result["reason"]) == (0, 2, "the model does not predict this class"), (
            level
        )
        assert np.isnan(
            [result[m][key] for m in ("auc", "average_precision") for key in ("value", "low", "high")]
        ).all()
        assert table["malignant"]["final"]["auc"]["value"] == 1.0


def test_a_part_that_only_some_images_have() -> None:
    images = images_of(
        ("p", "L", 1, 0.8), ("q", "L", 0, 0.3), ("r", "L", 0, 0.9), score_local_malignant=[0.7, 0.1, NAN]
    )
    result = ranking(images, "malignant", "local", method(0))
    assert (result["n"], result["unscored"], result["auc"]["value"]) == (2, 1, 1.0)


def test_the_highest_breast_is_the_score_of_an_exam() -> None:
    images = images_of(
        ("p", "L", 0, 0.2),
        ("p", "L", 0, 0.6),
        ("p", "R", 1, 0.1),
        ("q", "L", 0, 0.9),
        ("q", "R", NAN, 0.1),
        ("r", "L", 0, 0.3),
    )
    tables = level_tables(images, ["final"], CLASSES)
    assert list(tables) == ["image", "breast", "exam"]
    exams = tables["exam"].set_index("patient_id")
    assert exams["score_final_malignant"].to_dict() == pytest.approx({"p": 0.4, "q": 0.9, "r": 0.3})
    assert exams["malignant"].fillna(-1).to_dict() == {"p": 1, "q": -1, "r": 0}


def test_levels_that_are_not_there() -> None:
    assert list(level_tables(images_of(("p", "", 0, 0.2)), ["final"], CLASSES, ["image"])) == ["image"]


@pytest.mark.shared
def test_published_reader_study(shared: Path) -> None:
    """The public scores of 1440 breasts through the table code, against the figures computed beforehand."""
    study = pd.read_csv(shared / "data/reader_study/results.csv")
    expected = pd.read_csv(shared / "spec/tables/reader_study_recomputed.csv").set_index("column_or_group")
    systems = [name for name in study if name.endswith("_POM")]
    images = study.rename(columns={"case_ID": "patient_id", "side": "laterality", "label": "malignant"})
    images = images.rename(columns={name: f"score_{name}_malignant" for name in systems})
    images = images.assign(exam_id=images["patient_id"], benign=NAN, **{f"score_{n}_benign": NAN for n in systems})
    results = score_tables(level_tables(images, systems, CLASSES), systems, method(40))["breast"]
    for name in systems:
        result = results["malignant"][name]
        assert (result["n"], result["positives"]) == (1440, 61)
        assert result["auc"]["value"] == pytest.approx(expected.loc[name, "auc"], abs=5.1e-5)
        assert result["average_precision"]["value"] == pytest.approx(
            expected.loc[name, "average_precision"], abs=5.1e-5
        )
        assert result["auc"]["low"] < result["auc"]["value"] < result["auc"]["high"]
    assert results["benign"][systems[0]]["reason"] == "the model does not predict this class"
