"""What a person reads: of a table, its columns and values; of operating points and breakdowns, tables; every caution."""

from pathlib import Path
from typing import Any

import pytest

from mammoseg.cli.evaluated import told


def metrics(**more: Any) -> dict[str, Any]:
    counts = {"n_failed": 0, "n_images": 8, "n_of_training": 0, "n_breasts": 4, "n_breasts_one_view": 0, "window": None}
    return {"scores": {}, "maps": {}, "by": {}, "operating_points": {}, "titles": {}, **counts, **more}


def printed(capsys: pytest.CaptureFixture[str], *by: str, **more: Any) -> str:
    told({Path("out"): metrics(**more)}, [], by)
    return capsys.readouterr().out


def test_a_table_is_told_with_its_values_and_what_cannot_be_known(capsys: pytest.CaptureFixture[str]) -> None:
    table = {
        "score": "p", "label": "truth", "notes": ["decimal commas"],
        "label_values": {"positive": {"yes": 3}, "negative": {f"v{i}": 1 for i in range(7)}, "unknown": {"": 2}},
    }  # fmt: skip
    out = printed(capsys, table=table, n_failed=2)
    assert "Scores: p (decimal commas). Labels: truth (positive yes 3 times, negative v0 1 times" in out
    assert "v4 1 times and 2 more, unknown empty 2 times)" in out
    assert "Caution: 2 cases have no score and are left out" in out


def test_operating_points_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    share = {"value": 0.9, "low": 0.8, "high": 0.95, "k": 9, "of": 10, "method": "wilson", "no_interval": None}
    point = {"threshold": 0.35, "sensitivity": share, "caution": "caution: only 3 positive patients", "reason": None}
    out = printed(
        capsys, operating_points={"breast": {"malignant": {"threshold=0.35": point}}}, curves={"level": "breast"}
    )
    assert "Operating points by breast; those chosen on these cases look better than they will be:" in out
    assert "0.900 (0.800" in out
    assert "only 3" in out


def test_the_test_of_a_breakdown_and_multiplicity_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    test = {
        "reason": None,
        "left_out": {"C": "few"},
        "groups": ["A", "B"],
        "p": 0.02,
        "p_holm": 0.04,
        "tests": 2,
        "q": 5.4,
    }
    none = {"reason": "1 group to compare; needed: two", "left_out": {}}
    by = {"density": {"level": "breast", "values": {}, "heterogeneity": {"malignant": test, "benign": none}}}
    out = printed(capsys, "density", by=by)
    assert "By density, a row for each value and class; cases are breasts:" in out
    assert (
        "malignant: do the AUCs of 2 groups differ? p = 0.02, 0.04 by Holm over 2 tests (Cochran's Q 5.40; without C)."
        in out
    )
    assert "benign: no test of a difference: 1 group to compare; needed: two." in out
    assert "of 20 equal ones, one differs by chance" in out


def test_breasts_of_one_view_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Of 2 of 4 breasts one view alone has a score." in printed(capsys, n_breasts_one_view=2)
