"""A small predictions folder, made without a model: two exams of a patient each, with images, masks and a manifest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VIEWS = (("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"))


@pytest.fixture
def new_study(new_study_in: Callable[[Path], Any], tmp_path: Path) -> Any:
    """Without any image."""
    return new_study_in(tmp_path / "study")


@pytest.fixture
def study(new_study: Any) -> Any:
    """Exam e1, malignant in all views of the left breast, and exam e2 without a finding."""
    for side, view in VIEWS:
        new_study.add(f"a_{side}-{view}", side, view, label=int(side == "L"), malignant=0.9 if side == "L" else 0.1)
        new_study.add(f"b_{side}-{view}", side, view, "e2", "p2", label=0, malignant=0.2)
    return new_study


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """`write(study, truth=True)`: the report, in the folder `report` beside the study."""

    def run(study: Any, truth: bool = False) -> Path:
        from mammoseg.report.write import write_report

        out = tmp_path / "report"
        write_report(study.predictions(out, truth), out)
        return out

    return run
