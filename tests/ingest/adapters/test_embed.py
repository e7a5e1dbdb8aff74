"""EMBED: findings join images by exam and side, pathology before assessment, boxes in either frame, what is left out."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.ingest.adapters.embed import make_manifest
from mammoseg.ingest.data_set import AdapterError
from mammoseg.ingest.tables import TableError
from mammoseg.io.read import read_mask
from mammoseg.records.label import CLASSES

SHAPE = (10, 8)
FOLDER = "/mnt/NAS2/mammo/anon_dicom/cohort_1/11/1.2.3"

Row = dict[str, Any]
Labels = tuple[int | None, int | None]


def image(name: str, **changes: Any) -> Row:
    """A row of the metadata: `L_CC` is a left breast in exam 7 of patient 11."""
    side, view = name.split("_")[:2]
    ids = {"empi_anon": "11", "acc_anon": "7.0", "anon_dicom_path": f"{FOLDER}/{name}.dcm", "png_path": ""}
    place = {"FinalImageType": "2D", "ImageLateralityFinal": side, "ViewPosition": view, "spot_mag": ""}
    further = {"study_date_anon": "2015-04-16 00:00:00", "PatientOrientation": "['A', 'R']", "ROI_coords": "[]"}
    return {**ids, **place, **further, "Manufacturer": "HOLOGIC, Inc.", "unused": "x", **changes}


def finding(side: str, asses: str, severity: object = "", bside: str = "", **changes: Any) -> Row:
    told = {"side": side, "asses": asses, "path_severity": severity, "bside": bside, "tissueden": "3.0"}
    return {"empi_anon": "11", "acc_anon": "7", "numfind": "1", **told, **changes}


def write_dicom(path: Path) -> None:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.Rows, dataset.Columns = SHAPE
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Manifest]:
    """`made(images, findings)` writes the tables and images and makes the manifest."""

    def make(
        images: Sequence[Row], findings: Sequence[Row], without: Sequence[str] = (), tables: str = "tables", **more: Any
    ) -> Manifest:
        root = tmp_path / "embed"
        (root / tables).mkdir(parents=True, exist_ok=True)
        for name, rows in (("metadata", images), ("clinical", findings)):
            with (root / tables / f"EMBED_OpenData_{name}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, rows[0].keys())
                writer.writeheader()
                writer.writerows(rows)
        for row in images:
            name = row["anon_dicom_path"].rpartition("/")[2]
            if name.removesuffix(".dcm") not in without:
                write_dicom(root / "images" / "cohort_1" / "11" / "1.2.3" / name)
        return make_manifest(root, tmp_path / "masks", **more)

    return make


VIEWS = [image("L_CC"), image("L_MLO"), image("R_CC"), image("R_MLO")]


@pytest.mark.parametrize(
    ("findings", "left", "right"),
    [
        ([finding("", "N")], (0, 0), (0, 0)),
        ([finding("B", "B")], (None, 0), (None, 0)),
        ([finding("L", "A"), finding("R", "N")], (None, None), (0, 0)),
        ([finding("L", "A", 0)], (None, 1), (None, None)),
        ([finding("L", "S", "1.0"), finding("L", "B", 4), finding("R", "N")], (1, 1), (0, 0)),
        ([finding("L", "A", 2), finding("R", "A", 3)], (1, 0), (1, 0)),
        ([finding("L", "A", 4), finding("L", "P")], (1, None), (None, None)),
        ([finding("L", "S", 5), finding("R", "S", 6)], (0, 0), (None, None)),
        ([finding("L", "K"), finding("R", "M")], (None, None), (None, None)),
        ([finding("L", "N"), finding("L", "B")], (None, 0), (None, None)),
        ([finding("B", "S", 0, "L")], (None, 1), (None, None)),
        ([finding("B", "N", 0, "L")], (None, 1), (0, 0)),
        ([finding("B", "S", 0, "B")], (None, 1), (None, 1)),
        ([finding("B", "S", 0)], (None, None), (None, None)),
        ([finding("", "S", 0, "R")], (None, None), (None, 1)),
        ([finding("R", "S", 0, "L")], (None, None), (None, None)),
        ([finding("", "N", acc_anon="8")], (None, None), (None, None)),
        ([finding("", "N", empi_anon="12")], (None, None), (None, None)),
    ],
)
def test_labels_are_those_of_the_breast(
    made: Callable[..., Manifest], findings: list[Row], left: Labels, right: Labels
) -> None:
    assert [tuple(map(row.labels.get, CLASSES)) for row in made(VIEWS, findings).rows()] == [
        left,
        left,
        right,
        right,
    ]


def test_rows_of_the_manifest(made: Callable[..., Manifest], tmp_path: Path) -> None:
    made(VIEWS, [finding("L", "B"), finding("L", "A"), finding("R", "N")]).to_csv(tmp_path / "manifest.csv")
    manifest = load_manifest(tmp_path / "manifest.csv", check_files=True)
    first = next(iter(manifest.rows()))
    assert (first.patient_id, first.exam_id, first.image_id) == ("11", "7", "L_CC")
    assert (first.laterality, first.view, first.study_date) == ("L", "CC", "2015-04-16")
    assert first.path == tmp_path / "embed" / "images" / "cohort_1" / "11" / "1.2.3" / "L_CC.dcm"
    further = manifest.table[["birads", "density", "manufacturer"]].to_numpy().tolist()
    assert further == [["0; 2", "C", "HOLOGIC, Inc."]] * 2 + [["1", "C", "HOLOGIC, Inc."]] * 2
    assert "unused" not in manifest.table


def test_only_plain_mammograms_for_presentation(made: Callable[..., Manifest]) -> None:
    others = [
        image("L_CC_2", FinalImageType="cview"),
        image("L_CC_3", FinalImageType="3D"),
        image("L_CC_4", spot_mag="1.0"),
        image("L_CC_5", PresentationIntentType="FOR PROCESSING"),
    ]
    kept = [image("L_CC", spot_mag="0", PresentationIntentType="FOR PRESENTATION"), image("R_CC")]
    columns = {"PresentationIntentType": ""}
    manifest = made([columns | row for row in [*others, *kept]], [finding("", "N")])
    assert manifest.table["image_id"].tolist() == ["L_CC", "R_CC"]


ROI = "[[[1, 2, 4, 3], [6, 0, 9, 2]]]"


def boxes_of(*corners: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    for ymin, xmin, ymax, xmax in corners:
        mask[ymin:ymax, xmin:xmax] = True
    return mask


AS_THEY_STAND = boxes_of((1, 2, 4, 3), (6, 0, 9, 2))


@pytest.mark.parametrize(
    ("changes", "flipped", "expected"),
    [
        ({"ROI_coords": ROI}, False, AS_THEY_STAND),
        ({"ROI_coords": ROI}, True, AS_THEY_STAND),
        ({"ROI_coords": ROI, "PatientOrientation": "['P', 'L']"}, False, AS_THEY_STAND),
        ({"ROI_coords": ROI, "PatientOrientation": "['P', 'L']"}, True, AS_THEY_STAND[:, ::-1]),
        ({"ROI_coords": ROI, "PatientOrientation": ""}, True, AS_THEY_STAND[:, ::-1]),
        ({"ROI_coords": ROI, "PatientOrientation": "['P', 'L']", "ViewPosition": "XCCL"}, True, AS_THEY_STAND),
        ({"DCM_ROI_coords": ROI, "ROI_coords": "[[[0, 0, 1, 1]]]", "PatientOrientation": "P"}, True, AS_THEY_STAND),
    ],
)
def test_boxes_in_either_frame(
    made: Callable[..., Manifest],
    changes: Row,
    flipped: bool,
    expected: np.ndarray,
    caplog: pytest.LogCaptureFixture,
) -> None:
    manifest = made([image("R_CC", **changes)], [finding("R", "S", 0)], roi_flipped=flipped)
    [row] = manifest.rows()
    np.testing.assert_array_equal(read_mask(row.masks["malignant"]), expected)
    assert (row.masks.get("benign"), row.mask_frame) == (None, None)
    assert ("boxes of 1 images were taken as places in" in caplog.text) == ("DCM_ROI_coords" not in changes)


@pytest.mark.parametrize(
    ("findings", "roi", "name"),
    [
        ([finding("R", "S", 4), finding("R", "S", 3)], ROI, "benign"),
        ([finding("R", "S", 4), finding("R", "S", 0)], ROI, None),
        ([finding("R", "S", 0), finding("R", "B")], ROI, None),
        ([finding("R", "S")], ROI, None),
        ([finding("R", "S", 0)], "[[4, 3, 1, 2]]", None),
        ([finding("R", "S", 0)], "[[1, 2, 3]]", None),
        ([finding("R", "S", 0)], "[[99, 99, 100, 100]]", None),
        ([finding("R", "S", 0)], "[[1, 2, 9999999999, 3]]", None),
    ],
)
def test_boxes_are_drawn_where_their_class_is_certain(
    made: Callable[..., Manifest], findings: list[Row], roi: str, name: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    [row] = made([image("R_CC", ROI_coords=roi)], findings).rows()
    assert list(row.masks) == ([name] if name else [])
    assert ("1 images have boxes of no one class or outside the image, no mask: R_CC" in caplog.text) == (name is None)


def test_pictures_instead_of_dicom(made: Callable[..., Manifest], tmp_path: Path) -> None:
    folder = tmp_path / "embed" / "png" / "cohort_1" / "extracted"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "a1.png"), np.zeros(SHAPE, dtype=np.uint8))
    row = image("R_CC", png_path="/mnt/NAS3/mammo/png/cohort_1/extracted/a1.png", ROI_coords=ROI, DCM_ROI_coords="[]")
    [found] = made([row], [finding("R", "S", 0)], without=["R_CC"]).rows()
    assert (found.image_id, found.path) == ("a1", folder / "a1.png")
    np.testing.assert_array_equal(read_mask(found.masks["malignant"]), AS_THEY_STAND)


def test_what_is_left_out_is_told(made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture) -> None:
    images = [
        image("L_CC"),
        image("L_MLO"),
        image("R_CC", anon_dicom_path="/mnt/cohort_1/../../R_CC.dcm"),
        image("R_CC", anon_dicom_path="/etc/R_CC.dcm"),
        image("R_CC", ImageLateralityFinal=""),
        image("R_CC", ViewPosition=""),
        image("R_CC", acc_anon=""),
    ]
    manifest = made(images, [finding("R", "N")], without=["L_MLO"])
    assert manifest.table["image_id"].tolist() == ["L_CC"]
    for text in (
        "5 rows left out, their ids, path, side or view cannot be used: rows 4, 5, 6, 7, 8",
        "2 images without a row for their breast in the clinical table, labels empty: L_CC, L_MLO",
        "1 images of the tables have no file and are left out: L_MLO",
    ):
        assert text in caplog.text


def test_another_folder_is_refused(made: Callable[..., Manifest], tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"tables/EMBED_OpenData_metadata.csv and .*_reduced.csv cannot be found"):
        make_manifest(tmp_path, tmp_path / "masks")
    with pytest.raises(TableError, match=r"EMBED_OpenData_clinical.csv: the columns side, asses, path_severity are"):
        made([image("L_CC")], [{"empi_anon": 11, "acc_anon": 7}])
    (tmp_path / "embed" / "tables" / "EMBED_OpenData_metadata.csv").write_text('a,b\n"1')
    with pytest.raises(TableError, match=r"EMBED_OpenData_metadata.csv: not a readable CSV file"):
        make_manifest(tmp_path / "embed", tmp_path / "masks")
    with pytest.raises(AdapterError, match="none of the 1 images of the tables is there"):
        made([image("R_CC")], [finding("", "N")], without=["R_CC"])


def test_tables_may_lie_in_the_folder_itself(made: Callable[..., Manifest]) -> None:
    assert len(made(VIEWS, [finding("", "N")], tables=".")) == 4
