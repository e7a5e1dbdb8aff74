"""Images are found in their exams; names of pages are safe; nothing tells a path."""

from pathlib import Path
from typing import Any

import pytest

from mammoseg.io.failures import Failures
from mammoseg.report.exams import Breast, exams_of, without_paths


def test_scores_labels_and_disagreement(study: Any, tmp_path: Path) -> None:
    (first, second), lost = exams_of(study.predictions(tmp_path / "out", truth=True))
    assert not lost
    assert (first.patient_id, first.exam_id, len(first.members)) == ("p1", "e1", 4)
    assert [breast.laterality for breast in first.breasts] == ["R", "L"]
    assert first.scores == pytest.approx({"benign": 0.2, "malignant": 0.9})
    assert first.labels == {"benign": 0, "malignant": 1}
    assert first.disagreement == pytest.approx(0.2), "benign of either breast"
    assert second.labels == {"benign": 0, "malignant": 0}


def test_without_a_manifest_there_are_no_labels(study: Any, tmp_path: Path) -> None:
    exams, _ = exams_of(study.predictions(tmp_path / "out"))
    assert all(not exam.labels and exam.disagreement is None for exam in exams)


def test_an_exam_is_negative_only_if_both_breasts_are_known_to_be() -> None:
    assert Breast("R", {"malignant": 0.3}, {}).disagreement is None
    assert Breast("R", {"malignant": 0.3}, {"malignant": 1}).disagreement == pytest.approx(0.7)


def test_failures_of_predict_are_in_their_exam_or_lost(study: Any, tmp_path: Path) -> None:
    study.rows.append({**study.rows[0], "image_id": "late", "view": "ML"})
    failures = Failures(study.folder)
    failures.add("late", "/data/Jane Doe/late.png", "read", ValueError("/data/Jane_Doe/late.png: damaged"))
    failures.add("unknown", "", "look", ValueError("no image"))
    (first, _), [lost] = exams_of(study.predictions(tmp_path / "out", truth=True))
    [late] = [member for member in first.members if member.image_id == "late"]
    assert late.reason == "failed in predict (read): ... damaged"
    assert (lost.image_id, lost.reason) == ("unknown", "failed in predict (look): no image")


def test_a_damaged_record_is_noted(study: Any, tmp_path: Path) -> None:
    (study.folder / "records" / "a_L-CC.json").write_text("{")
    predictions = study.predictions(tmp_path / "out")
    _, [lost] = exams_of(predictions)
    assert lost.image_id == "a_L-CC"
    assert "damaged" in lost.reason
    assert str(tmp_path) not in lost.reason
    assert set(predictions.failed) == {"a_L-CC"}
    predictions = study.predictions(tmp_path / "out", truth=True)
    (first, _), lost = exams_of(predictions)
    assert not lost, "the manifest knows its exam"
    assert [member.image_id for member in first.members if member.about is None] == ["a_L-CC"]


def test_messages_without_paths(study: Any, tmp_path: Path) -> None:
    predictions = study.predictions(tmp_path / "out", truth=True)
    path = study.root / "images" / "a_L-CC.png"
    told = without_paths(f"{path}: the file is missing, see C:\\data\\x and {study.folder}", predictions, "a_L-CC")
    assert told == "the file is missing, see ... and a_L-CC"
