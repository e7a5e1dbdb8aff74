"""Verdicts of `mammoseg serve` with the predictions that were read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mammoseg.data.exam_names import exam_key
from mammoseg.data.manifest import Manifest
from mammoseg.ingest.tables import read_table
from mammoseg.io.cells import write_csv
from mammoseg.io.scores_table import write_predictions_csv
from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.study import ReaderStudy
from mammoseg.reader_study.verdicts import read_verdicts
from mammoseg.reviewer.store import VerdictStore
from mammoseg.reviewer.verdict import Posted

EXAMS = ("e1", "e2", "e3")


class Read:
    """A study that was read, in a folder."""

    def __init__(self, folder: Path, make: Callable[[Path], Any]) -> None:
        self.table = folder / "verdicts.csv"
        self.predicted = make(folder)
        for number, exam in enumerate(EXAMS):
            for side in "RL":
                label = int(exam == "e2" and side == "L")
                self.predicted.add(
                    *(f"{exam}{side}", side, "CC", exam, f"p{number}"),
                    malignant=0.2 + 0.1 * number + 0.4 * label,
                    label=label,
                )
        write_predictions_csv(self.predicted.folder)
        self.manifest: Manifest = self.predicted.manifest()
        self.rows = [
            verdict(exam, side, reader, score=10 * number + 40 * (exam == "e2" and side == "L"))
            for reader in ("AB", "=CD")
            for number, exam in enumerate(EXAMS)
            for side in "RL"
        ]

    def study(self, **options: Any) -> ReaderStudy:
        write_csv(self.table, pd.DataFrame(self.rows))
        return read_verdicts(read_table(self.table), {"model": self.predicted.folder}, self.manifest, **options)


def verdict(exam: str, side: str, reader: str, **changes: Any) -> dict[str, Any]:
    row = {"exam_id": exam, "laterality": side, "reader": reader, "birads": 2, "score": 10, "ellipses": "[]"}
    return row | {"seconds": 12.5, "comment": "", "truth_seen": "false"} | changes


@pytest.fixture
def read(tmp_path: Path, new_study_in: Callable[[Path], Any]) -> Read:
    return Read(tmp_path, new_study_in)


def test_readers_models_and_labels_of_each_breast(read: Read) -> None:
    study = read.study()
    assert study.readers == ("AB", "=CD")
    assert [case.name for case in study.cases] == ["e1 L", "e1 R", "e2 L", "e2 R", "e3 L", "e3 R"]
    assert study.labels.tolist() == [0, 0, 1, 0, 0, 0]
    assert study.patients == ["p0", "p0", "p1", "p1", "p2", "p2"]
    assert study.scores_TRN[0, 0].tolist() == [0, 0, 50, 10, 20, 20]
    assert study.models["model"].tolist() == pytest.approx([0.2, 0.2, 0.7, 0.3, 0.4, 0.4])
    assert study.remarks == ()


def test_the_table_that_serve_writes(read: Read) -> None:
    store = VerdictStore(read.table.parent / "verdicts.sqlite")
    for reader in ("AB", "=CD"):
        for exam in EXAMS:
            said = {"birads": None, "ellipses": [], "seconds": 3, "comment": "=1+1", "truth_seen": False}
            breasts = [{"laterality": side, "score": 7 if side == "L" else 3, **said} for side in "RL"]
            store.add(exam, exam, Posted(reader=reader, page="", verdicts=breasts), "ab" * 32, blinded=True)
    read.table.write_text(store.csv(), encoding="utf-8")
    study = read_verdicts(read_table(read.table), {"model": read.predicted.folder}, read.manifest)
    assert study.readers == ("AB", "=CD")
    assert study.scores_TRN[0].tolist() == [[7, 3] * 3] * 2


def test_the_last_verdict_before_the_truth_counts(read: Read) -> None:
    read.rows += [verdict("e1", "L", "AB", score=33), verdict("e1", "L", "AB", score=99, truth_seen="true")]
    study = read.study()
    assert study.scores_TRN[0, 0, 0] == 33
    assert study.remarks == ("1 verdict left out: given with the truth seen, or that is unknown",)


def test_birads(read: Read) -> None:
    """0 is between 3 and 4."""
    read.rows = [row | {"birads": 0 if row["exam_id"] == "e1" else 3, "score": ""} for row in read.rows]
    assert read.study(score="birads").scores_TRN[0, 0].tolist() == [3.5, 3.5, 3, 3, 3, 3]
    with pytest.raises(StudyError, match="not scored by every reader"):
        read.study()


def test_a_breast_that_one_has_not_read_is_left_out(read: Read) -> None:
    read.rows = read.rows[1:]
    assert read.study().left_out == {"not scored by every reader": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [({"label": "benignly"}, "benignly"), ({"score": "comment"}, "no such number")],
)
def test_what_is_not_there(read: Read, options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read.study(**options)


def test_another_table(read: Read) -> None:
    write_csv(read.table, pd.DataFrame({"exam_id": ["e1"], "laterality": ["L"], "score": [1]}))
    with pytest.raises(StudyError, match="is no table of verdicts"):
        read_verdicts(read_table(read.table), {}, read.manifest)


def test_exams_of_another_study(read: Read) -> None:
    read.rows.append(verdict("elsewhere", "L", "AB"))
    with pytest.raises(StudyError, match="1 exam of the verdicts"):
        read.study()


def test_all_after_the_truth(read: Read) -> None:
    read.rows = [row | {"truth_seen": "true"} for row in read.rows]
    with pytest.raises(StudyError, match="before the truth was seen"):
        read.study()


def test_a_model_that_has_learned_from_the_patients(read: Read) -> None:
    read.predicted.add("e3L", "L", "CC", "e3", "p2", label=0, of_training=True)
    write_predictions_csv(read.predicted.folder)
    with pytest.raises(StudyError, match="has learned from the patients of 1 image"):
        read.study()


def test_exams_of_one_id_of_another_patient_are_left_out(read: Read) -> None:
    for row in read.rows:
        row["exam_key"] = exam_key(f"p{EXAMS.index(row['exam_id'])}", row["exam_id"])
    before = read.study()
    assert not before.remarks
    stranger = exam_key("someone else", "e2")
    read.rows.append(verdict("e2", "L", "AB", score=99, exam_key=stranger))
    after = read.study()
    assert [remark for remark in after.remarks if "of other patients" in remark]
    np.testing.assert_array_equal(after.scores_TRN, before.scores_TRN)
    for row in read.rows:
        if row["exam_id"] == "e2" and row["exam_key"] != stranger:
            row["exam_key"] = exam_key("a third one", "e2")
    with pytest.raises(StudyError, match="none of them of the patient in the manifest"):
        read.study()
