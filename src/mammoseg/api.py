"""The way in from Python: a trained model is called with a mammogram, and answers on the mammogram's own pixels.

model = mammoseg.load("run")
result = model("image.dcm")
result.scores["malignant"]      probability
result.maps["malignant"]        (H, W) probabilities, one for each pixel of the file
result.findings                 where they are high
model.breast([cc, mlo])         probability and decision of a breast, from the results of its images, if the model is calibrated
result.figure()                 a picture of all this
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mammoseg.calibration.stored import Calibration, CalibrationError
from mammoseg.data.image_row import ImageRow
from mammoseg.drawing.overlay import overlay_sheet
from mammoseg.inference.predictor import Loaded, Predictor, open_predictor
from mammoseg.ingest.given import gather, look_at
from mammoseg.io.errors import ImageReadError
from mammoseg.nn.inference import Precision
from mammoseg.prep.config import PrepConfig
from mammoseg.records.finding import Finding
from mammoseg.records.image import Laterality, Mammogram
from mammoseg.records.prediction import Prediction


class Result:
    """What a model says about one image."""

    def __init__(self, prediction: Prediction, image: Mammogram, prep: PrepConfig) -> None:
        self.prediction = prediction
        """All of it: maps of the parts, patches, what was measured on the breast, the file of the image."""
        self._image, self._prep = image, prep

    @property
    def scores(self) -> Mapping[str, float]:
        """Class -> probability that the image shows it."""
        return self.prediction.scores

    @cached_property
    def maps(self) -> Mapping[str, NDArray[np.float32]]:
        """Class -> (H, W) saliency in [0, 1] on the pixels of the image; 0 outside the model's window."""
        saliency = np.clip(self.prediction.maps["saliency"], 0, 1).astype(np.float32, copy=False)
        return dict(zip(self.scores, self.prediction.grid.restore(saliency), strict=True))

    @property
    def findings(self) -> Sequence[Finding]:
        """The peaks of the maps with the regions around them, on the pixels of the image, the highest first."""
        return self.prediction.findings

    @property
    def notes(self) -> Sequence[str]:
        """What is worth knowing before the result is believed, in plain words."""
        return self.prediction.notes

    def figure(self) -> Image.Image:
        """The image, where the model looked, its maps and its patches. Notebooks show it; `figure().save("x.png")` writes it."""
        return Image.fromarray(overlay_sheet(self._image.pixels, self.prediction, {}, self._prep).draw())

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} {score:.3f}" for name, score in self.scores.items())
        return f"<Result of {self.prediction.image_id}: {scores}; {len(self.findings)} findings>"


@dataclass(frozen=True)
class Decision:
    """What a calibrated model says about one class in a breast."""

    score: float
    """Mean of the scores of its images."""
    probability: float
    """That the breast is positive, in the population that the calibration is for."""
    recalled: bool | None
    """Whether the score reaches the operating point; None: none was chosen."""


class Model:
    """A trained model, or several as their mean."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    @property
    def classes(self) -> tuple[str, ...]:
        """What it predicts."""
        return self._predictor.engine.classes

    def __call__(
        self,
        image: str | PathLike[str] | NDArray[np.generic],
        *,
        laterality: Laterality | None = None,
        view: str | None = None,
        pixel_mm: float | None = None,
    ) -> Result:
        """Predict one image: a DICOM file, a picture named like `0012_L-CC.png`, or pixels (H, W) as uint8 or uint16.

        Side and view come from the header or the name, unless they are given; with pixels they must be given. `pixel_mm` is
        the side of a pixel, where the file does not tell it. Raises ImageReadError for what is no mammogram that can be read,
        PrepError if no breast is found, ValueError for pixels without side and view.
        """
        loaded = (
            self._in_memory(image, laterality, view, pixel_mm)
            if isinstance(image, np.ndarray)
            else self._predictor.load(_row(Path(image), laterality, view, pixel_mm))
        )
        return Result(self._predictor.predict(loaded), loaded.image, self._predictor.prep)

    @property
    def calibration(self) -> Calibration | None:
        """How its scores become probabilities and decisions, as `mammoseg calibrate` found it; None: they do not."""
        return self._predictor.calibration

    def breast(self, results: Sequence[Result]) -> dict[str, Decision]:
        """Class -> what the calibration says of a breast, from the results of all its images. Classes it does not know are missing.

        Raises CalibrationError without a calibration, ValueError without a result and for those of two sides.
        """
        if self.calibration is None:
            raise CalibrationError(
                "this model has no calibration. Expected what `mammoseg calibrate` writes. Give the file: "
                "mammoseg.load(checkpoint, calibration=FILE)."
            )
        if not results:
            raise ValueError("no result is given. Expected those of the images of a breast. Give at least one.")
        if len({result.prediction.laterality for result in results}) > 1:
            raise ValueError("results of both breasts are given. Expected those of one. Ask for each side by itself.")
        decisions = {}
        for name in (name for name in self.calibration.classes if name in self.classes):
            score = np.array(np.mean([result.scores[name] for result in results]))
            recalled = self.calibration.recalled(name, score)
            probability = float(self.calibration.probabilities(name, score))
            decisions[name] = Decision(float(score), probability, None if recalled is None else bool(recalled))
        return decisions

    def _in_memory(
        self, pixels: NDArray[np.generic], laterality: Laterality | None, view: str | None, pixel_mm: float | None
    ) -> Loaded:
        if laterality not in ("L", "R") or not view or pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
            raise ValueError(
                f"pixels of shape {pixels.shape} and type {pixels.dtype}, laterality {laterality!r}, view {view!r}: cannot be "
                "predicted. Expected (height, width) as uint8 or uint16, 'L' or 'R', and a view such as 'CC'. Give them: "
                "model(pixels, laterality='L', view='CC', pixel_mm=0.07)."
            )
        row = ImageRow("", "", "image", laterality, view, Path(), pixel_mm=pixel_mm)
        return self._predictor.prepare(row, row.mammogram(pixels))


def _row(path: Path, laterality: Laterality | None, view: str | None, pixel_mm: float | None) -> ImageRow:
    """What is known of a file, by the rules of `mammoseg scan`."""
    if laterality is not None and view is not None:
        return ImageRow("", "", path.stem, laterality, view, path, pixel_mm=pixel_mm)
    given = look_at(gather([path], None), pixel_mm, workers=0, decode="none")  # which are decoded once, to be predicted
    if given.unusable:
        raise given.unusable[0].error
    if not given.rows:
        why = given.left_out[0].why if given.left_out else "there is nothing"
        raise ImageReadError(
            f"{path}: is not predicted ({why}). Expected a mammogram. Say what it shows if it is one: model(path, "
            "laterality='L', view='CC')."
        )
    return given.rows[0]


def load(
    checkpoint: str | PathLike[str] | Sequence[str | PathLike[str]],
    device: str = "auto",
    *,
    sets: Sequence[str] = (),
    precision: Precision = "32-true",
    displaced: int = 0,
    calibration: str | PathLike[str] | None = None,
) -> Model:
    """The model of a run or checkpoint folder, or of the weights of that name that come with mammoseg (`glam_phantom`); of
    several, their mean.

    `device`: auto, cpu, cuda, cuda:1, mps. `sets`: settings of the network that differ, such as `num_patches=3`. `bf16-mixed`
    is faster and less exact. `displaced`: scores as the mean of so many displaced windows. `calibration`: a file that `mammoseg
    calibrate` wrote; without it that of the checkpoint, if it has one. Raises CheckpointError for a folder that is no checkpoint,
    ConfigError for settings, CalibrationError for a calibration of other scores.
    """
    paths = [Path(checkpoint)] if isinstance(checkpoint, str | PathLike) else [Path(path) for path in checkpoint]
    file = None if calibration is None else Path(calibration)
    return Model(open_predictor(paths, device, sets, precision, displaced, calibration=file))
