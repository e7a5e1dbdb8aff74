"""Tables with a row for each score, with labels in a column or in rows of the truth."""

from pathlib import Path

import pytest

from mammoseg.ingest.tables import read_table
from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.long import read_long
from mammoseg.reader_study.study import ReaderStudy
from mammoseg.reader_study.wide import Columns

WITH_LABELS = """reader,modality,case,label,score
A,mri,1,0,1
A,cine,1,0,2
A,mri,2,1,5
A,cine,2,1,4
B,mri,1,0,2
B,cine,1,0,1
B,mri,2,1,3
B,cine,2,1,5
"""
OF_IMRMC = """readerID,caseID,modalityID,score
truth,1,truth,0
truth,2,truth,1
A,1,mri,1
A,2,mri,5
net,1,net,0.1
net,2,net,0.9
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def read(path: Path, text: str, columns: Columns | None = None) -> ReaderStudy:
    path.write_text(text, encoding="utf-8")
    return read_long(read_table(path), columns or Columns(), ["net*"])


def test_labels_on_every_row(table: Path) -> None:
    study = read(table, WITH_LABELS)
    assert (study.modalities, study.readers) == (("mri", "cine"), ("A", "B"))
    assert study.labels.tolist() == [0, 1]
    assert study.scores_TRN.tolist() == [[[1, 5], [2, 3]], [[2, 4], [1, 5]]]


def test_labels_in_rows_of_the_truth_and_a_model(table: Path) -> None:
    study = read(table, OF_IMRMC)
    assert study.readers == ("A",)
    assert study.models["net"].tolist() == [0.1, 0.9]
    assert study.labels.tolist() == [0, 1]


def test_without_modalities_there_is_one(table: Path) -> None:
    text = "reader,patient,case,side,truth,rating\nA,p,1,L,0,1\nA,p,1,R,1,2\nA,q,1,L,0,2\n"
    study = read(table, text)
    assert study.modalities == ("alone",)
    assert study.patients == ["p", "p", "q"]


def test_a_case_that_a_reader_has_not_read_is_left_out(table: Path) -> None:
    study = read(table, WITH_LABELS + "A,mri,3,0,1\n")
    assert study.left_out == {"not scored by every reader": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("A,cine,1,0,2", "A,mri,1,0,2"), "rows 2 and 3 are about the same"),
        (("A,cine,1,0,2", "A,cine,1,1,2"), "the labels of a case, in row 2, 3"),
        (("A,cine,1,0,2", "A,cine,1,0,bad"), "column score holds something else in row 3"),
        (("A,cine,1,0,2", ",cine,1,0,2"), "row 3 does not say who has read"),
        ((",case,", ",number,"), "no column is called like the case"),
        (("score", "value"), "no column is called like the score"),
    ],
)
def test_what_is_wrong_is_said(table: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        read(table, WITH_LABELS.replace(*change, 1))


def test_a_truth_that_is_no_label(table: Path) -> None:
    with pytest.raises(StudyError, match="not all 1 or all 0"):
        read(table, OF_IMRMC.replace("truth,2,truth,1", "truth,2,truth,5"))
