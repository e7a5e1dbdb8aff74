"""Labels meet images by any key; what does not fit is counted, what is ambiguous is refused without quoting it."""

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import pytest

from mammoseg.ingest.examine import Seen, Settings, examine
from mammoseg.ingest.exams import Row, make_rows
from mammoseg.ingest.label_table import LabelError, read_labels
from mammoseg.ingest.labels import Labels, join_labels

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
        (
            ["exam_id,laterality,malignant", "P1/1,L,2", "P1/1,R,maybe"],
            "column 'malignant' has values without a class: '2' .1 row., 'maybe' .1 row.: rows 2, 3",
        ),
        (["exam_id,laterality,malignant", ",L,1"], "is filled in: row 2"),
        (
            ["patient_id,laterality,malignant", "P1,B,1", "P1,both,0"],
            "column 'laterality' has values .*: rows 2, 3\\n.*left or right",
        ),
        (["patient_id,study_date,malignant", "P1,31.01.2024,0"], "the study_date is no date such as .*: row 2"),
        (
            ["patient_id,benign,malignant", "P1,x,y"],
            "column 'benign' .*'x' .1 row.: row 2\n.*column 'malignant' .*: row 2\n",
        ),
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
    seen = [examine(Settings(tmp_path / "data", pixels="none"), PurePosixPath(name)) for name in "xy"]
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


def test_sides_in_other_words(tmp_path: Path) -> None:
    lines = ["Patient,Seite,Befund", "P1,links,Karzinom", "P1,Rechts,ob", "P2,beide,ob"]
    maps = ["Seite:links=left,rechts=right,beide=unknown", "Befund:karzinom=malignant,ob=none"]
    rows = images("P1/1", "P2/1", views=("L-CC", "R-CC"))
    labels = join(tmp_path, rows, *lines, maps=maps)
    assert [known["malignant"] for known in labels.by_image] == [1, 0, 0, 0]
    with pytest.raises(LabelError, match=r'say what the column is: --map "Seite:links=[?],rechts=[?],beide=[?]"'):
        join(tmp_path, rows, *lines, maps=["Seite=laterality", maps[1]])
    with pytest.raises(
        LabelError, match=r"column 'Seite' has values without a class: 'beide' .1 row.: row 4\n.*left or right"
    ):
        join(tmp_path, rows, *lines, maps=["Seite:links=left,rechts=right", maps[1]])


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


def test_a_side_that_is_not_used_is_proposed(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r'fits several breasts .*\n.*--map "Breast=laterality"'):
        join(tmp_path, images("P1/1"), "Patient,Breast,Malignant", "P1,L,1")
