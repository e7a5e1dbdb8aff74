"""CMMD: labels of the workbook join the side in the header; what has no row is unknown; what is left out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.ingest.adapters.cmmd import make_manifest
from mammoseg.ingest.data_set import AdapterError
from mammoseg.ingest.tables import TableError
from mammoseg.ingest.workbook import WorkbookError
from mammoseg.records.label import CLASSES

TABLE = "CMMD_clinicaldata_revision.xlsx"
CC, MLO = "399162004", "399368009"
FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.2"

Breast = tuple[str, str, str]
"""patient, side, classification"""


def write_dicom(path: Path, side: str, view: str | None, **elements: Any) -> None:
    """A tiny mammogram as in CMMD: the view is a code and nothing else."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = FOR_PRESENTATION
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.PresentationIntentType = "MG", "FOR PRESENTATION"
    dataset.StudyDate, dataset.ImageLaterality = "20100718", side
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 96, 80, 1
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.PhotometricInterpretation = 7, 0, "MONOCHROME2"
    dataset.PixelData = np.zeros((96, 80), dtype=np.uint8).tobytes()
    if view is not None:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = view, "SCT", "view"
        dataset.ViewCodeSequence = [code]
    for name, value in elements.items():
        setattr(dataset, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def series(root: Path, patient: str, name: str = "1.000000-NA-70244") -> Path:
    return root / "CMMD" / patient / "07-18-2010-NA-NA-79377" / name


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four images of D1-0001, without the workbook."""
    folder = tmp_path / "cmmd"
    for number, (side, view) in enumerate([("L", CC), ("L", MLO), ("R", CC), ("R", MLO)], start=1):
        write_dicom(series(folder, "D1-0001") / f"1-{number}.dcm", side, view)
    return folder


@pytest.fixture
def made(root: Path, tmp_path: Path) -> Callable[..., Manifest]:
    """`made(breasts)` writes the workbook and makes the manifest."""

    def make(breasts: Sequence[Breast]) -> Manifest:
        rows = [
            {"ID1": patient, "LeftRight": side, "Age": 44, "number": 2, "abnormality": "calcification"}
            | {"classification": kind, "subtype": None}
            for patient, side, kind in breasts
        ]
        pd.DataFrame(rows).to_excel(root / TABLE, index=False)
        return make_manifest(root, tmp_path / "masks")

    return make


@pytest.mark.parametrize(
    ("breasts", "left", "right"),
    [
        ([("D1-0001", "L", "Benign"), ("D1-0001", "R", "Malignant")], (1, 0), (None, 1)),
        ([("D1-0001", "R", "Benign"), ("D1-0001", "R", "Malignant")], (None, None), (1, 1)),
        ([("D1-0001", "L", "Malignant "), ("D1-0001", "L", "Malignant")], (None, 1), (None, None)),
        ([("D1-0002", "L", "Malignant"), ("D1-0002", "R", "Benign")], (None, None), (None, None)),
    ],
)
def test_labels_are_those_of_the_breast(
    made: Callable[..., Manifest], breasts: list[Breast], left: tuple[int | None, ...], right: tuple[int | None, ...]
) -> None:
    assert [tuple(map(row.labels.get, CLASSES)) for row in made(breasts).rows()] == [
        left,
        left,
        right,
        right,
    ]


def test_rows_of_the_manifest(made: Callable[..., Manifest], root: Path, tmp_path: Path) -> None:
    made([("D1-0001", "L", "Benign")]).to_csv(tmp_path / "manifest.csv")
    manifest = load_manifest(tmp_path / "manifest.csv", check_files=True)
    first = next(iter(manifest.rows()))
    assert (first.patient_id, first.exam_id, first.image_id) == ("D1-0001", "D1-0001", "D1-0001_1-1")
    assert (first.study_date, first.pixel_mm, first.split) == ("2010-07-18", None, None)
    assert first.path == series(root, "D1-0001") / "1-1.dcm"
    assert manifest.table[["laterality", "view"]].to_numpy().tolist() == [
        *(["L", "CC"], ["L", "MLO"]),
        *(["R", "CC"], ["R", "MLO"]),
    ]
    assert manifest.table[["age", "abnormality"]].to_numpy().tolist()[0] == ["44", "calcification"]
    assert not (tmp_path / "masks").exists()


def test_links_that_lead_back_and_copies_with_odd_names(made: Callable[..., Manifest], root: Path) -> None:
    (series(root, "D1-0001") / "loop").symlink_to(root)
    (series(root, "D1-0001") / "1-1 (1).dcm").write_bytes((series(root, "D1-0001") / "1-1.dcm").read_bytes())
    assert len(made([("D1-0001", "L", "Benign")])) == 4


def test_the_table_as_csv(root: Path, tmp_path: Path) -> None:
    (root / TABLE).with_suffix(".csv").write_text("ID1,LeftRight,Age,classification\nD1-0001,R,44,Malignant\n")
    assert make_manifest(root, tmp_path / "masks").table["malignant"].fillna(-1).tolist() == [-1, -1, 1, 1]


def test_several_series_and_the_folder_of_the_retriever(made: Callable[..., Manifest], root: Path) -> None:
    write_dicom(series(root, "D1-0001", "2.000000-NA-1") / "1-1.dcm", "R", CC)
    write_dicom(series(root / "manifest-1616439774456", "D2-0007") / "1-1.dcm", "L", MLO)
    ids = made([("D2-0007", "L", "Malignant")]).table["image_id"].tolist()
    assert ids == ["D1-0001_1-1", "D1-0001_1-2", "D1-0001_1-3", "D1-0001_1-4", "D1-0001_1-1_2", "D2-0007_1-1"]


def test_what_is_left_out_is_told(made: Callable[..., Manifest], root: Path, caplog: pytest.LogCaptureFixture) -> None:
    (series(root, "D1-0001") / "1-1.dcm").write_bytes(b"no DICOM")
    write_dicom(series(root, "D1-0001") / "1-2.dcm", "L", None)
    write_dicom(series(root, "D1-0001") / "1-3.dcm", "L", CC, PresentationIntentType="FOR PROCESSING")
    write_dicom(series(root, "other") / "1-1.dcm", "L", CC)
    manifest = made([("D1-0001", "R", "Benign"), ("D1-0001", "X", "Benign"), ("D1-0001", "L", "perhaps")])
    assert manifest.table["image_id"].tolist() == ["D1-0001_1-4"]
    start = "CMMD/D1-0001/07-18-2010-NA-NA-79377/1.000000-NA-70244"
    for text in (
        f"1 DICOM files cannot be read and are left out: {start}/1-1.dcm",
        "2 files are no mammogram of a known side and view, or have an odd name, and are left out: "
        f"{start}/1-2.dcm, {start}/1-3.dcm",
        "2 rows left out, side or classification cannot be used: rows 3, 4",
    ):
        assert text in caplog.text


def test_another_folder_is_refused(root: Path, tmp_path: Path, made: Callable[..., Manifest]) -> None:
    with pytest.raises(AdapterError, match=r"CMMD_clinicaldata_revision.xlsx and .* cannot be found"):
        make_manifest(root, tmp_path / "masks")
    (root / TABLE).write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(WorkbookError, match="the workbook is damaged"):
        make_manifest(root, tmp_path / "masks")
    pd.DataFrame([{"id": 1}]).to_excel(root / TABLE, index=False)
    with pytest.raises(TableError, match="the columns ID1, LeftRight, classification are missing; there are id"):
        make_manifest(root, tmp_path / "masks")
    pd.DataFrame([{"ID1": "D1-0001", "LeftRight": "L", "classification": "Benign"}]).to_excel(
        tmp_path / TABLE, index=False
    )
    with pytest.raises(AdapterError, match="none of the 0 images"):
        make_manifest(tmp_path, tmp_path / "masks")
