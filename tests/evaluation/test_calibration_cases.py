"""Which cases count, as which probabilities, and how much each."""

import numpy as np
import pandas as pd
import pytest

from mammoseg.calibrate import calibrate
from mammoseg.data.manifest import Manifest
from mammoseg.evaluation.calibration_cases import sources_of
from mammoseg.evaluation.method import Method


def table(scores: list[float], labels: list[float]) -> pd.DataFrame:
    patients = [f"p{n // 2}" for n in range(len(scores))]
    return pd.DataFrame({"patient_id": patients, "malignant": labels, "score_final_malignant": scores})


def test_unknown_labels_and_missing_scores_are_left_out() -> None:
    [cases] = sources_of(table([0.1, 0.2, np.nan, 0.4], [0, np.nan, 1, 1]), "malignant", None)
    assert (cases.source, cases.labels.tolist(), cases.probabilities.tolist()) == ("final", [0, 1], [0.1, 0.4])
    assert cases.counts.tolist() == [1, 1]
    assert cases.prevalence == 0.5
    assert cases.moved(0.3) == 0.3


def test_scores_that_are_no_probabilities_have_no_source() -> None:
    assert list(sources_of(table([-2.0, 3.0], [0, 1]), "malignant", None)) == []


def test_cases_are_weighted_to_the_prevalence_that_the_calibration_is_for(scored_study: Manifest) -> None:
    made = calibrate(scored_study.path.parent / "predictions", scored_study, prevalence=0.01).calibration
    final, calibrated = sources_of(table([0.2, 0.5, 0.6, 0.9], [0, 0, 1, 1]), "malignant", made)
    assert calibrated.probabilities.tolist() == made.probabilities("malignant", final.scores).tolist()
    for cases in (final, calibrated):
        assert cases.counts == pytest.approx([1.98, 1.98, 0.02, 0.02])
        assert cases.prevalence == pytest.approx(0.01)
        assert cases.moved(0.5) == pytest.approx(0.01)


def test_draws_are_of_patients_and_weighted(scored_study: Manifest) -> None:
    """Cases 0 and 1 are of one patient."""
    made = calibrate(scored_study.path.parent / "predictions", scored_study, prevalence=0.01).calibration
    final, _ = sources_of(table([0.2, 0.5, 0.6, 0.9], [0, 1, 0, 1]), "malignant", made)
    drawn = np.concatenate(list(final.draws(Method({}, bootstrap=50))))
    assert drawn.shape == (50, 4)
    assert final.counts == pytest.approx([1.98, 0.02, 1.98, 0.02])
    assert ((drawn[:, 0] > 0) == (drawn[:, 1] > 0)).all()
    assert drawn[:, [1, 3]].sum(axis=1) == pytest.approx(0.04)
    assert final.sides == (2, 2)
    [alone] = sources_of(table([0.1, 0.2], [0, 1]), "malignant", None)
    assert list(alone.draws(Method({}, bootstrap=50))) == []
