import numpy as np
import pytest
from sklearn.metrics import auc, precision_recall_curve, roc_auc_score, roc_curve

from mammoseg.metrics.average_precision import measure
from mammoseg.statistics.curve import GRID, precision_recall, precision_recall_band, roc, roc_band


def test_roc_points_are_those_of_scikit_learn(made) -> None:
    found = roc(made.y, made.a)
    x, y, thresholds = roc_curve(made.y, made.a, drop_intermediate=False)
    assert np.allclose([found.x, found.y], [x, y])
    assert np.allclose(found.threshold[1:], thresholds[1:])
    assert found.threshold[0] > made.a.max()
    assert auc(found.x, found.y) == pytest.approx(roc_auc_score(made.y, made.a))


def test_precision_recall_points_are_those_of_scikit_learn(made) -> None:
    found = precision_recall(made.y, made.a)
    precision, recall, thresholds = precision_recall_curve(made.y, made.a)
    assert np.allclose([found.x, found.y, found.threshold], [recall[:-1][::-1], precision[:-1][::-1], thresholds[::-1]])
    area = np.sum(np.diff(found.x, prepend=0) * found.y)
    assert area == pytest.approx(measure(made.y, made.a, np.ones((1, 200)))[0])


def test_a_band_is_around_the_curve(made) -> None:
    band = roc_band(made.y, made.a, made.patients, replicates=200)
    points = roc(made.y, made.a)
    on_the_grid = [points.y[points.x <= place + 1e-12][-1] for place in (0.0, 1.0)]
    assert [band.y[0], band.y[-1]] == on_the_grid
    assert (band.low <= band.y + 1e-12).all()
    assert (band.high >= band.y - 1e-12).all()
    assert (band.high - band.low).max() < 0.6
    pr = precision_recall_band(made.y, made.a, made.patients, replicates=200)
    assert ((pr.low <= pr.y) & (pr.y <= pr.high)).mean() > 0.95
    again = precision_recall_band(made.y, made.a, made.patients, replicates=200)
    assert np.array_equal(pr.low, again.low)


def test_copies_within_a_patient_make_no_band_narrower(made) -> None:
    once = roc_band(made.y, made.a, np.arange(200), replicates=200)
    twice = roc_band(np.repeat(made.y, 2), np.repeat(made.a, 2), np.repeat(np.arange(200), 2), replicates=200)
    assert np.allclose(once.low, twice.low)


def test_readers_are_averaged_upwards(made) -> None:
    both, one, other = (
        roc_band(made.y, scores, made.patients, replicates=0) for scores in (np.stack([made.a, made.b]), made.a, made.b)
    )
    assert np.allclose(both.y, (one.y + other.y) / 2)
    assert np.isnan(both.low).all()
    assert both.x is GRID
    wide, narrow = (
        roc_band(made.y, scores, made.patients, replicates=200) for scores in (made.a, np.stack([made.a, made.b]))
    )
    assert (narrow.high - narrow.low).mean() < (wide.high - wide.low).mean()


@pytest.mark.filterwarnings("error")
def test_a_missing_class_has_no_curve() -> None:
    assert np.isnan(roc([0, 0], [0.1, 0.2]).y).all()
    assert np.isnan(precision_recall([0, 0], [0.1, 0.2]).x).all()
    assert np.isnan(roc_band([1, 1], [0.1, 0.2], ["a", "b"], replicates=50).y).all()
    assert precision_recall([], []).x.size == 0
