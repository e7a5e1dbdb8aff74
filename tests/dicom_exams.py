"""Exams as DICOM files, of nine kinds that exporters must be right for, with predictions of no model: spots at known places."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian, JPEG2000Lossless

from mammoseg.dicom_results.codes import coded, view_code
from mammoseg.dicom_results.identity import derived_uid
from mammoseg.io.read import read_image
from mammoseg.io.runs import save_prediction, write_run
from mammoseg.io.scores_table import write_predictions_csv
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Prediction
from mammoseg.records.saliency import findings_of

KINDS = (
    *("plain", "missing views", "mirrored", "MONOCHROME1", "spot views", "one breast", "no findings"),
    *("twelve findings", "as devices"),
)
PICTURE = "picture"
"""A further kind: PNG files."""
CLASSES = ("benign", "malignant")
ROWS, COLUMNS = 301, 241
"""Odd: encoders have failed on such."""
MM = 0.5
NAME = "Größe^Änne"
"""Of the patient."""
DEVICES = ("GE MEDICAL SYSTEMS", "Senograph DS"), ("HOLOGIC, Inc.", "Selenia Dimensions")


def write_exam(
    folder: Path, number: int, kind: str, size: int = 1, change: Callable[[Dataset], object] = lambda header: None
) -> None:
    """Add an exam to `folder`/images and its predictions to `folder`/predictions. `size` enlarges the images, `change` spoils
    their headers."""
    rng = np.random.default_rng(number)
    views = [(side, view) for side in "RL" for view in ("CC", "MLO")]
    if kind == "missing views":
        views = [views[int(rng.integers(4))]]
    if kind == "one breast":
        views = views[:2]
    for side, view in views:
        image_id = f"exam{number}_{side}-{view}"
        path = folder / "images" / f"{image_id}{'.png' if kind == PICTURE else '.dcm'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = mammogram(number, side, view, kind, size)
        change(image)
        if kind == PICTURE:
            cv2.imwrite(str(path), image.pixel_array)
        else:
            image.save_as(path, enforce_file_format=True)
        spots = {"no findings": 0, "twelve findings": 12}.get(kind, int(rng.integers(1, 4)))
        save_prediction(folder / "predictions", prediction(path, number, side, view, kind, spots, rng))


def finish(folder: Path) -> Path:
    """The predictions folder, whole."""
    predictions = folder / "predictions"
    write_run(predictions, {"mammoseg": "0", "model": "spots", "checkpoint_sha256": "ab" * 32, "prep": {}})
    write_predictions_csv(predictions)
    return predictions


def points_right(side: str, kind: str) -> bool:
    """Whether the breast points right in the file."""
    return (side == "L") != (kind == "mirrored")


def mammogram(number: int, side: str, view: str, kind: str, size: int = 1) -> Dataset:
    """As a device writes it: a half disc at the chest wall."""
    inverted, device = kind == "MONOCHROME1", DEVICES[number % 2]
    pixels = _breast(points_right(side, kind), ROWS * size, COLUMNS * size)
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SpecificCharacterSet = "ISO_IR 100"
    made.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    made.SOPInstanceUID = derived_uid("test", number, side, view)
    made.StudyInstanceUID, made.SeriesInstanceUID = derived_uid("test", number), derived_uid("test", number, "MG")
    made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = NAME, f"P{number}", "19600102", "F"
    made.StudyDate, made.StudyTime, made.StudyID, made.AccessionNumber = "20240305", "101112", "7", f"A{number}"
    made.ReferringPhysicianName, made.SeriesNumber, made.InstanceNumber = "", 1, 1
    made.Modality, made.PresentationIntentType, made.ImageType = "MG", "FOR PRESENTATION", ["ORIGINAL", "PRIMARY"]
    made.Manufacturer, made.ManufacturerModelName = device
    made.ImageLaterality, made.ViewPosition = side, view
    made.PatientOrientation = ["A" if points_right(side, kind) else "P", "F" if view == "MLO" else "RL"[side == "R"]]
    made.ViewCodeSequence = [coded(view_code(view))]
    made.ViewCodeSequence[0].ViewModifierCodeSequence = []
    if kind == "spot views":
        spot = Dataset()
        spot.CodeValue, spot.CodingSchemeDesignator, spot.CodeMeaning = "399055006", "SCT", "Spot Compression"
        made.ViewCodeSequence[0].ViewModifierCodeSequence.append(spot)
        made.EstimatedRadiographicMagnificationFactor = 1.8
    made.Rows, made.Columns, made.NumberOfFrames = *pixels.shape, 1
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME1" if inverted else "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.ImagerPixelSpacing = [MM / size, MM / size]
    made.WindowCenter, made.WindowWidth = 2048, 4096
    stored = 4095 - pixels if inverted else pixels
    made.PixelData = stored.tobytes()
    if kind == "as devices":
        made.add_new((0x0019, 0x0010), "LO", device[0])
        made.add_new((0x0019, 0x1001), "LO", "private " + NAME)
        made.compress(JPEG2000Lossless, stored, encoding_plugin="")
    return made


def _breast(right: bool, rows: int, columns: int) -> NDArray[np.uint16]:
    y, x = np.mgrid[:rows, :columns]
    across = x if right else columns - 1 - x
    inside = ((y - rows / 2) / (0.42 * rows)) ** 2 + (across / (0.7 * columns)) ** 2 < 1
    return np.where(inside, 1000 + (7 * x + 13 * y) % 1500, 0).astype(np.uint16)


def prediction(
    path: Path, number: int, side: str, view: str, kind: str, spots: int, rng: np.random.Generator
) -> Prediction:
    """Spots of both classes in the breast, on a map of another resolution than the image, mirrored so that it points right."""
    image = read_image(path)
    rows, columns = image.pixels.shape
    working = (round(rows * 0.8), round(columns * 0.8))
    window = (round(working[0] * 0.9), round(working[1] * 0.85))
    grid = PixelGrid(
        (rows, columns),
        working,
        not points_right(side, kind),
        round(working[0] * 0.05),
        0,
        *window,
        (window[0], window[1]),
    )
    maps = np.zeros((len(CLASSES), 92, 60), np.float32)
    for spot in range(spots):
        row, col = 10 + 18 * (spot % 4) + rng.integers(4), 4 + 14 * (spot // 4) + rng.integers(4)
        y, x = np.mgrid[:92, :60]
        height = 0.95 - 0.05 * spot
        around = height * np.exp(-((y - row) ** 2 + (x - col) ** 2) / 8)
        maps[spot % 2] = np.maximum(maps[spot % 2], around)
    made = Prediction(
        image_id=path.stem,
        patient_id=f"P{number}",
        exam_id=f"E{number}",
        laterality=side,
        view=view,
        scores={name: float(maps[place].max(initial=0.02)) for place, name in enumerate(CLASSES)},
        grid=grid,
        maps={"saliency": maps},
        source=replace(image.source, pixel_mm=(MM, MM)) if image.source else None,
    )
    return Prediction(**{**vars(made), "findings": findings_of(made)})
