from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mammoseg.statistics.operating import MEASURES, measures_at, operating_point, threshold

LABELS = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1.0])
SCORES = np.array([0.1, 0.2, 0.2, 0.4, 0.8, 0.2, 0.5, 0.6, 0.7, 0.9])
WHO = [str(i) for i in range(10)]


@pytest.mark.parametrize(
    ("rule", "target", "expected"),
    [
        ("sensitivity", 0.8, 0.5),
        ("sensitivity", 0.81, 0.2),
        ("sensitivity", 1.0, 0.2),
        ("specificity", 0.8, 0.5),
        ("specificity", 0.6, 0.4),
        ("recall_rate", 0.5, 0.5),
        ("recall_rate", 0.1, 0.9),
        ("given", 0.3, 0.3),
        ("given", -7, -7),
    ],
)
def test_the_threshold_by_hand(rule: str, target: float, expected: float) -> None:
    assert threshold(LABELS, SCORES, rule, target) == expected


def test_where_no_score_will_do_nobody_is_called() -> None:
    cut = threshold(LABELS, SCORES, "recall_rate", 0.05)
    assert cut > 0.9
    point = operating_point(LABELS, SCORES, WHO, "recall_rate", 0.05)
    assert (point.true_positives, point.false_positives) == (0, 0)
    assert point.measures["ppv"].reason == "no case"
    assert threshold(LABELS, -LABELS, "specificity", 1.0) > 0 - 1e-300


def test_the_five_measures_by_hand() -> None:
    point = operating_point(LABELS, SCORES, WHO, "given", 0.5)
    assert (point.true_positives, point.false_positives, point.true_negatives, point.false_negatives) == (4, 1, 4, 1)
    assert {name: (found.k, found.n) for name, found in point.measures.items()} == {
        "sensitivity": (4, 5), "specificity": (4, 5), "recall_rate": (5, 10), "ppv": (4, 5), "npv": (4, 5),
    }  # fmt: skip
    assert all(found.low < found.value < found.high for found in point.measures.values())


@pytest.mark.parametrize("rule", ["sensitivity", "specificity", "recall_rate", "given"])
def test_a_replicate_is_a_study_of_its_own(made, rule: str) -> None:
    """Threshold and measures of weights are those of cases that are there as often."""
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 4, (20, 200)).astype(float)
    found = measures_at(made.y, made.a, weights, rule, 0.7)
    for row, times in enumerate(weights.astype(int)):
        labels, scores = np.repeat(made.y, times), np.repeat(made.a, times)
        point = operating_point(labels, scores, np.arange(labels.size), rule, 0.7)
        for name in MEASURES:
            assert found[name][row] == pytest.approx(point.measures[name].value, abs=1e-12), name


def test_a_threshold_chosen_again_makes_specificity_less_certain(made) -> None:
    held = operating_point(made.y, made.a, made.patients, "sensitivity", 0.9)
    again = operating_point(made.y, made.a, made.patients, "sensitivity", 0.9, "bootstrap", replicates=500)
    assert again.threshold == held.threshold
    wide, short = (point.measures["specificity"] for point in (again, held))
    assert wide.value == short.value
    assert wide.high - wide.low > 1.3 * (short.high - short.low)
    assert (wide.method, short.method) == ("bootstrap by patient", "wilson by patient")


def test_a_missing_class_has_no_threshold_but_a_given_one_holds() -> None:
    negatives = operating_point([0, 0], [0.1, 0.9], ["a", "b"], "sensitivity", 0.9)
    assert np.isnan(negatives.threshold)
    assert negatives.measures["specificity"].reason == "no threshold: a class has no case"
    given = operating_point([0, 0], [0.1, 0.9], ["a", "b"], "given", 0.5)
    assert given.measures["sensitivity"].reason == "no case"
    assert given.measures["specificity"].value == 0.5


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="rule 'youden'; expected one of sensitivity"):
        threshold(LABELS, SCORES, "youden", 0.5)
    with pytest.raises(ValueError, match=r"sensitivity of 90; expected a share from 0 to 1\. Give 0\.9 for 90 %"):
        threshold(LABELS, SCORES, "sensitivity", 90)
    with pytest.raises(ValueError, match="method 'exact'; expected one of"):
        operating_point(LABELS, SCORES, WHO, "given", 0.5, "exact")


@pytest.mark.shared
def test_published_reader_study(shared: Path) -> None:
    study = pd.read_csv(shared / "data/reader_study/results.csv")
    expected = pd.read_csv(shared / "spec/tables/reader_study_recomputed.csv").set_index("column_or_group")
    for name in [column for column in study if column.endswith("_POM")]:
        point = operating_point(study["label"], study[name], study["case_ID"], "sensitivity", 0.621)
        assert point.measures["specificity"].value == pytest.approx(
            expected.loc[name, "spec_at_sens_0.621"], abs=5.1e-5
        )
        assert point.measures["sensitivity"].value == pytest.approx(expected.loc[name, "achieved_sens"], abs=5.1e-5)
        other = operating_point(study["label"], study[name], study["case_ID"], "sensitivity", 0.768)
        assert other.measures["specificity"].value == pytest.approx(
            expected.loc[name, "spec_at_sens_0.768"], abs=5.1e-5
        )
