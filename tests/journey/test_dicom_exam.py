"""The same exam as PNG and as DICOM is the same to a model; an exam is what its images are, in any mix of views."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DigitalMammographyXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.inference.batch import BatchResult, predict_images
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.io.read import read_image
from mammoseg.io.runs import load_prediction
from mammoseg.io.scores_table import read_predictions_csv
from mammoseg.prep.pipeline import prepare


@pytest.fixture(scope="module")
def predictor(trained_run: Path) -> Predictor:
    return open_predictor(trained_run, "cpu")


def write_dicom(path: Path, pixels: NDArray[np.uint16], row: ImageRow, syntax: str, inverted: bool = False) -> Path:
    """A mammogram as a device sends it."""
    top = int(pixels.max())
    bits = top.bit_length()
    stored = (2**bits - 1 - pixels).astype(np.uint16) if inverted else pixels
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID, dataset.StudyInstanceUID = generate_uid(), generate_uid()
    dataset.Modality, dataset.PresentationIntentType = "MG", "FOR PRESENTATION"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.PatientID, dataset.PatientName = row.patient_id, "Secret^Name"
    dataset.ImageLaterality, dataset.ViewPosition = row.laterality, row.view
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, bits, bits - 1, 0
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    dataset.WindowCenter, dataset.WindowWidth = top / 2, top  # not to be used on stored values
    dataset.PixelData = stored.tobytes()
    if syntax != ExplicitVRLittleEndian:
        dataset.compress(syntax, stored, encoding_plugin="")
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize(
    ("syntax", "inverted"),
    [
        (ExplicitVRLittleEndian, False),
        (ExplicitVRLittleEndian, True),
        (JPEG2000Lossless, False),
        (JPEGLSLossless, True),
        (RLELossless, False),
    ],
)
def test_windows_are_bit_identical(
    phantom_study: Manifest, predictor: Predictor, tmp_path: Path, syntax: str, inverted: bool
) -> None:
    for row in list(phantom_study.rows())[:4]:
        png = row.mammogram(*read_image(row.path))
        path = write_dicom(tmp_path / "image", np.asarray(png.pixels, np.uint16), row, syntax, inverted)
        dicom = row.mammogram(*read_image(path))
        assert png.reading == ()
        assert dicom.reading
        assert np.array_equal(png.pixels, dicom.pixels)
        expected, found = prepare(png, predictor.prep), prepare(dicom, predictor.prep)
        assert expected.window.tobytes() == found.window.tobytes()
        assert expected.grid == found.grid


def test_what_was_done_to_the_pixels_is_recorded(phantom_study: Manifest, predictor: Predictor, tmp_path: Path) -> None:
    row = next(phantom_study.rows())
    pixels = np.asarray(read_image(row.path).pixels, np.uint16)
    path = write_dicom(tmp_path / "image.dcm", pixels, row, JPEG2000Lossless, inverted=True)
    assert predict_images(predictor, [replace(row, path=path)], tmp_path / "out").predicted == 1
    prediction = load_prediction(tmp_path / "out", row.image_id)
    text = " ".join(prediction.reading)
    assert "JPEG 2000" in text
    assert "MONOCHROME1" in text
    assert "Secret" not in (tmp_path / "out" / "records" / f"{row.image_id}.json").read_text()


MIXES: dict[str, Sequence[tuple[str, str]]] = {
    "one breast": (("L", "CC"), ("L", "MLO")),
    "one image": (("R", "MLO"),),
    "repeated and further views": (("L", "CC"), ("L", "CC"), ("L", "XCCL"), ("L", "ML"), ("R", "LM"), ("R", "FB")),
}


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES)
def test_any_mix_of_views(
    phantom_study: Manifest, predictor: Predictor, tmp_path: Path, mix: Sequence[tuple[str, str]]
) -> None:
    """A breast's score is the mean over its images, whatever they are."""
    by_side = {side: [row for row in phantom_study.rows() if row.laterality == side] for side in "LR"}
    rows = [
        replace(by_side[side][i], image_id=f"image{i}", patient_id="p", exam_id="e", view=view)
        for i, (side, view) in enumerate(mix)
    ]
    assert predict_images(predictor, rows, tmp_path / "out") == BatchResult(len(mix), 0, 0)
    table = read_predictions_csv(tmp_path / "out")
    images, breasts = (table[table["level"] == level].set_index("laterality") for level in ("image", "breast"))
    assert set(breasts.index) == {side for side, _ in mix}
    for side in breasts.index:
        assert breasts.loc[side, "malignant"] == pytest.approx(np.mean(images.loc[[side], "malignant"]))
    [exam] = table[table["level"] == "exam"]["malignant"]
    assert exam == pytest.approx(breasts["malignant"].max())


def test_views_other_than_cc_and_mlo_are_cut_like_their_nearest(phantom_study: Manifest, predictor: Predictor) -> None:
    row = next(row for row in phantom_study.rows() if row.view == "MLO")

    def window(view: str) -> NDArray[np.float32]:
        return prepare(replace(row, view=view).mammogram(*read_image(row.path)), predictor.prep).window

    for view in ("ML", "LM", "LMO", "AT"):
        assert np.array_equal(window(view), window("MLO"))
    for view in ("XCCL", "FB"):
        assert np.array_equal(window(view), window("CC"))
