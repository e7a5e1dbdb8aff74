"""The table of all exams: a row for each, failures with their reasons."""

from pathlib import Path
from typing import Any

from mammoseg.report.cohort import cohort_values
from mammoseg.report.exams import exams_of


def test_a_row_for_each_exam(study: Any, tmp_path: Path) -> None:
    predictions = study.predictions(tmp_path / "out", truth=True)
    with predictions.noting("a_L-CC"):
        raise ValueError(f"{study.root / 'images' / 'a_L-CC.png'}: damaged")
    exams, lost = exams_of(predictions)
    values = cohort_values(exams, ["x", "y"], lost, predictions, {"model": "glam"})
    assert [(row["href"], row["thumbnail"], row["n_images"]) for row in values["rows"]] == [
        ("exams/e1.html", "x", 4),
        ("exams/e2.html", "y", 4),
    ]
    assert [row["failed"] for row in values["rows"]] == [[("a_L-CC", "damaged")], []]
    assert (list(values["classes"]), values["has_labels"], values["counts"]) == (
        ["benign", "malignant"],
        True,
        "2 exams, 8 images",
    )


def test_without_labels(study: Any, tmp_path: Path) -> None:
    predictions = study.predictions(tmp_path / "out")
    exams, lost = exams_of(predictions)
    assert cohort_values(exams, ["", ""], lost, predictions, {})["has_labels"] is False
