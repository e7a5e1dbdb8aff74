"""What is known of the scores of a model, as plain values: how they become probabilities, and from where a breast is recalled.

    score of a breast (mean of its images)
      -> aligned       by `Alignment`, if the scores are of another site or machine than those that the rest was made from
      -> probability   by `Fit`, for the share of positives that `target_prevalence` says
    recalled           where the aligned score is at least the threshold of `Point`

All of it is about breasts. A single image has no probability of its own, and an exam none either: it is recalled when one of its
breasts is. Scores themselves never change.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.special import expit

from mammoseg.calibration.logistic import log_odds
from mammoseg.calibration.prior import shifted
from mammoseg.config import Config

Floats = NDArray[np.float64]

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Inside = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
_Finite = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, le=10**9)]
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Short = Annotated[str, Field(max_length=200)]
_MOST_POINTS = 20_000

Method = Literal["platt", "isotonic", "temperature"]
Rule = Literal["sensitivity", "specificity", "recall_rate", "threshold"]


class CalibrationError(ValueError):
    """A calibration that cannot be made, or not be used."""


class Points(Config):
    """A function that rises: straight between its points, constant before the first and behind the last."""

    x: tuple[Share, ...] = Field(min_length=1, max_length=_MOST_POINTS)
    y: tuple[Share, ...]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if len(self.x) != len(self.y) or np.any(np.diff(self.x) <= 0) or np.any(np.diff(self.y) < 0):
            raise ValueError("x and y are not as many, or do not rise")
        return self

    def __call__(self, values: Floats) -> Floats:
        """Of any shape; NaN stays NaN."""
        return np.interp(values, self.x, self.y)


class Fit(Config):
    """How a score becomes a probability."""

    method: Method
    slope: _Finite | None = None
    """Of the log odds of the score; of platt and temperature (1 / T)."""
    intercept: _Finite | None = None
    """0 of temperature."""
    points: Points | None = None
    """Of isotonic."""
    breasts: _Count
    """On how many it was fitted; `positives` of them."""
    positives: _Count
    patients_with: _Count
    """Patients with a positive breast."""
    patients_without: _Count
    """Patients with a negative breast; some have both."""
    target_prevalence: _Inside | None = None
    """Share of positive breasts in the population that probabilities are for; None: that of the fit."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        line = self.slope is not None and self.slope > 0 and self.intercept is not None
        if (self.points is None) if self.method == "isotonic" else not line:
            raise ValueError(f"a fit by {self.method} lacks its numbers, or falls")
        if not 0 < self.positives < self.breasts:
            raise ValueError("it was fitted on cases of one class")
        return self

    @property
    def prevalence(self) -> float:
        """Share of positive breasts in the fit."""
        return self.positives / self.breasts

    def __call__(self, scores: Floats) -> Floats:
        """Aligned scores of any shape -> probabilities; NaN stays NaN."""
        if self.points is not None:
            fitted = self.points(scores)
        else:
            fitted = expit(float(self.intercept or 0) + float(self.slope or 0) * log_odds(scores))
        if self.target_prevalence is None:
            return fitted
        return shifted(fitted, self.prevalence, self.target_prevalence)


class Number(Config):
    """A number with its 95 % interval; None: there is none."""

    value: Share | None
    low: Share | None
    high: Share | None


class Point(Config):
    """From where a breast is recalled."""

    rule: Rule
    """What chose the threshold."""
    target: Share
    threshold: _Finite
    """A breast is recalled when its aligned score is at least this."""
    found: Mapping[_Short, Number] = Field(max_length=20)
    """What was found there on the cases that it was chosen on: sensitivity, specificity, recall_rate, ppv, npv."""
    prevalence: _Inside | None = None
    """Share of positives for which recall_rate, ppv and npv hold; None: that of these cases."""


class Reference(Config):
    """The scores of all breasts that the calibration was made from, labelled or not."""

    breasts: _Count
    patients: _Count
    levels: tuple[Share, ...] = Field(min_length=1, max_length=_MOST_POINTS)
    """Shares of the breasts that lie below the quantiles."""
    quantiles: tuple[Share, ...]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        as_many = len(self.levels) == len(self.quantiles)
        if not as_many or np.any(np.diff(self.levels) <= 0) or np.any(np.diff(self.quantiles) < 0):
            raise ValueError("levels and quantiles are not as many, or do not rise")
        return self


class Alignment(Config):
    """From the scores of a site to those of the reference."""

    points: Points
    breasts: _Count
    """Of the site, from whose scores it was made."""
    patients: _Count


class OfClass(Config):
    """What is known of the scores of one class."""

    fit: Fit
    point: Point | None = None
    reference: Reference
    alignment: Alignment | None = None


class Calibration(Config):
    """What is known of the scores of a model, class by class."""

    format: Literal[1] = 1
    level: Literal["breast"] = "breast"
    mammoseg: _Short
    """Version that made it."""
    checkpoint_sha256: _Short
    """Of the weights whose scores these are."""
    scores_sha256: _Hash
    """Of all that decides these scores (io/calibration.py): other weights, windows or settings have other scores."""
    manifest_sha256: _Hash
    """Of the rows that say what was positive."""
    split: _Short | None
    """The part of the manifest that it was made from; None: all of it."""
    of_training: _Count
    """How many of its images are of patients that the model has learned from: with any, its probabilities are too sure."""
    classes: Mapping[_Short, OfClass] = Field(min_length=1, max_length=100)

    @property
    def sha256(self) -> str:
        """What one calibration has and no other."""
        said: Any = self.model_dump(mode="json")
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def aligned(self, name: str, scores: Floats) -> Floats:
        """Scores of breasts, of any shape, as they would be at the site that the calibration was made from."""
        alignment = self.classes[name].alignment
        return alignment.points(scores) if alignment else np.asarray(scores, np.float64)

    def probabilities(self, name: str, scores: Floats) -> Floats:
        """Scores of breasts, of any shape -> probabilities of being positive; NaN stays NaN."""
        return self.classes[name].fit(self.aligned(name, scores))

    def recalled(self, name: str, scores: Floats) -> Floats | None:
        """Scores of breasts, of any shape -> 1 recalled, 0 not, NaN where there is no score. None: there is no point."""
        point, aligned = self.classes[name].point, self.aligned(name, scores)
        return None if point is None else np.where(np.isnan(aligned), np.nan, aligned >= point.threshold)
