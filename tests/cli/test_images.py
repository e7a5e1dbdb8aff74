"""Image files without a manifest: side and view from header or name, and a clear word where that does not work."""

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian

from mammoseg.cli.images import rows_from_files
from mammoseg.io.runs import is_safe_id


@pytest.mark.parametrize(
    ("name", "exam", "image_id", "side", "view"),
    [
        ("0012_L-CC.png", "0012", "0012_L-CC", "L", "CC"),
        ("0012_R_MLO.png", "0012", "0012_R_MLO", "R", "MLO"),
        ("0012-LCC.tif", "0012", "0012-LCC", "L", "CC"),
        ("a.b r mlo.pgm", "a.b", "a.b-r-mlo", "R", "MLO"),
        ("case_L_R_MLO_2.png", "case_L", "case_L_R_MLO_2", "R", "MLO"),
        ("L-CC.png", "folder", "L-CC", "L", "CC"),
        ("Frau Müller 1_L-CC.png", "Frau Müller 1", "Frau-M-ller-1_L-CC", "L", "CC"),
        ("日本_R-ML.png", "日本", "R-ML", "R", "ML"),
    ],
)
def test_a_name_says_everything(name: str, exam: str, image_id: str, side: str, view: str) -> None:
    [row] = rows_from_files([Path("/data/folder") / name], 0.07)
    assert (row.patient_id, row.exam_id, row.image_id, row.laterality, row.view) == (exam, exam, image_id, side, view)
    assert row.path == Path("/data/folder") / name
    assert row.pixel_mm == 0.07
    assert row.benign is row.malignant is None
    assert is_safe_id(row.image_id)


def test_relative_names_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    [row] = rows_from_files([Path("L-CC.png")], None)
    assert row.path == tmp_path / "L-CC.png"
    assert row.exam_id == tmp_path.name


def test_every_name_that_does_not_work_is_listed(tmp_path: Path) -> None:
    files = [Path(name) for name in ("scan1.png", "x_LCX.png", "a_L-CC.png", "b/A_L-CC.png", "LLCC.png")]
    with pytest.raises(ValueError, match="without a manifest") as error:
        rows_from_files([*files, tmp_path], None)
    message = str(error.value)
    for expected in (
        "scan1.png: side and view are neither in a DICOM header nor in the name",
        "x_LCX.png: side",
        "A_L-CC.png: another file would also be called A_L-CC",
        "LLCC.png: side",
        f"{tmp_path}: a folder; give the files in it",
        "unique names such as 0012_L-CC.png",
        "--manifest",
    ):
        assert expected in message
    assert "  a_L-CC.png" not in message


def write_dicom(path: Path, **elements: object) -> Path:
    dataset = pydicom.Dataset()
    dataset.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.PatientID = "1.2.3", "1.2.4", "P7"
    dataset.PresentationIntentType, dataset.Modality = "FOR PRESENTATION", "MG"
    dataset.Rows = dataset.Columns = 100
    dataset.ImagerPixelSpacing = [0.07, 0.07]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PixelData = bytes(20000)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_a_dicom_header_says_everything(tmp_path: Path) -> None:
    files = [
        write_dicom(tmp_path / "IM1.dcm", ImageLaterality="R", ViewPosition="MLO"),
        write_dicom(tmp_path / "IM2", ImageLaterality="L", ViewPosition="CC"),
    ]
    right, left = rows_from_files(files, None)
    assert (right.laterality, right.view, left.laterality, left.view) == ("R", "MLO", "L", "CC")
    assert (right.patient_id, right.image_id, right.pixel_mm) == ("P7", "IM1", 0.07)
    assert right.exam_id == left.exam_id
    assert is_safe_id(right.exam_id)
    assert rows_from_files(files, 0.1)[0].pixel_mm == 0.1  # who says so knows better


def test_the_name_helps_out_where_a_header_is_silent(tmp_path: Path) -> None:
    [row] = rows_from_files([write_dicom(tmp_path / "12_R-ML.dcm", ImageLaterality="R")], None)
    assert (row.laterality, row.view) == ("R", "ML")


def test_a_header_counts_more_than_a_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    [row] = rows_from_files([write_dicom(tmp_path / "12_L-CC.dcm", ImageLaterality="R", ViewPosition="MLO")], None)
    assert (row.laterality, row.view) == ("R", "MLO")
    assert "the name says L CC, the header R MLO" in caplog.text


def test_a_damaged_dicom_file_is_left_to_be_recorded(tmp_path: Path) -> None:
    broken = tmp_path / "12_L-CC.dcm"
    broken.write_bytes(b"no DICOM at all")
    assert rows_from_files([broken], None)[0].view == "CC"
    with pytest.raises(ValueError, match=r"scan\.dcm: side and view are neither"):
        rows_from_files([broken.rename(tmp_path / "scan.dcm")], None)
