from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from mammoseg.metrics.auc import roc_auc
from mammoseg.metrics.average_precision import measure

Cases = tuple[NDArray[np.float64], NDArray[np.float64]]


@st.composite
def cases(draw: st.DrawFn) -> Cases:
    """Labels with both classes, and scores with many ties."""
    labels = [*draw(st.lists(st.integers(0, 1), max_size=40)), 0, 1]
    scores = draw(st.lists(st.integers(0, 9), min_size=len(labels), max_size=len(labels)))
    return np.array(labels, dtype=float), np.array(scores) / 8


def test_by_hand() -> None:
    labels, scores = [0, 1, 0, 1], [0.1, 0.2, 0.2, 0.9]
    assert roc_auc(labels, scores) == (1 + 0.5 + 2) / 4  # 0.2 beats 0.1 and ties 0.2; 0.9 beats both


@given(cases())
def test_equals_scikit_learn(case: Cases) -> None:
    labels, scores = case
    assert roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(cases())
def test_auc_depends_on_ranks_only_and_mirrors(case: Cases) -> None:
    labels, scores = case
    value = roc_auc(labels, scores)
    assert roc_auc(labels, np.exp(3 * scores)) == value
    assert roc_auc(labels, -scores) == pytest.approx(1 - value, abs=1e-12)
    assert roc_auc(1 - labels, scores) == pytest.approx(1 - value, abs=1e-12)
    assert roc_auc(labels, np.zeros_like(scores)) == 0.5


def test_a_missing_class_is_undefined_not_zero() -> None:
    assert np.isnan(roc_auc([1, 1], [0.2, 0.4]))
    assert np.isnan(roc_auc([0, 0], [0.2, 0.4]))
    assert np.isnan(roc_auc([], []))


def test_unknown_labels_and_scores_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1 of 3 labels are neither 0 nor 1.*leave these cases out"):
        roc_auc([0, 1, np.nan], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="1 of 2 scores are not finite"):
        roc_auc([0, 1], [0.1, np.nan])
    with pytest.raises(ValueError, match="do not belong together"):
        roc_auc([0, 1], [0.1, 0.2, 0.3])


@pytest.mark.shared
def test_published_reader_study(shared: Path) -> None:
    """1440 breasts, fourteen readers and seven systems: the figures computed beforehand, to their four decimals."""
    study = pd.read_csv(shared / "data/reader_study/results.csv")
    expected = pd.read_csv(shared / "spec/tables/reader_study_recomputed.csv").set_index("column_or_group")
    systems = [name for name in study if name.endswith("_POM")]
    assert len(systems) == 21
    for name in systems:
        assert roc_auc(study["label"], study[name]) == pytest.approx(expected.loc[name, "auc"], abs=5.1e-5)
        ap = measure(study["label"], study[name], np.ones((1, len(study))))[0]
        assert ap == pytest.approx(expected.loc[name, "average_precision"], abs=5.1e-5)
