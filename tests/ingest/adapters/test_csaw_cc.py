"""CSAW-CC: which breast of which exam has a cancer, masks of visible ones, files in any folder, and what is left out."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.ingest.adapters.csaw_cc import make_manifest
from mammoseg.ingest.data_set import AdapterError

COLUMNS = (
    *("anon_patientid", "exam_year", "anon_filename", "x_age", "x_case", "x_cancer_laterality", "x_type"),
    *("x_lymphnode_met", "rad_timing", "rad_r1", "rad_r2", "rad_recall", "rad_recall_type_right"),
    *("rad_recall_type_left", "imagelaterality", "viewposition"),
    *("libra_breastarea", "libra_densearea", "libra_percentdensity"),
)
TABLE = "CSAW-CC_breast_cancer_screening_data.csv"

Row = dict[str, Any]


def image(
    side: str = "Left",
    view: str = "CC",
    case: object = 0,
    cancer: str = "",
    timing: object = "",
    number: int = 1,
    **more: Any,
) -> Row:
    told = {"x_age": 1, "x_case": case, "x_cancer_laterality": cancer, "rad_timing": timing, "rad_recall": 0}
    name = f"00002_20990909_{side[0]}_{view}_{number}.dcm"
    place = {
        "anon_patientid": 2,
        "exam_year": 2015,
        "anon_filename": name,
        "imagelaterality": side,
        "viewposition": view,
    }
    return {**dict.fromkeys(COLUMNS, ""), **told, **place, "libra_percentdensity": 23.2, **more}


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Manifest]:
    """`made(rows)` writes the table and the images, below a folder of their own, and makes the manifest."""

    def make(rows: list[Row], without: Sequence[str] = (), table: str = TABLE, separator: str = ",") -> Manifest:
        root = tmp_path / "csaw"
        (root / "images" / "part_1").mkdir(parents=True)
        with (root / table).open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, delimiter=separator)
            writer.writeheader()
            writer.writerows(rows)
        for name in {row["anon_filename"] for row in rows if "/" not in row["anon_filename"]}.difference(without):
            (root / "images" / "part_1" / name).touch()
        return make_manifest(root, tmp_path / "masks")

    return make


@pytest.mark.parametrize(
    ("case", "cancer", "timing", "left", "right"),
    [
        (1, "Left", 1, 1, 0),
        (1, "Right", "1.0", 0, 1),
        (1, "Left", 2, None, 0),
        (1, "Left", 3, None, 0),
        (1, "Left", "", None, 0),
        (0, "", "", 0, 0),
        (1, "", 1, None, None),
        (1, "Both", 1, None, None),
        (0, "Left", "", None, None),
        ("", "", "", None, None),
    ],
)
def test_malignant_is_a_cancer_this_exam_found(
    made: Callable[..., Manifest], case: object, cancer: str, timing: object, left: int | None, right: int | None
) -> None:
    sides = [("Left", "CC"), ("Left", "MLO"), ("Right", "CC"), ("Right", "MLO")]
    rows = list(made([image(side, view, case, cancer, timing) for side, view in sides]).rows())
    assert [row.labels.get("malignant") for row in rows] == [left, left, right, right]
    assert [row.labels.get("benign") for row in rows] == [None] * 4


def test_earlier_exams_of_a_patient_are_unknown(made: Callable[..., Manifest], tmp_path: Path) -> None:
    earlier = image(case=1, cancer="Left", timing=3, exam_year=2013)
    made([earlier, image(case=1, cancer="Left", timing=1, number=2)]).to_csv(tmp_path / "manifest.csv")
    manifest = load_manifest(tmp_path / "manifest.csv", check_files=True)
    first, second = manifest.rows()
    assert (first.patient_id, first.exam_id, first.labels.get("malignant")) == ("2", "2_2013", None)
    assert (second.patient_id, second.exam_id, second.labels.get("malignant")) == ("2", "2_2015", 1)
    assert (first.image_id, first.laterality, first.view) == ("00002_20990909_L_CC_1", "L", "CC")
    assert first.path == tmp_path / "csaw" / "images" / "part_1" / "00002_20990909_L_CC_1.dcm"
    further = manifest.table.loc[2, ["exam_year", "rad_timing", "libra_percentdensity"]]
    assert further.astype(float).tolist() == [2013, 3, 23.2]


def test_masks_are_of_cancers_the_exam_found(made: Callable[..., Manifest], tmp_path: Path) -> None:
    folder = tmp_path / "csaw" / "masks"
    folder.mkdir(parents=True)
    for name in ("00002_20990909_L_CC_1", "00002_20990909_L_CC_2"):
        cv2.imwrite(str(folder / f"{name}_mask.png"), np.full((4, 3), 255, dtype=np.uint8))
    found = image(case=1, cancer="Left", timing=1)
    before = image(case=1, cancer="Left", timing=3, number=2, exam_year=2013)
    first, second = made([found, before]).rows()
    assert first.masks.get("malignant") == folder / "00002_20990909_L_CC_1_mask.png"
    assert second.masks.get("malignant") is None


def test_the_table_may_have_another_name_and_semicolons(made: Callable[..., Manifest], tmp_path: Path) -> None:
    (tmp_path / "csaw").mkdir()
    (tmp_path / "csaw" / "a.csv").write_text("something,else\n")
    assert len(made([image()], table="anon_dataset_nonhidden_211125.csv", separator=";")) == 1


def test_several_images_of_a_view(made: Callable[..., Manifest]) -> None:
    manifest = made([image(), image(number=2), image("Right")])
    assert manifest.table["exam_id"].tolist() == ["2_2015"] * 3


def test_what_is_left_out_is_told(made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        image(),
        image(view="MLO"),
        image(anon_filename="../00002_20990909_L_CC_1.dcm"),
        image("Upper", number=3),
        image("Right", view=""),
        image("Right", anon_patientid="", exam_year=""),
    ]
    manifest = made(rows, without=["00002_20990909_L_MLO_1.dcm"])
    assert manifest.table["image_id"].tolist() == ["00002_20990909_L_CC_1"]
    assert "4 rows left out, their ids, view or laterality cannot be used: rows 4, 5, 6, 7" in caplog.text
    assert "1 images of the tables have no file and are left out: 00002_20990909_L_MLO_1" in caplog.text


def test_a_breast_with_contradictory_rows_is_unknown(
    made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture
) -> None:
    rows = [image(case=1, cancer="Left", timing=1), image(view="MLO", case=1, cancer="Left", timing=2), image("Right")]
    assert [row.labels.get("malignant") for row in made(rows).rows()] == [None, None, 0]
    assert "1 breasts have contradictory rows, labels left empty: 2_2015 L" in caplog.text


def test_another_folder_is_refused(made: Callable[..., Manifest], tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"CSAW-CC_breast_cancer_screening_data.csv cannot be found"):
        make_manifest(tmp_path, tmp_path / "masks")
    with pytest.raises(AdapterError, match="none of the 1 images of the tables is there"):
        made([image()], without=["00002_20990909_L_CC_1.dcm"])
