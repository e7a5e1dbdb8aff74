"""Labels meet images by any key; what does not fit is counted, what is ambiguous is refused without quoting it."""

from pathlib import Path, PurePosixPath

import pytest

from mammoseg.data.examine import Seen
from mammoseg.data.exams import Row, make_rows
from mammoseg.data.labels import LabelError, Labels, join_labels

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


def join(tmp_path: Path, rows: list[Row], *lines: str) -> Labels:
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(lines) + "\n")
    return join_labels(path, rows, tmp_path / "data")


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
