"""Tables with a column for each reader, good ones and such as people send."""

from pathlib import Path

import numpy as np
import openpyxl
import pytest

from mammoseg.ingest.tables import TableError, read_table
from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.study import ReaderStudy
from mammoseg.reader_study.wide import Columns, read_wide

GOOD = """case_ID,side,label,R1,R2,AI
1,L,0,0.1,0.2,0.3
1,R,1,0.9,0.8,0.7
2,L,0,0.2,0.1,0.1
2,R,0,0,0.3,0.2
3,L,1,0.5,0.6,0.9
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def read(path: Path, text: str, columns: Columns | None = None, readers: tuple[str, ...] = ("R?",)) -> ReaderStudy:
    path.write_text(text, encoding="utf-8")
    return read_wide(read_table(path), columns or Columns(), readers, ["AI*"])


def test_a_good_table(table: Path) -> None:
    study = read(table, GOOD)
    assert (study.readers, study.modalities, list(study.models)) == (("R1", "R2"), ("alone",), ["AI"])
    assert study.labels.tolist() == [0, 1, 0, 0, 1]
    assert study.scores_TRN.tolist() == [[[0.1, 0.9, 0.2, 0, 0.5], [0.2, 0.8, 0.1, 0.3, 0.6]]]
    assert study.patients == ["1", "1", "2", "2", "3"]
    assert [case.name for case in study.cases[:2]] == ["1 L", "1 R"]
    assert study.left_out == {}


def test_excel(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for line in GOOD.splitlines():
        book.active.append([float(cell) if cell.replace(".", "").isdigit() else cell for cell in line.split(",")])
    book.save(tmp_path / "table.xlsx")
    study = read_wide(read_table(tmp_path / "table.xlsx"), Columns(), ["R?"], ["AI"])
    assert study.labels.tolist() == [0, 1, 0, 0, 1]
    assert study.patients == ["1", "1", "2", "2", "3"]


def test_percent_and_decimal_commas(table: Path) -> None:
    text = "case;label;R1;R2;AI\n1;0;10 %;0,25;0,3\n2;1;90%;0,5;1\n3;0;5%;0;0,125\n"
    study = read(table, text)
    assert study.scores_TRN[0].tolist() == [[0.1, 0.9, 0.05], [0.25, 0.5, 0]]
    assert study.models["AI"].tolist() == [0.3, 1, 0.125]


def test_unknown_labels_and_scores_are_left_out_and_counted(table: Path) -> None:
    text = GOOD + "4,L,,0.1,0.1,0.1\n4,R,0,nan,0.3,0.3\n5,L,0,0.1,n/a,0.3\n6,L,1,0.3,0.3,\n"
    study = read(table, text)
    assert study.left_out == {"no label": 1, "not scored by every reader": 2, "not scored by every model": 1}
    assert study.labels.size == 5


def test_whoever_lacks_most_scores_is_named(table: Path) -> None:
    study = read(table, GOOD + "4,L,0,,0.1,0.1\n4,R,1,,0.3,0.3\n")
    assert study.remarks == ("without alone R1, 2 more cases would be complete",)


def test_several_modalities_have_the_same_readers(table: Path) -> None:
    text = "case,label,A_alone,B_alone,A_ai,B_ai\n1,0,1,2,3,4\n2,1,5,6,7,8\n3,0,1,1,1,1\n"
    study = read_wide_text(table, text, ("alone=*_alone", "aided=*_ai"))
    assert (study.modalities, study.readers) == (("alone", "aided"), ("A", "B"))
    assert study.scores_TRN[1, 1].tolist() == [4, 8, 1]
    with pytest.raises(StudyError, match="no scores of B in aided"):
        read_wide_text(table, text.replace("B_ai", "B_other"), ("alone=*_alone", "aided=*_ai"))


def read_wide_text(path: Path, text: str, readers: tuple[str, ...]) -> ReaderStudy:
    path.write_text(text, encoding="utf-8")
    return read_wide(read_table(path), Columns(), readers, [])


def test_without_patients_every_row_is_one_and_that_is_said(table: Path) -> None:
    study = read_wide_text(table, "label,R1\n0,1\n1,2\n0,0\n", ("R1",))
    assert len({*study.patients}) == 3
    assert "every row is taken for a patient" in study.remarks[0]


def test_patients_are_those_of_their_column(table: Path) -> None:
    text = "patient,exam,side,label,R1\np1,e1,L,0,1\np1,e2,L,1,2\np2,e1,L,0,0\n"
    study = read_wide_text(table, text, ("R1",))
    assert study.patients == ["p1", "p1", "p2"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("0.9", "high"), "column R1 holds something else in row 3"),
        (("0.9", "inf"), "column R1 holds something else in row 3"),
        (("0.9", "90%"), "are percentages"),
        (("1,R,1", "1,R,2"), "column label holds something else in row 3"),
        (("1,R,1", "1,R,maybe"), "column label holds something else"),
        (("1,R,1", "1,L,1"), "1 case of 4 are there more than once"),
        (("label", "outcome"), "no column is called like the label"),
        (("side,label", "truth,label"), "truth, label may each be the label"),
        (("AI", "CAD"), r"no column fits 'AI\*'"),
        (("1,R,1,0.9,0.8,0.7", "1,R,1,0.9,0.8"), "row 3 is not as long as the header"),
        (("\n2,L", "\n,L"), "row 4 does not say of which case"),
    ],
)
def test_what_is_wrong_is_said(table: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises((StudyError, TableError), match=message) as told:
        read(table, GOOD.replace(*change, 1))
    assert str(table) in str(told.value)
    assert "high" not in str(told.value).replace("highest", "")


@pytest.mark.parametrize("label", ["0", "1"])
def test_one_class(table: Path, label: str) -> None:
    rows = [line.split(",") for line in GOOD.splitlines()]
    text = (
        "\n".join(",".join([*row[:2], label if number else row[2], *row[3:]]) for number, row in enumerate(rows)) + "\n"
    )
    with pytest.raises(StudyError, match=r"no (positive|negative) case"):
        read(table, text)


def test_a_named_column_that_is_not_there(table: Path) -> None:
    with pytest.raises(StudyError, match="there is no column 'cancer'"):
        read(table, GOOD, Columns(label="cancer"))


def test_readers_that_are_models_too(table: Path) -> None:
    with pytest.raises(StudyError, match="AI are readers and models"):
        read(table, GOOD, readers=("*[12I]",))


def test_names_of_any_kind(table: Path) -> None:
    name = "=cmd|<script>$x$" + "y" * 900
    study = read(table, GOOD.replace("R1", name), readers=("=cmd*", "R2"))
    assert study.readers == (name, "R2")
    assert np.isfinite(study.scores_TRN).all()


def test_patterns_that_take_labels_or_ids_for_readers(table: Path) -> None:
    with pytest.raises(StudyError, match="fit 'label', too, which is the label"):
        read(table, GOOD, readers=("[Rl]*",))
    with pytest.raises(StudyError, match="fit 'case_ID', too, which is the case"):
        read(table, GOOD, Columns(label="side"), readers=("[Rc]*",))


def test_a_pattern_without_a_star_names_its_column(table: Path) -> None:
    with pytest.raises(StudyError, match="no scores of R2 in one"):  # two people, where nothing says that they are one
        read(table, GOOD, readers=("one=R1", "two=R2"))
