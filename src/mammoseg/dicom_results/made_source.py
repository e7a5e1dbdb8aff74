"""A mammography object made of a picture, so that DICOM results have something to refer to.

It says what the manifest and the prediction say, and nothing of a device, a technique or a person. Of the patient there is the
id alone. The usual orientation is assumed where a picture tells none: the head or the outer side is above.
"""

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian

from mammoseg.data.predictions import Predicted
from mammoseg.dicom_results.codes import coded, view_code
from mammoseg.dicom_results.identity import NOTE, derived_uid
from mammoseg.dicom_results.source import ResultError, completed
from mammoseg.records.prediction import Prediction

_MADE = "made of a picture"
_FROM_ABOVE = ("CC", "XCC", "XCCL", "XCCM", "FB")
"""Views whose columns run across the patient; in the others they run to the feet."""


def make_source(image: Predicted) -> Dataset:
    """The picture as "Digital Mammography X-Ray Image Storage - For Presentation", with its own stored values.

    Raises ResultError if the size of a pixel is unknown, which such an object must state; and like `Predicted.image`.
    """
    mammogram, prediction = image.image(), image.prediction
    pixels, source = mammogram.pixels, prediction.source
    side = (source and source.pixel_mm) or (mammogram.pixel_mm and (mammogram.pixel_mm, mammogram.pixel_mm))
    if source is None or not side:
        raise ResultError(
            f"{prediction.image_id}: the size of a pixel is unknown, and a mammography object must state it. Expected it in the "
            "predictions. Predict again with --pixel-mm, or with a manifest that has the column pixel_mm."
        )
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    made.SOPInstanceUID = derived_uid(
        _MADE, prediction.patient_id, prediction.exam_id, prediction.image_id, source.sha256
    )
    made.StudyInstanceUID = derived_uid(_MADE, prediction.patient_id, prediction.exam_id)
    made.SeriesInstanceUID = derived_uid(_MADE, prediction.patient_id, prediction.exam_id, "source")
    made.Modality, made.SeriesNumber, made.InstanceNumber = "MG", 1, 1
    made.PatientID = prediction.patient_id
    made.SeriesDescription = f"Pictures as DICOM. {NOTE}"
    _say_image(made, pixels, side)
    _say_breast(made, prediction, mammogram.horizontal_flip)
    return completed(made)


def _say_image(made: Dataset, pixels: NDArray[np.generic], side: tuple[float, float]) -> None:
    stored = np.ascontiguousarray(pixels, np.uint16)
    bits = max(8, int(stored.max(initial=0)).bit_length())
    made.ImageType = ["DERIVED", "PRIMARY"]
    made.PresentationIntentType = "FOR PRESENTATION"
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows, made.Columns = stored.shape
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, bits, bits - 1, 0
    made.ImagerPixelSpacing = [round(mm, 6) for mm in side]
    made.PixelIntensityRelationship, made.PixelIntensityRelationshipSign = "LOG", 1
    made.RescaleIntercept, made.RescaleSlope, made.RescaleType = 0, 1, "US"
    made.PresentationLUTShape, made.LossyImageCompression = "IDENTITY", "00"
    made.BurnedInAnnotation = "YES"  # it may be: films have labels
    made.WindowCenter, made.WindowWidth = 2 ** (bits - 1), 2**bits
    made.PixelData = stored.tobytes()


def _say_breast(made: Dataset, prediction: Prediction, flip: bool | None) -> None:
    made.ImageLaterality = prediction.laterality
    made.PatientOrientation = _orientation(prediction, flip)
    made.OrganExposed, made.PositionerType = "BREAST", "MAMMOGRAPHIC"
    made.AnatomicRegionSequence = [coded(codes.SCT.Breast)]
    made.ViewCodeSequence = []
    if code := view_code(prediction.view):
        made.ViewCodeSequence.append(coded(code))
        made.ViewCodeSequence[0].ViewModifierCodeSequence = []
    else:
        made.ViewPosition = prediction.view
    made.AcquisitionContextSequence = []
    made.Manufacturer = made.DetectorType = None


def _orientation(prediction: Prediction, flip: bool | None) -> list[str]:
    """Of rows and columns. A left breast points right, to the front, unless the picture is mirrored."""
    left = prediction.laterality == "L"
    towards_front = left != flip if flip is not None else not prediction.grid.flipped
    across = prediction.view in _FROM_ABOVE
    return ["A" if towards_front else "P", ("R" if left else "L") if across else "F"]
