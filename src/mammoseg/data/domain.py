"""What images a model was trained on, in a few statistics that travel with its checkpoint.

They are numbers over all training images and the names of manufacturers; only the hashes of `patients` are about one patient.

    tissue levels   percentiles of the stored values in the breast, as shares of the brightest (99th percentile): the model
                    normalises, so that only these shares reach it
    breast size     area of the breast in windows of the model, in working pixels (logarithm)
    grain           see `BreastFacts.grain` (logarithm)

These six together are compared by the Mahalanobis distance, since each alone overlaps between most sources of images.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from mammoseg.config import Config
from mammoseg.data.learned import Patients
from mammoseg.records.breast import BreastFacts

FEATURES = ("darkest tissue", "dark tissue", "middle tissue", "bright tissue", "size", "grain")
Range = tuple[float, float]

_FEWEST = 20  # images; from fewer no covariance of six features can be estimated
_LEAST_VARIANCE = 1e-5
_EXTREMES = (1, 99)  # percentiles


class Domain(Config):
    """Statistics of the training images. None: unknown of all of them."""

    images: int = Field(ge=0)
    """How many there were."""
    pixel_mm: Range | None
    """Smallest and largest pixel side in mm, of the images of which it is known."""
    sized: int = Field(ge=0)
    """Of how many images it is known."""
    area_mm2: Range | None
    """1st and 99th percentile of the area of the breast in mm2; likewise the next two."""
    in_window: Range | None
    """Of the share of the breast inside the window."""
    brightest: Range | None
    """Of the 99th percentile of the stored values inside the breast, which tells the bits that are used."""
    manufacturers: tuple[str, ...] = Field(max_length=100)
    """Each once, as `maker_of` has them; empty: unknown."""
    features: tuple[Range, ...]
    """1st and 99th percentiles of `FEATURES`; empty like the rest if there were too few images."""
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    farthest: float = Field(ge=0)
    """Largest distance of a training image from `mean`, in standard deviations by `covariance`."""
    patients: tuple[Patients, ...] = Field((), max_length=100)
    """Whose they are, and those of the weights that training started from; empty: unknown, as in checkpoints of earlier
    versions."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        count = len(self.mean)
        square = [len(row) for row in self.covariance] == [count] * count
        if count not in (0, len(FEATURES)) or len(self.features) != count or not square:
            raise ValueError(f"mean, covariance and features are not of {len(FEATURES)} features, or of none")
        numbers = np.array([*self.mean, *np.ravel(self.covariance), self.farthest])
        if not np.isfinite(numbers).all() or (count and np.linalg.eigvalsh(self.covariance).min() <= 0):
            raise ValueError("mean and covariance are not those of a distribution")
        return self

    @property
    def knows_features(self) -> bool:
        return len(self.mean) > 0

    def distances(self, features_NF: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) Mahalanobis distances of features (N, 6) from those of the training images."""
        away = features_NF - np.array(self.mean)
        return np.sqrt(np.einsum("nf,fn->n", away, np.linalg.solve(np.array(self.covariance), away.T)))


def domain_of(facts: Sequence[BreastFacts], manufacturers: Sequence[str | None]) -> Domain:
    """The statistics of training images."""
    sizes = [f.pixel_mm for f in facts if f.pixel_mm is not None]
    known = len(facts) >= _FEWEST
    features_NF = features_of(facts) if known else np.empty((0, len(FEATURES)))
    mean_F = features_NF.mean(axis=0) if known else np.empty(0)
    covariance_FF = np.cov(features_NF.T) + _LEAST_VARIANCE * np.eye(len(FEATURES)) if known else np.empty((0, 0))
    domain = Domain(
        images=len(facts),
        pixel_mm=(min(sizes), max(sizes)) if sizes else None,
        sized=len(sizes),
        area_mm2=_extremes([f.area_mm2 for f in facts if f.area_mm2 is not None]),
        in_window=_extremes([f.in_window for f in facts]),
        brightest=_extremes([f.levels[-1] for f in facts]),
        manufacturers=tuple(sorted({maker_of(name) for name in manufacturers if name and maker_of(name)})[:100]),
        features=tuple(r for column in features_NF.T if (r := _extremes(column.tolist()))),
        mean=tuple(mean_F.tolist()),
        covariance=tuple(map(tuple, covariance_FF.tolist())),
        farthest=0,
    )
    farthest = float(domain.distances(features_NF).max()) if known else 0
    return domain.model_copy(update={"farthest": farthest})


def features_of(facts: Sequence[BreastFacts]) -> NDArray[np.float64]:
    """(N, 6) of `FEATURES`."""
    rows = [
        (
            *(level / max(f.levels[-1], 1e-6) for level in f.levels[:-1]),
            np.log(max(f.fills_window, 1e-3) / max(f.in_window, 1e-2)),
            np.log(max(f.grain, 1e-4)),
        )
        for f in facts
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES))


def maker_of(manufacturer: str) -> str:
    """`HOLOGIC, Inc.` and `Hologic` are one: the first word in small letters; empty for a name without letters."""
    words = "".join(c if c.isalnum() else " " for c in manufacturer.casefold()).split()
    return words[0][:40] if words else ""


def _extremes(values: Sequence[float]) -> Range | None:
    if not values:
        return None
    low, high = np.percentile(values, _EXTREMES).tolist()
    return low, high
