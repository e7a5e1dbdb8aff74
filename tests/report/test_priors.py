"""The latest earlier exam of a patient is the prior, where the manifest has dates; it is beside the exam and in nothing of it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mammoseg.report.exam_page import content_of
from mammoseg.report.exams import exams_of
from mammoseg.report.priors import prior_of
from mammoseg.report.write import Written, write_report

VIEWS = (("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"))


@pytest.fixture
def exam(new_study: Any) -> Callable[..., None]:
    """`exam("e2", "2024-05-03", patient_id="p1", malignant=0.9)`: four views."""

    def add(exam_id: str, date: str, views: tuple[tuple[str, str], ...] = VIEWS, **more: Any) -> None:
        for side, view in views:
            new_study.add(f"{exam_id}_{side}-{view}", side, view, exam_id, date=date, **more)

    return add


def data_of(page: str) -> dict[str, Any]:
    [text] = re.findall(r'<script type="application/json" id="exam">(.*?)</script>', page, re.DOTALL)
    return dict(json.loads(text))


def found(study: Any, out: Path, truth: bool = True) -> dict[str, tuple[str, int] | None]:
    """exam_id -> its prior and the months between."""
    predictions = study.predictions(out, truth)
    exams, _ = exams_of(predictions)
    priors = {each.exam_id: prior_of(each, exams, predictions.rows) for each in exams}
    return {name: prior and (prior.exam.exam_id, prior.months) for name, prior in priors.items()}


def test_the_latest_earlier_exam_of_the_patient(exam: Any, new_study: Any, tmp_path: Path) -> None:
    exam("now", "2024-05-03")
    exam("first", "2020-05-03")
    exam("before", "2022-05-04")
    exam("same_day", "2024-05-03")
    exam("other", "2023-05-03", patient_id="p2")
    assert found(new_study, tmp_path) == {
        "now": ("before", 23),
        "same_day": ("before", 23),
        "before": ("first", 24),
        "first": None,
        "other": None,
    }


def test_of_two_exams_of_a_day_that_with_more_images(exam: Any, new_study: Any, tmp_path: Path) -> None:
    exam("a", "2023-01-31")
    exam("b", "2023-01-31", VIEWS[:1])
    exam("now", "2023-02-01")
    assert found(new_study, tmp_path)["now"] == ("a", 0)


def test_without_days_the_order_is_unknown(exam: Any, new_study: Any, tmp_path: Path) -> None:
    exam("now", "2024-05-03")
    exam("before", "")
    exam("torn", "2020-01-01", VIEWS[:2])
    new_study.add("torn_x", "R", "ML", "torn", date="2021-01-01")
    assert set(found(new_study, tmp_path).values()) == {None}
    assert set(found(new_study, tmp_path, truth=False).values()) == {None}


def test_it_is_beside_the_exam_and_in_nothing_of_it(exam: Any, new_study: Any, write: Callable[..., Path]) -> None:
    exam("now", "2024-05-03", malignant=0.4)
    exam("before", "2022-05-03", VIEWS[:3], malignant=0.9)
    new_study.add("spot", "R", "ML", "before", date="2022-05-03")
    page = (write(new_study, truth=True) / "exams" / "now.html").read_text()
    data = data_of(page)
    assert [image["id"] for image in data["images"]] == [f"now_{side}-{view}" for side, view in VIEWS]
    assert not any(image["prior"] for image in data["images"])
    assert [(each["id"], each["row"], each["column"], each["prior"]) for each in data["priors"]] == [
        ("before_R-CC", 0, 0, "prior, 24 months before"),
        ("before_L-CC", 0, 1, "prior, 24 months before"),
        ("before_R-MLO", 1, 0, "prior, 24 months before"),
    ], "no further images"
    assert not any(each[name] for each in data["priors"] for name in ("findings", "patches", "outlines", "labels"))
    assert max(finding["score"] for image in data["images"] for finding in image["findings"]) < 0.5
    assert len(re.findall("data-finding=", page)) == sum(len(image["findings"]) for image in data["images"])
    assert 'aria-label="Right CC, prior, 24 months before, benign 0.20, malignant 0.90"' in page
    assert 'aria-label="Left MLO, prior, 24 months before: no image"' in page
    assert "2022-05" not in page, "no dates"
    assert "2024-05" not in page
    before = (write(new_study, truth=True) / "exams" / "before.html").read_text()
    assert 'data-hotkey="o"' not in before
    assert not data_of(before)["priors"]


def test_a_broken_prior_is_a_gap_and_a_changed_one_makes_the_page_anew(
    exam: Any, new_study: Any, tmp_path: Path
) -> None:
    exam("now", "2024-05-03", VIEWS[:2])
    exam("before", "2022-05-03", VIEWS[:2])
    out = tmp_path / "report"

    def again() -> Written:
        return write_report(new_study.predictions(out, truth=True), out)

    assert (again(), again()) == ((2, 0), (2, 2))
    new_study.add("before_R-CC", "R", "CC", "before", malignant=0.3, date="2022-05-03")
    new_study.rows.pop()
    assert again() == (2, 0), "its own page and that of which it is the prior"
    image = new_study.root / "images" / "before_L-CC.png"
    image.unlink()
    (out / "exams" / "now.html").unlink()
    again()
    page = (out / "exams" / "now.html").read_text()
    assert [each["id"] for each in data_of(page)["priors"]] == ["before_R-CC"]
    assert str(tmp_path) not in page


def test_the_images_of_the_exam_come_first(
    exam: Any, new_study: Any, write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam("now", "2024-05-03")
    exam("before", "2022-05-03")
    predictions = new_study.predictions(tmp_path / "out", truth=True)
    [now] = [each for each in exams_of(predictions)[0] if each.exam_id == "now"]
    views = content_of(now, predictions).views
    needed = sum((len(v.pixels) + len(v.about["maps"]["data"])) * 3 // 4 + len(v.jpeg) for v in views)
    monkeypatch.setattr("mammoseg.report.exam_page.BUDGET", needed * 6 // 5)
    data = data_of((write(new_study, truth=True) / "exams" / "now.html").read_text())
    assert {each["packed"]["factor"] for each in data["images"]} == {1}
    assert min(each["packed"]["factor"] for each in data["priors"]) > 1
