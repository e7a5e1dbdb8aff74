"""Curves against scikit-learn, and averages whose areas are the means of the areas."""

import numpy as np
import pytest
from sklearn.metrics import auc, average_precision_score, roc_auc_score, roc_curve

from mammoseg.reader_study.curves import GRID, average_precision_recall, average_roc, precision_recall, roc
from mammoseg.reader_study.study import ReaderStudy


def test_roc_has_the_corners_of_the_curve(small_study: ReaderStudy) -> None:
    for scores in (*small_study.of("alone"), *small_study.models.values()):
        rate, sensitivity = roc(small_study.labels, scores)
        theirs = roc_curve(small_study.labels, scores, drop_intermediate=False)
        assert (rate[0], sensitivity[0], rate[-1], sensitivity[-1]) == (0, 0, 1, 1)
        assert auc(rate, sensitivity) == pytest.approx(roc_auc_score(small_study.labels, scores))
        assert {*zip(rate.round(9), sensitivity.round(9), strict=True)} <= {
            *zip(theirs[0].round(9), theirs[1].round(9), strict=True)
        }


def test_area_of_steps_is_average_precision(small_study: ReaderStudy) -> None:
    for scores in (*small_study.of("alone"), *small_study.models.values()):
        recall, precision = precision_recall(small_study.labels, scores)
        assert (np.diff(recall, prepend=0) * precision).sum() == pytest.approx(
            average_precision_score(small_study.labels, scores)
        )


def test_averages_have_the_mean_area(small_study: ReaderStudy) -> None:
    readers = small_study.of("alone")
    area = np.trapezoid(average_roc(small_study.labels, readers), GRID)
    assert area == pytest.approx(np.mean([roc_auc_score(small_study.labels, r) for r in readers]), abs=1e-3)
    steps = average_precision_recall(small_study.labels, readers)[1:] @ np.diff(GRID)
    assert steps == pytest.approx(np.mean([average_precision_score(small_study.labels, r) for r in readers]), abs=5e-3)


def test_average_of_one_reader_is_the_reader() -> None:
    """A vertical step counts at its upper end."""
    labels, scores = np.array([1.0, 1, 0, 0]), np.array([4.0, 2, 3, 1])
    average = average_roc(labels, scores[None])
    assert (average[0], average[250], average[-1]) == (0.5, 1, 1)
