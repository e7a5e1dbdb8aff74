"""What a model says about one image, with everything needed to put it back on the image's own pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammoseg.records.breast import BreastFacts
from mammoseg.records.finding import Finding
from mammoseg.records.grid import PixelGrid
from mammoseg.records.source import Source

Scores = Mapping[str, float]
"""Class name -> probability in [0, 1]. The keys are the classes of the model: `CLASSES` or a part of them, in that order;
the same in all scores of a prediction."""


@dataclass(frozen=True)
class Patch:
    """A square the model looked at closely, in model pixels of the window."""

    row: int
    """First row."""
    col: int
    """First column."""
    size: int
    """Side of the square."""
    scores: Scores
    """Prediction from this patch alone."""
    attention: float | None = None
    """Its weight among the patches of the image, if the model weighs them."""


@dataclass(frozen=True)
class Prediction:
    """Scores, saliency and patches of one image."""

    image_id: str
    patient_id: str
    exam_id: str
    laterality: str
    view: str
    scores: Scores
    """The image-level prediction."""
    grid: PixelGrid
    """Where the window of the maps lies in the original image."""
    maps: Mapping[str, NDArray[np.floating]]
    """Map name -> (K, rows, columns) probabilities covering the window, each at its own resolution; channel i belongs to
    the i-th key of `scores`.
    `saliency` is the final map; models add their parts (`global`, `local`)."""
    patches: tuple[Patch, ...] = ()
    """In the order in which the model selected them."""
    patches_of: str = ""
    """Who chose and scored the patches, if not the model that gave `scores`; shown in the figure."""
    parts: Mapping[str, Scores] = field(default_factory=dict)
    """Predictions of the model's parts (`global`, `local`, `fusion`), as far as it has them."""
    findings: tuple[Finding, ...] = ()
    """What the model points at, with the highest scores first."""
    reading: tuple[str, ...] = ()
    """What was done to the stored values when the file was read (DICOM), in plain words."""
    facts: BreastFacts | None = None
    """What was measured on the breast; None: not known, as in predictions of earlier versions."""
    source: Source | None = None
    """The file of the image; None: not known, as in predictions of earlier versions."""
    notes: tuple[str, ...] = ()
    """What preparation found worth telling about the image, in plain words."""
    of_training: bool = False
    """Whether it is of a patient that the model has learned from, as far as its checkpoint knows."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """What decided the prediction beside the model, as plain values: if one differs, it is out of date. Empty: unknown."""
    made_by: Mapping[str, str] = field(default_factory=dict)
    """Which model with which settings: `checkpoint_sha256` and `settings_sha256` (io/runs.py). Empty: unknown."""
