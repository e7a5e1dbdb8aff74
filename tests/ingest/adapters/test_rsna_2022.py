"""RSNA 2022: labels from cancer and biopsy of the breast, several images of a view, and what is left out."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.ingest.adapters.rsna_2022 import make_manifest
from mammoseg.ingest.data_set import AdapterError
from mammoseg.ingest.tables import TableError
from mammoseg.records.label import CLASSES

COLUMNS = (
    *("site_id", "patient_id", "image_id", "laterality", "view", "age", "cancer", "biopsy", "invasive", "BIRADS"),
    *("implant", "density", "machine_id", "difficult_negative_case"),
)

Row = dict[str, Any]


def image(
    number: int | str, side: str = "L", view: str = "CC", cancer: object = 0, biopsy: object = 0, **more: Any
) -> Row:
    row = {"site_id": 2, "patient_id": 10006, "image_id": number, "laterality": side, "view": view, "age": "61.0"}
    told = {"cancer": cancer, "biopsy": biopsy, "invasive": 0, "BIRADS": "", "implant": 0, "density": ""}
    return {**row, **told, "machine_id": 29, "difficult_negative_case": "False", **more}


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Manifest]:
    """`made(rows)` writes train.csv and the images and makes the manifest."""

    def make(rows: list[Row], without: Sequence[int] = (), suffix: str = ".dcm") -> Manifest:
        root = tmp_path / "rsna"
        root.mkdir()
        with (root / "train.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        for row in rows:
            if row["image_id"] not in without and "/" not in str(row["image_id"]):
                path = root / "train_images" / str(row["patient_id"]) / f"{row['image_id']}{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        return make_manifest(root, tmp_path / "masks")

    return make


@pytest.mark.parametrize(
    ("cancer", "biopsy", "benign", "malignant"),
    [
        (1, 1, None, 1),
        (0, 1, 1, 0),
        (0, 0, 0, 0),
        ("1.0", "1.0", None, 1),
        ("", 1, None, None),
        (0, "", None, 0),
        ("2", "0", None, None),
    ],
)
def test_labels_are_those_of_the_breast(
    made: Callable[..., Manifest], cancer: object, biopsy: object, benign: int | None, malignant: int | None
) -> None:
    rows = made([image(1, "L", "CC", cancer, biopsy), image(2, "L", "MLO", cancer, biopsy), image(3, "R")]).rows()
    assert [tuple(map(row.labels.get, CLASSES)) for row in rows] == [(benign, malignant)] * 2 + [(0, 0)]


def test_rows_of_the_manifest(made: Callable[..., Manifest], tmp_path: Path) -> None:
    rows = [
        image(462822612, "L", "CC", 1, 1, BIRADS="0.0", density="B"),
        image(1459541791, "L", "CC", 1, 1),
        image(3, "R", "LMO"),
        image(4, "R", "AT"),
    ]
    made(rows).to_csv(tmp_path / "manifest.csv")
    manifest = load_manifest(tmp_path / "manifest.csv", check_files=True)
    first = next(iter(manifest.rows()))
    assert (first.patient_id, first.exam_id, first.image_id) == ("10006", "10006", "10006_462822612")
    assert first.path == tmp_path / "rsna" / "train_images" / "10006" / "462822612.dcm"
    assert manifest.table["view"].tolist() == ["CC", "CC", "LMO", "AT"]
    further = manifest.table.loc[2, ["birads", "density", "age", "site_id", "difficult_negative_case"]]
    assert further.tolist() == ["0", "B", "61", "2", "False"]
    assert manifest.table["split"].isna().all()
    assert not (tmp_path / "masks").exists()


def test_converted_images_are_found(made: Callable[..., Manifest], tmp_path: Path) -> None:
    [row] = made([image(1)], suffix=".png").rows()
    assert row.path == tmp_path / "rsna" / "train_images" / "10006" / "1.png"


def test_what_is_left_out_is_told(made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture) -> None:
    rows = [image(1), image(2), image("../3"), image(4, patient_id="../10006"), image(5, ""), image(6, "R", "")]
    assert [row.image_id for row in made(rows, without=[2]).rows()] == ["10006_1"]
    assert "4 rows left out, their ids, view or laterality cannot be used: rows 4, 5, 6, 7" in caplog.text
    assert "1 images of the tables have no file and are left out: 10006_2" in caplog.text


def test_a_breast_with_contradictory_rows_is_unknown(
    made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture
) -> None:
    rows = made([image(1, "L", "CC", 1, 1), image(2, "L", "MLO", 0, 1), image(3, "R", "CC", 0, 1)]).rows()
    assert [tuple(map(row.labels.get, CLASSES)) for row in rows] == [
        (None, None),
        (None, None),
        (1, 0),
    ]
    assert "1 breasts have several values of cancer, labels left empty: 10006 L" in caplog.text


def test_another_folder_is_refused(made: Callable[..., Manifest], tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"train.csv cannot be found"):
        make_manifest(tmp_path, tmp_path / "masks")
    (tmp_path / "train.csv").write_text("id,label\n1,0\n")
    with pytest.raises(TableError, match=r"the columns patient_id, image_id, .* are missing; there are id, label"):
        make_manifest(tmp_path, tmp_path / "masks")
    with pytest.raises(AdapterError, match="none of the 1 images of the tables is there"):
        made([image(1)], without=[1])
