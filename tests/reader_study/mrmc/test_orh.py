"""Obuchowski-Rockette-Hillis against the published analyses of the data of Van Dyke et al. 1993.

OR-DBM MRMC 2.51 of the University of Iowa (Hillis et al.): 8 decimals, as RJafroc stores its output. MRMCaov (Smith and Hillis): 10
digits, as its article prints them. Differences here are modality 0 minus modality 1, as there.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from mammoseg.reader_study.mrmc.covariance import Merits, delong, jackknife
from mammoseg.reader_study.mrmc.merit import AUC, sensitivity_at
from mammoseg.reader_study.mrmc.orh import BOTH, CASES, READERS, Study, analyse

exactly = pytest.approx


@pytest.fixture(scope="module")
def study(van_dyke: SimpleNamespace) -> Study:
    return analyse(jackknife(AUC, van_dyke.labels, van_dyke.scores_KN, van_dyke.patients), 2)


def test_variance_components_are_those_of_the_published_analyses(study: Study) -> None:
    found = study.components
    assert found.ms_t == exactly(0.004796171, abs=5e-10)
    assert found.ms_r == exactly(0.00383620, abs=5e-9)
    assert found.ms_tr == exactly(0.0005510306, abs=5e-11)
    assert found.var == exactly(0.0008022883, abs=5e-11)
    assert (found.cov1, found.cov2, found.cov3) == exactly((0.0003466137, 0.0003440748, 0.0002390284), abs=5e-11)
    assert found.var_reader == exactly(0.0015349993, abs=5e-11)
    assert found.var_modality_reader == exactly(0.0002004025, abs=5e-11)


def test_random_readers_and_cases(study: Study) -> None:
    found = study.analyses[BOTH]
    assert found.test is not None
    assert (round(found.test.statistic, 2), round(found.test.df2, 2)) == (4.46, 15.26)
    assert round(found.test.p, 4) == 0.0517
    difference = found.differences[0, 1]
    assert difference.value == exactly(-0.04380032, abs=5e-9)
    assert (difference.se, difference.low, difference.high) == exactly((0.02075, -0.08796, 0.00036), abs=5e-6)
    for mean, published in zip(
        found.modalities,
        (
            (0.89703704, 0.03317360, 0.82522360, 0.96885048, 12.74),
            (0.94083736, 0.02156637, 0.89413783, 0.98753689, 12.71),
        ),
        strict=True,
    ):
        assert (mean.value, mean.se, mean.low, mean.high) == exactly(published[:4], abs=5e-9)
        assert round(mean.df, 2) == published[4]


def test_fixed_readers(study: Study) -> None:
    found = study.analyses[CASES]
    assert found.test is not None
    assert (found.test.statistic, found.test.p) == exactly((5.475953, 0.01927984), abs=5e-7)
    difference = found.differences[0, 1]
    assert (difference.low, difference.high) == exactly((-0.08048591, -0.00711473), abs=5e-9)
    assert difference.se == exactly(0.01871748, abs=5e-9)
    assert [each.se for each in found.modalities] == exactly([0.02428971, 0.01677632], abs=5e-9)
    by_reader = [each[0, 1] for each in study.by_reader]
    standard_errors = [0.02551213, 0.02630183, 0.03120965, 0.01729129, 0.04405746]
    assert [each.se for each in by_reader] == exactly(standard_errors, abs=5e-9)
    p = [0.26933885, 0.07683102, 0.56683414, 0.12901715, 0.02300099]
    assert [each.p for each in by_reader] == exactly(p, abs=5e-9)


def test_fixed_cases(study: Study) -> None:
    found = study.analyses[READERS]
    assert found.test is not None
    assert (found.test.statistic, found.test.df2, found.test.p) == exactly((8.704, 4, 0.04195875), abs=5e-8)
    assert found.differences[0, 1].se == exactly(0.01484629, abs=5e-9)
    assert [(each.se, each.low) for each in found.modalities] == [
        exactly((0.02482994, 0.8280981), abs=5e-8),
        exactly((0.01615303, 0.8959894), abs=5e-8),
    ]


def test_covariance_of_delong(van_dyke: SimpleNamespace) -> None:
    found = analyse(delong(van_dyke.labels, van_dyke.scores_KN, van_dyke.patients), 2)
    parts = found.components
    assert (parts.var, parts.cov1) == exactly((0.0007921325, 0.0003420090), abs=5e-11)
    assert (parts.cov2, parts.cov3) == exactly((0.0003395265, 0.0002358497), abs=5e-11)
    assert (parts.var_reader, parts.var_modality_reader) == exactly((0.0015364254, 0.0002045840), abs=5e-11)
    test = found.analyses[BOTH].test
    assert test is not None
    assert (test.statistic, test.df2, test.p) == exactly((4.484854, 15.06611, 0.05123303), abs=5e-6)


def test_sensitivity_of_the_positives(van_dyke: SimpleNamespace) -> None:
    """Ratings of 3 or more are a finding, as in the article of MRMCaov."""
    positive = van_dyke.labels == 1
    patients = [p for p, yes in zip(van_dyke.patients, positive, strict=True) if yes]
    merits = jackknife(sensitivity_at(3), van_dyke.labels[positive], van_dyke.scores_KN[:, positive], patients)
    found = analyse(merits, 2)
    parts = (found.components.var, found.components.cov1, found.components.cov2, found.components.cov3)
    assert parts == exactly((0.0023681257, 0.0009943883, 0.0010145903, 0.0006604938), abs=5e-11)
    test, difference = found.analyses[BOTH].test, found.analyses[BOTH].differences[0, 1]
    assert test is not None
    assert (test.statistic, test.df2, test.p) == exactly((6.689493, 15.71732, 0.02008822), abs=5e-6)
    assert (difference.low, difference.high) == exactly((-0.1780371, -0.0175185), abs=5e-8)


def test_other_published_data_by_their_mean_squares_and_covariances() -> None:
    """Franken et al. 1992 as OR-DBM MRMC 2.51 prints it: Cov2 < Cov3, so that the covariances do not count."""
    theta_TR = np.array(
        [[0.85345997, 0.86499322, 0.85730439, 0.81524197], [0.84961556, 0.84350972, 0.84011759, 0.81433740]]
    )
    i, j, k, m = np.ogrid[:2, :4, :2, :4]
    cov = np.where(j == m, np.where(i == k, 0.00152578, 0.00079168), np.where(i == k, 0.00048364, 0.00051251)).reshape(
        8, 8
    )
    found = analyse(Merits(theta_TR.ravel(), cov, 100), 2)
    both, cases = found.analyses[BOTH], found.analyses[CASES]
    assert both.test is not None
    assert cases.test is not None
    assert (round(both.test.statistic, 2), round(both.test.df2, 2), round(both.test.p, 4)) == (4.69, 3, 0.1188)
    assert both.differences[0, 1].low == exactly(-0.00509, abs=5e-6)
    assert cases.test.statistic == exactly(0.32101, abs=1e-5)
    assert found.components.var_modality_reader == exactly(-0.00071276, abs=2e-8)


def test_one_reader_is_no_sample_of_readers(van_dyke: SimpleNamespace) -> None:
    merits = jackknife(AUC, van_dyke.labels, van_dyke.scores_TRN[:, 0], van_dyke.patients)
    found = analyse(merits, 2)
    assert set(found.analyses) == {CASES}
    difference = found.analyses[CASES].differences[0, 1]
    assert (difference.value, difference.se) == exactly((-0.02818035, 0.02551213), abs=5e-9)


def test_three_modalities_have_a_test_and_three_differences(van_dyke: SimpleNamespace) -> None:
    scores = np.concatenate([van_dyke.scores_KN, van_dyke.scores_KN[:5] + van_dyke.scores_KN[5:]])
    found = analyse(jackknife(AUC, van_dyke.labels, scores, van_dyke.patients), 3)
    assert set(found.analyses[BOTH].differences) == {(0, 1), (0, 2), (1, 2)}
    test = found.analyses[BOTH].test
    assert test is not None
    assert test.df1 == 2


def test_readings_that_are_all_the_same_have_no_test(van_dyke: SimpleNamespace) -> None:
    scores = np.concatenate([van_dyke.scores_KN[:5]] * 2)
    found = analyse(jackknife(AUC, van_dyke.labels, scores, van_dyke.patients), 2).analyses[BOTH]
    assert found.test is not None
    assert np.isnan(found.test.p)
    assert found.differences[0, 1].value == 0
