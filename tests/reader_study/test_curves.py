"""The points that are left are the curve: areas against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc, average_precision_score, roc_auc_score, roc_curve

from mammoseg.reader_study.curves import GRID, curve_rows, recalls_reached, roc_corners
from mammoseg.reader_study.study import ReaderStudy


def test_roc_has_the_corners_of_the_curve(small_study: ReaderStudy) -> None:
    for scores in (*small_study.of("alone"), *small_study.models.values()):
        rate, sensitivity = roc_corners(small_study.labels, scores)
        theirs = roc_curve(small_study.labels, scores)
        assert (rate[0], sensitivity[0], rate[-1], sensitivity[-1]) == (0, 0, 1, 1)
        assert auc(rate, sensitivity) == pytest.approx(roc_auc_score(small_study.labels, scores))
        assert len(rate) <= len(theirs[0])


def test_area_of_steps_is_average_precision(small_study: ReaderStudy) -> None:
    for scores in (*small_study.of("alone"), *small_study.models.values()):
        recall, precision = recalls_reached(small_study.labels, scores)
        area = (np.diff(recall, prepend=0) * precision).sum()
        assert area == pytest.approx(average_precision_score(small_study.labels, scores))


def test_averages_have_the_mean_area(small_study: ReaderStudy) -> None:
    readers = dict(zip("ABC", small_study.of("alone"), strict=True))
    rows = pd.DataFrame(curve_rows(small_study.labels, readers, small_study.models, "all"))
    average = rows[rows["kind"] == "average"]
    assert {*average["of"]} == {"all"}
    areas = [roc_auc_score(small_study.labels, scores) for scores in readers.values()]
    of_roc = average[average["curve"] == "roc"]
    assert np.trapezoid(of_roc["y"], of_roc["x"]) == pytest.approx(np.mean(areas), abs=1e-3)
    precisions = [average_precision_score(small_study.labels, scores) for scores in readers.values()]
    steps = average[average["curve"] == "pr"]["y"].to_numpy()[1:] @ np.diff(GRID)
    assert steps == pytest.approx(np.mean(precisions), abs=5e-3)
