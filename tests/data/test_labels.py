"""Labels meet images by any key; what does not fit is counted, what is ambiguous is refused without quoting it."""

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import pytest

from mammoseg.data.examine import Seen, Settings, examine
from mammoseg.data.exams import Row, make_rows
from mammoseg.data.labels import LabelError, Labels, join_labels, read_labels
from mammoseg.data.own_table import TableError

FOUR = ("L-CC", "L-MLO", "R-CC", "R-MLO")


def images(*exams: str, views: tuple[str, ...] = FOUR) -> list[Row]:
    """Pictures of exams, written patient/exam."""
    found = []
    for exam in exams:
        patient = exam.partition("/")[0]
        for what in views:
            side, _, view = what.partition("-")
            place = PurePosixPath(exam, f"{what}.png")
            found.append(Seen(place, "used", patient=patient, exam=exam, laterality=side, view=view))
    return make_rows(found, None)[0]


def join(tmp_path: Path, rows: list[Row], *lines: str, maps: Sequence[str] = ()) -> Labels:
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(lines) + "\n")
    return join_labels(read_labels(path, maps), rows, tmp_path / "data")


def test_labels_of_breasts(tmp_path: Path) -> None:
    labels = join(
        tmp_path,
        images("P1/1", "P2/1"),
        "patient_id,laterality,benign,malignant",
        "P1,left,1,0",
        "P1,R,,1",
        "P3,L,0,0",
    )
    assert labels.by_image[0] == labels.by_image[1] == {"benign": 1, "malignant": 0}
    assert labels.by_image[2] == labels.by_image[3] == {"malignant": 1}
    assert (labels.rows, labels.unmatched, labels.unlabelled) == (3, (4,), 4)


@pytest.mark.parametrize("key", ["image_id", "relative", "absolute", "beside", "exam_id", "hashed exam"])
def test_keys_of_one_image(tmp_path: Path, key: str) -> None:
    rows = images("P1/1", "P2/1")
    place = str(rows[1].seen.place)
    (tmp_path / "data").mkdir()
    name, value = {
        "image_id": ("image_id", rows[1].image_id),
        "relative": ("path", place),
        "absolute": ("path", str(tmp_path / "data" / place)),
        "beside": ("path", f"data/../data/{place}"),
        "exam_id": ("exam_id", "P1/1"),
        "hashed exam": ("exam_id", rows[1].exam_id),
    }[key]
    labels = join(tmp_path, rows, f"{name},laterality,view,malignant", f"{value},L,mlo,true")
    assert [i for i, known in enumerate(labels.by_image) if known] == [1]


def test_healthy_patients_need_no_side(tmp_path: Path) -> None:
    labels = join(tmp_path, images("P1/1", "P1/2"), "patient_id,malignant", "P1,0")
    assert labels.unlabelled == 0


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["patient_id,malignant", "P1,1"], "a label of 1 fits several breasts or exams: row 2"),
        (["patient_id,laterality,malignant", "P1,L,1"], "a label of 1 fits several breasts or exams: row 2"),
        (["exam_id,laterality,malignant", "P1/1,L,1", "P1/1,L,0"], "the opposite of the same breast: row 3"),
        (["exam_id,laterality,view,malignant", "P1/1,L,CC,1", "P1/1,L,MLO,0"], "of the same breast: row 3"),
        (["exam_id,laterality,malignant", "P1/1,L,2", "P1/1,R,maybe"], "a label is not 0, 1 or empty: rows 2, 3"),
        (["exam_id,laterality,malignant", ",L,1"], "is filled in: row 2"),
        (["patient_id,laterality,malignant", "P1,B,1", "P1,both,0"], "the laterality is not L, R, left.*: rows 2, 3"),
        (["patient_id,study_date,malignant", "P1,31.01.2024,0"], "the study_date is no date such as .*: row 2"),
        (["patient_id,benign,malignant", "P1,x,y"], "a label is not 0, 1 or empty: row 2\\n"),
        (["laterality,malignant", "L,1"], "at least one of image_id"),
        (["exam_id,cancer", "P1/1,1"], "Expected benign or malignant"),
    ],
)
def test_what_is_refused(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(LabelError, match=message) as error:
        join(tmp_path, images("P1/1", "P1/2"), *lines)
    assert "P1" not in str(error.value)


def test_the_same_label_twice_is_no_contradiction(tmp_path: Path) -> None:
    labels = join(tmp_path, images("P1/1"), "exam_id,laterality,malignant", *["P1/1,L,1"] * 2)
    assert labels.unlabelled == 2


@pytest.mark.parametrize("day", ["2024-01-31", "20240131"])
def test_dates_as_people_and_as_dicom_write_them(
    tmp_path: Path, day: str, write_mammogram: Callable[..., Path]
) -> None:
    write_mammogram(tmp_path / "data" / "x", StudyDate="20240131")
    write_mammogram(tmp_path / "data" / "y", StudyDate="20250131", StudyInstanceUID="1.2.4")
    seen = [examine(Settings(tmp_path / "data", pixels=False), PurePosixPath(name)) for name in "xy"]
    labels = join(tmp_path, make_rows(seen, None)[0], "patient_id,study_date,laterality,malignant", f"P1,{day},l,1")
    assert labels.by_image == [{"malignant": 1}, {}]


def test_a_table_about_other_images(tmp_path: Path) -> None:
    lines = ("patient_id,Side,malignant", "0,L,1", "1,R,0")
    with pytest.raises(LabelError, match=r"none of the 2 rows .*patient_id as patient_id, Side as laterality.*zeros"):
        join(tmp_path, images("P000/1", "P001/1"), *lines)
    assert join(tmp_path, images("P000/1", "1/1"), *lines).unmatched == (2,)
    assert join(tmp_path, [], *lines).unmatched == (2, 3)
    assert join(tmp_path, images("000/1"), lines[0]).rows == 0


def test_zeros_in_front_that_a_spreadsheet_has_lost(tmp_path: Path) -> None:
    lines = ("patient_id,laterality,malignant", "0,L,1", "1.0,R,0", "2,R,1")
    labels = join(tmp_path, images("000/1", "001/1"), *lines)
    assert (labels.corrected, labels.unmatched, labels.unlabelled, labels.without_row) == ((2, 3), (4,), 4, 4)


FINDINGS = "Finding:cancer=malignant,benign lesion=benign,normal=none,n/a="


def test_labels_from_values(tmp_path: Path) -> None:
    lines = ["Patient,Side,Finding", "P1,left,Cancer", "P1,right, benign  lesion", "P2,left,normal", "P2,right,N/A"]
    labels = join(tmp_path, images("P1/1", "P2/1", views=("L-CC", "R-CC")), *lines, maps=[FINDINGS])
    assert labels.by_image == [
        {"malignant": 1},
        {"benign": 1, "malignant": 0},
        {"benign": 0, "malignant": 0},
        {},
    ]
    assert (labels.unlabelled, labels.without_row) == (1, 0)


def test_a_row_for_every_lesion(tmp_path: Path) -> None:
    lines = ["Patient,Side,Finding", "P1,L,benign lesion", "P1,L,cancer", "P1,R,cancer", "P1,R,normal"]
    with pytest.raises(LabelError, match=r"the opposite of the same breast: row 5\n"):
        join(tmp_path, images("P1/1"), *lines, maps=[FINDINGS])
    labels = join(tmp_path, images("P1/1"), *lines[:4], maps=[FINDINGS])
    assert labels.by_image[0] == {"benign": 1, "malignant": 1}


def test_label_columns_that_contradict_each_other(tmp_path: Path) -> None:
    lines = ["Patient,Side,Finding,Malignant", "P1,L,cancer,1", "P1,R,normal,yes"]
    with pytest.raises(LabelError, match="its columns contradict each other: row 3"):
        join(tmp_path, images("P1/1"), *lines, maps=[FINDINGS])


def test_values_without_a_class_are_named(tmp_path: Path) -> None:
    lines = ["Patient,Side,Finding", "P1,L,cyst", "P1,R,asymmetry", "P2,L,cyst", "P2,R,cancer"]
    with pytest.raises(LabelError) as error:
        join(tmp_path, [], *lines, maps=["Finding:cancer=malignant"])
    text = str(error.value)
    assert "no class to 2 of the 3 values of column 'Finding': 'cyst' (2 rows), 'asymmetry' (1 row)" in text
    assert '--map "Finding:cyst=benign,asymmetry=?"' in text
    with pytest.raises(LabelError) as error:
        join(tmp_path, [], *lines, maps=["Patient:P1=malignant"])
    assert "p2" not in str(error.value).lower()


@pytest.mark.parametrize(
    ("lines", "proposed"),
    [
        (
            ["Patient,Side,Finding", "P1,L,cancer"],
            "'Patient' is patient_id, 'Side' is laterality understood. Expected benign or",
        ),
        (["Patient,Side,Finding", "P1,L,cancer"], '--map "Finding:cancer=malignant"'),
        (["Case,Side,Malignant", "P1,L,1"], '--map "Case=patient_id"'),
        (["Patient,Malignant", "P1,positive"], 'say what the column is: --map "Malignant:positive=?"'),
        (["Patient,Breast,Malignant", "P1,L,1"], '--map "Breast=laterality"'),
    ],
)
def test_the_map_to_type_is_proposed(tmp_path: Path, lines: list[str], proposed: str) -> None:
    with pytest.raises(LabelError) as error:
        join(tmp_path, images("P1/1"), *lines)
    assert proposed in str(error.value)
    assert "P1" not in str(error.value)


def test_splits(tmp_path: Path) -> None:
    rows = images("P1/1", "P2/1", views=("L-CC", "R-CC"))
    labels = join(tmp_path, rows, "Patient,Side,Malignant,Split", "P1,L,1,Train", "P1,R,0,train", "P2,L,0,")
    assert [known.get("split") for known in labels.by_image] == ["train", "train", None, None]
    with pytest.raises(LabelError, match="the same patient into another split: row 3"):
        join(tmp_path, rows, "Patient,Side,Malignant,Split", "P1,L,1,train", "P1,R,0,test")
    with pytest.raises(LabelError, match="the split is not train, val, test or empty: row 2"):
        join(tmp_path, rows, "Patient,Side,Malignant,Split", "P1,L,1,training")


def test_pictures_by_what_is_taken_for_their_patient(tmp_path: Path) -> None:
    seen = [Seen(PurePosixPath("0012_L-CC.png"), "used", exam="0012", laterality="L", view="CC")]
    for salt in (None, b"s" * 16):
        assert join(tmp_path, make_rows(seen, salt)[0], "patient_id,malignant", "0012,1").by_image == [{"malignant": 1}]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["patient_id,laterality,malignant", "P1,L", "P1,R,1"], "1 of 2 rows have another number of cells .*: rows 2"),
        (["patient_id,malignant,malignant", "P1,1,0"], "the columns malignant are there more than once"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(TableError, match=message):
        join(tmp_path, images("P1/1"), *lines)
