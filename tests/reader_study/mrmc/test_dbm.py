"""Dorfman-Berbaum-Metz against RJafroc's stored analysis of the data of Van Dyke et al. 1993 (8 decimals)."""

from dataclasses import astuple
from types import SimpleNamespace

import numpy as np
import pytest

from mammoseg.reader_study.mrmc import orh
from mammoseg.reader_study.mrmc.covariance import jackknife
from mammoseg.reader_study.mrmc.dbm import PseudovalueStudy, analyse, pseudovalues
from mammoseg.reader_study.mrmc.merit import AUC
from mammoseg.reader_study.mrmc.orh import BOTH, CASES, READERS


@pytest.fixture(scope="module")
def study(van_dyke: SimpleNamespace) -> PseudovalueStudy:
    return analyse(pseudovalues(AUC, van_dyke.labels, van_dyke.scores_TRN, van_dyke.patients)[1])


def test_mean_squares(study: PseudovalueStudy) -> None:
    published = {
        "T": 0.54676344,
        "R": 0.43732680,
        "C": 0.39686988,
        "TR": 0.06281749,
        "TC": 0.09984808,
        "RC": 0.06450106,
        "TRC": 0.03997160,
    }
    assert dict(study.mean_squares) == pytest.approx(published, abs=5e-9)


def test_tests_and_intervals(study: PseudovalueStudy) -> None:
    tests = {random: each.test for random, each in study.analyses.items() if each.test}
    assert {r: (round(t.statistic, 2), round(t.df2, 2), round(t.p, 4)) for r, t in tests.items()} == {
        BOTH: (4.46, 15.26, 0.0517),
        CASES: (5.48, 113, 0.0210),
        READERS: (8.70, 4, 0.0420),
    }
    intervals = {r: each.differences[0, 1] for r, each in study.analyses.items()}
    assert (intervals[CASES].low, intervals[CASES].high) == pytest.approx((-0.08088, -0.00672), abs=5e-6)
    assert (intervals[BOTH].low, intervals[BOTH].high) == pytest.approx((-0.08796, 0.00036), abs=5e-6)
    alone = [(each.low, each.high) for each in study.analyses[CASES].modalities]
    assert alone == [
        pytest.approx((0.84891474, 0.94515933), abs=5e-9),
        pytest.approx((0.90760044, 0.97407428), abs=5e-9),
    ]


def test_same_as_orh_with_patients_of_several_cases(van_dyke: SimpleNamespace) -> None:
    """Hillis et al. 2005: with shifted pseudovalues the two are one method, also where a patient is left out as a whole."""
    patients = [f"p{number // 3}" for number in range(van_dyke.labels.size)]
    whole, values = pseudovalues(AUC, van_dyke.labels, van_dyke.scores_TRN, patients)
    np.testing.assert_allclose(values.mean(axis=2), whole)
    by_pseudovalues = analyse(values).analyses[BOTH]
    by_covariances = orh.analyse(jackknife(AUC, van_dyke.labels, van_dyke.scores_KN, patients), 2).analyses[BOTH]
    pairs = [astuple(each.differences[0, 1]) for each in (by_pseudovalues, by_covariances)]
    np.testing.assert_allclose(*pairs, rtol=1e-8)
