"""The stored operating point: which threshold, and what is told of it."""

from typing import Any

import numpy as np
import pytest

from mammoseg.calibration.points import choose, read_rule
from mammoseg.calibration.stored import CalibrationError
from mammoseg.statistics.operating import operating_point

PATIENTS = np.repeat(np.arange(500), 2)


@pytest.mark.parametrize("text", ["sensitivity=0.9", "specificity=0.9", "recall_rate=0.1", "threshold=0.2"])
def test_is_the_point_of_the_statistics(text: str, many: Any) -> None:
    rule, target = read_rule(text)
    found = choose(*many, PATIENTS, rule, target, None, replicates=200)
    name = "given" if rule == "threshold" else rule
    expected = operating_point(*many, PATIENTS, name, target, "bootstrap", replicates=200)
    assert found.threshold == expected.threshold
    for measure, number in found.found.items():
        same = expected.measures[measure]
        assert (number.value, number.low, number.high) == pytest.approx((same.value, same.low, same.high))


def test_a_recall_rate_is_aimed_at_in_the_population(many: Any) -> None:
    """By hand: of 1000 with 1 % positive, 10 se + 990 (1 - sp) are recalled."""
    found = choose(*many, PATIENTS, "recall_rate", 0.1, 0.01, replicates=0)
    recalled = many.probabilities >= found.threshold
    se, false = recalled[many.labels == 1].mean(), recalled[many.labels == 0].mean()
    rate = 0.01 * se + 0.99 * false
    assert 0.098 < rate <= 0.1
    numbers = {name: number.value for name, number in found.found.items()}
    assert numbers["sensitivity"] == pytest.approx(se)
    assert numbers["specificity"] == pytest.approx(1 - false)
    assert numbers["recall_rate"] == pytest.approx(rate)
    assert numbers["ppv"] == pytest.approx(0.01 * se / rate)
    assert numbers["npv"] == pytest.approx(0.99 * (1 - false) / (1 - rate))
    assert found.prevalence == 0.01
    assert found.threshold != choose(*many, PATIENTS, "recall_rate", 0.1, None, replicates=0).threshold


def test_sensitivity_does_not_ask_for_the_prevalence(many: Any) -> None:
    one, other = (choose(*many, PATIENTS, "sensitivity", 0.8, share, replicates=0) for share in (None, 0.01))
    assert one.threshold == other.threshold
    assert one.found["sensitivity"].value == pytest.approx(other.found["sensitivity"].value)
    assert one.found["ppv"].value > other.found["ppv"].value  # type: ignore[operator]


def test_nobody_is_recalled_where_not_even_the_highest_score_will_do(many: Any) -> None:
    for prevalence in (None, 0.01):
        found = choose(*many, PATIENTS, "recall_rate", 0, prevalence, replicates=0)
        assert found.threshold > many.probabilities.max()
        assert found.found["ppv"].value is None


@pytest.mark.parametrize(
    "text", ["sensitivity", "sensitivity=", "sensitivity=2", "ppv=0.5", "=0.9", "recall_rate=nan", "a" * 999]
)
def test_refuses_another_rule(text: str) -> None:
    with pytest.raises(CalibrationError, match="expected a rule and a share"):
        read_rule(text)
