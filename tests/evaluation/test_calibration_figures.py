"""Figures of calibration: a panel for each class, whatever there is to draw, and names of others as they are."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mammoseg.evaluation.calibration import calibration_numbers
from mammoseg.evaluation.calibration_curves import decision_table, reliability_table
from mammoseg.evaluation.calibration_figures import decision_figure, reliability_figure
from mammoseg.evaluation.method import Method


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    scores = rng.random(200)
    labels = (rng.random(200) < scores).astype(float)
    return pd.DataFrame(
        {"patient_id": [f"p{n // 2}" for n in range(200)], "malignant": labels, "score_final_malignant": scores}
        | {"$x_{$": np.zeros(200), "score_final_$x_{$": scores, "empty": np.nan, "score_final_empty": np.nan}
    )


def drawn(table: pd.DataFrame, classes: tuple[str, ...], bootstrap: int = 50) -> tuple[Figure, Figure]:
    method = Method({}, classes, bootstrap=bootstrap)
    numbers = calibration_numbers(table, method, None)
    return (
        reliability_figure(reliability_table(table, classes, None), numbers),
        decision_figure(decision_table(table, classes, method, None), numbers),
    )


def saved(figure: Figure, tmp_path: Any) -> None:
    figure.savefig(tmp_path / "x.svg")
    assert (tmp_path / "x.svg").stat().st_size > 1000


def test_a_panel_for_each_class_says_what_it_shows(table: pd.DataFrame, tmp_path: Any) -> None:
    for figure in drawn(table, ("malignant", "$x_{$", "empty")):
        titles = [axes.get_title() for axes in figure.axes]
        positives = int(table["malignant"].sum())
        assert titles[0] == f"malignant, {positives} of 200 breasts positive"
        assert titles[1] == "$x_{$, 0 of 200 breasts positive\nno case with a positive label"
        assert "the model does not predict this class" in titles[2]
        saved(figure, tmp_path)


def test_curves_have_the_numbers_of_their_tables(table: pd.DataFrame) -> None:
    reliability, decision = drawn(table, ("malignant",))
    rows = reliability_table(table, ("malignant",), None)
    lines = [line.get_xydata() for line in reliability.axes[0].lines]
    assert any(np.array_equal(line, rows[["predicted", "observed"]]) for line in lines if len(line) == len(rows))
    texts = [text.get_text() for text in reliability.axes[0].get_legend().get_texts()]  # type: ignore[union-attr]
    assert texts[0] == "perfect"
    assert "score as it is: Brier 0." in texts[1]
    texts = [text.get_text() for text in decision.axes[0].get_legend().get_texts()]  # type: ignore[union-attr]
    assert texts == ["score as it is", "recall all", "recall none"]


def test_without_intervals_and_without_classes(table: pd.DataFrame, tmp_path: Any) -> None:
    for figure in (*drawn(table, ("malignant",), bootstrap=0), *drawn(table, ())):
        saved(figure, tmp_path)
