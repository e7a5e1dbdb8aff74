"""Outlines as DICOM has them."""

from types import SimpleNamespace
from typing import Any

from mammoseg.dicom_results.findings import FindingOptions, corners, findings, peak
from mammoseg.records.finding import Finding


def view(*found: Finding) -> Any:
    grid = SimpleNamespace(original_shape=(100, 80))
    return SimpleNamespace(prediction=SimpleNamespace(grid=grid, findings=found))


def finding(score: float, *polygon: tuple[float, float]) -> Finding:
    return Finding("malignant", score, (3.5, 7.25), (0, 0, 1, 1), polygon)


def test_columns_come_first_the_outline_is_closed_and_in_the_image() -> None:
    one = finding(0.9, (-1.0, 2.0), (10.0, 90.0), (100.5, 0.5))
    assert corners(view(one), one) == [(2.0, 0.0), (80.0, 10.0), (0.5, 100.0), (2.0, 0.0)]
    assert peak(view(one), one) == (7.25, 3.5)


def test_faint_ones_and_those_without_an_outline_are_left_out_and_numbers_are_those_of_the_record() -> None:
    triangle = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    seen = view(finding(0.9), finding(0.5, *triangle), finding(0.09, *triangle))
    assert [(number, one.score) for number, one in findings(seen, FindingOptions())] == [(2, 0.5)]
    assert len(list(findings(seen, FindingOptions(least_score=0)))) == 2
