"""Rows of metrics.csv as tables."""

import pandas as pd
import pytest

from mammoseg.results_page.numbers import number, sections, spoken, summary

TITLES = {"auc": "AUC", "dice_soft": "Dice (soft)"}


def row(**cells: str) -> dict[str, str]:
    base = {"table": "scores", "level": "breast", "class": "malignant", "of": "final", "metric": "auc"}
    return base | {"value": "0.81234", "low": "0.7", "high": "0.9", "n": "40", "positives": "8.0"} | cells


def test_a_row_keeps_its_caution_and_its_reasons() -> None:
    rows = pd.DataFrame(
        [
            row(caution="caution: only 8 positive patients", unknown="2.0", unscored="0.0"),
            row(value="", low="", high="", reason="no case", no_interval="", positives="0"),
            row(low="", high="", no_interval="fewer than two patients"),
        ]
    ).fillna("")
    [section] = sections(rows, TITLES, {"scores": "Scores"})
    [table] = section.tables
    assert (table.caption, table.heads) == ("Scores, by breast", ("score", "class", "metric"))
    first, second, third = table.rows
    assert (first.value, first.interval, first.cases) == ("0.812", "0.700 to 0.900", "40 (8 positive)")
    assert first.remarks == ("caution: only 8 positive patients", "2 unknown")
    assert (first.caution, second.caution) == (True, False)
    assert (second.value, second.interval, second.remarks) == ("undefined", "", ("no case",))
    assert third.remarks == ("no interval (fewer than two patients)",)


def test_kinds_that_nobody_knows_have_a_section() -> None:
    rows = pd.DataFrame([row(), row(table="calibration", metric="brier_score", of="platt", level="")])
    known, other = sections(rows, TITLES, {})
    assert (known.key, other.key, other.title) == ("scores", "calibration", "Calibration")
    assert other.tables[0].rows[0].heads == ("platt", "malignant", "brier score")


def test_the_summary_is_by_breast_and_of_the_final_map() -> None:
    rows = pd.DataFrame(
        [
            row(),
            row(level="image"),
            row(of="global"),
            row(metric="my_lab"),
            row(table="maps", level="image", of="saliency", metric="dice_soft"),
            row(table="maps", level="image", of="random", metric="dice_soft"),
        ]
    )
    found = summary(rows, TITLES)
    assert found
    assert [cells.heads for cells in found.rows] == [
        ("score by breast", "malignant", "AUC"),
        ("map", "malignant", "Dice (soft)"),
    ]
    assert spoken(found, "AUC") == "score by breast, malignant, AUC 0.812 (0.700 to 0.900)."
    assert summary(rows[rows["table"] == "none"], TITLES) is None
    assert summary(pd.DataFrame(), TITLES) is None
    assert "tables" in spoken(None, "AUC")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.5", "0.500"),
        ("-0.0004", "-0.000"),
        ("1234.5", "1234"),
        ("nan", "undefined"),
        ("", "undefined"),
        ("x", "not a number"),
    ],
)
def test_numbers(text: str, shown: str) -> None:
    assert number(text) == shown
