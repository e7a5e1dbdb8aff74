"""Numbers of R 4, pROC 1.18.0: `roc(y, a, direction="<")`, then auc, var, cov and roc.test of the cases of conftest.py."""

import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mammoseg.metrics.auc import measure, roc_auc
from mammoseg.statistics.bootstrap import patient_weights
from mammoseg.statistics.delong import delong

PROC = [0.8298, 0.8302, 0.000975698560623, 0.000979423895052, 0.000180463852440]
"""auc(ra), auc(rb), var(ra), var(rb), cov(ra, rb)"""


def five(labels: np.ndarray, scores: np.ndarray) -> list[float]:
    areas = delong(labels, scores)
    return [*areas.auc, areas.covariance[0, 0], areas.covariance[1, 1], areas.covariance[0, 1]]


def test_areas_and_covariance_are_those_of_proc(made) -> None:
    assert five(made.y, np.stack([made.a, made.b])) == pytest.approx(PROC, abs=1e-12)


def test_against_proc_where_it_is_installed(tmp_path) -> None:
    rscript = shutil.which("Rscript")
    if rscript is None or subprocess.run([rscript, "-e", "library(pROC)"], capture_output=True, check=False).returncode:
        pytest.skip("needs R with pROC")
    rng = np.random.default_rng(5)
    labels = (rng.random(300) < 0.2).astype(float)
    scores = np.round(rng.normal(size=(2, 300)) + labels, 1)
    np.savetxt(tmp_path / "cases.csv", np.column_stack([labels, scores.T]), delimiter=",")
    code = """x <- read.csv("cases.csv", header=FALSE); suppressMessages(library(pROC))
    r <- lapply(x[2:3], function(s) roc(x[[1]], s, direction="<", quiet=TRUE))
    cat(format(c(auc(r[[1]]), auc(r[[2]]), var(r[[1]]), var(r[[2]]), cov(r[[1]], r[[2]])), digits=15))"""
    done = subprocess.run([rscript, "-e", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert five(labels, scores) == pytest.approx([float(number) for number in done.stdout.split()], abs=1e-9)


def obuchowski_by_hand(labels: np.ndarray, scores: np.ndarray, patients: np.ndarray) -> tuple[float, float]:
    """AUC and variance of one score by the sums of the paper (Obuchowski 1997, eq. 3 to 7), pair by pair."""
    x, y = scores[labels == 1], scores[labels == 0]
    who_x, who_y = patients[labels == 1], patients[labels == 0]
    psi = np.array([[1.0 if a > b else 0.5 if a == b else 0.0 for b in y] for a in x])
    auc, m, n = psi.mean(), len(x), len(y)
    s10 = s01 = s11 = 0.0
    i10, i01, everyone = len(set(who_x)), len(set(who_y)), len(set(patients))
    for patient in set(patients.tolist()):
        v10 = sum(row.mean() for row in psi[who_x == patient]) - (who_x == patient).sum() * auc
        v01 = sum(column.mean() for column in psi[:, who_y == patient].T) - (who_y == patient).sum() * auc
        s10 += v10**2 * i10 / ((i10 - 1) * m)
        s01 += v01**2 * i01 / ((i01 - 1) * n)
        s11 += v10 * v01 * everyone / (everyone - 1)
    return auc, s10 / m + s01 / n + 2 * s11 / (m * n)


def test_patients_by_hand(made) -> None:
    areas = delong(made.y, np.stack([made.a, made.b]), made.patients)
    for row, scores in enumerate((made.a, made.b)):
        auc, variance = obuchowski_by_hand(made.y, scores, made.patients)
        assert areas.auc[row] == pytest.approx(auc, abs=1e-12)
        assert areas.covariance[row, row] == pytest.approx(variance, rel=1e-9)
    total = delong(made.y, np.stack([made.a, made.b]), [f"p{i:03d}" for i in made.patients])
    assert np.array_equal(total.covariance, areas.covariance)
    assert areas.covariance == pytest.approx(areas.covariance.T, rel=1e-12)


def test_a_patient_for_each_case_is_delong(made) -> None:
    assert np.allclose(
        delong(made.y, [made.a, made.d], np.arange(200)).covariance,
        delong(made.y, [made.a, made.d]).covariance,
        rtol=1e-12,
    )


def test_copies_of_cases_within_a_patient_tell_nothing_new(made) -> None:
    twice = delong(np.tile(made.y, 2), np.tile([made.a, made.b], 2), np.tile(np.arange(200), 2))
    assert np.allclose(twice.covariance, delong(made.y, [made.a, made.b]).covariance, rtol=1e-9)


def test_agrees_with_the_bootstrap_over_patients(made) -> None:
    drawn = np.concatenate([measure(made.y, made.a, weights) for weights in patient_weights(made.patients, 4000, 0)])
    assert np.sqrt(delong(made.y, made.a, made.patients).covariance[0, 0]) == pytest.approx(drawn.std(), rel=0.06)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 9)), max_size=30))
def test_any_cases_have_an_auc_and_a_covariance_without_negative_variance(cases: list[tuple[int, int, int]]) -> None:
    labels, scores, patients = np.array([*cases, (0, 3, 10), (1, 3, 11), (0, 2, 12), (1, 1, 13)]).T
    areas = delong(labels, [scores, -scores], patients)
    assert areas.auc == pytest.approx([roc_auc(labels, scores), roc_auc(labels, -scores)], abs=1e-12)
    assert np.linalg.eigvalsh(areas.covariance).min() > -1e-12


def test_the_interval_stays_inside(made) -> None:
    low, high = delong(made.y, made.a).interval()
    assert 0 < low < 0.8298 < high < 1
    assert np.isnan(delong([0, 0, 1, 1], [1, 2, 3, 4]).interval()).all()


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([0, 0, 0], "no case with a positive label"),
        ([1, 1, 1], "no case with a negative label"),
        ([1, 0, 0], "one positive patient alone"),
        ([1, 1, 0], "one negative patient alone"),
    ],
)
def test_what_is_undefined_says_why(labels: list[int], reason: str) -> None:
    areas = delong(labels, [[0.1, 0.2, 0.3]] * 2)
    assert areas.reason is not None
    assert areas.reason.startswith(reason)
    assert np.isnan(areas.covariance).all()
    assert np.isnan(areas.auc).all() == (reason.startswith("no case"))


def test_unknown_labels_and_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 labels are neither 0 nor 1"):
        delong([0, np.nan], [0.1, 0.2])
    with pytest.raises(ValueError, match="1 of 4 scores are not finite"):
        delong([0, 1], [[0.1, 0.2], [np.nan, 0.3]])
