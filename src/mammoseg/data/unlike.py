"""How an image, or a set of them, differs from the images a model was trained on.

Limits were measured so that held-out images of the same source hardly ever differ (docs/how-to/check.md).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mammoseg.data.domain import FEATURES, Domain, Range, features_of, maker_of
from mammoseg.records.breast import BreastFacts

WORDS = "unlike the training data: "
"""How a remark about differences begins."""

_NOTHING_KNOWN = "The checkpoint does not tell what images it was trained on: whether these are like them is not known"
_NEARLY_ALL = 0.95
_PIXEL_FACTOR = 1.1
_AREA_FACTOR = 1.5
_BRIGHT_FACTOR = 2.0
"""By which a value may leave the range of the training images."""
_DISTANCE_FACTOR = 1.15
_SET_DISTANCE = 1.5
"""The means of two halves of one source are about 0.5 apart, those of two sources 3 and more."""
_FEWEST_OF_A_SET = 10
_LOGARITHMS = (4, 5)  # of FEATURES
_UNITS = (*[" of the brightest"] * 4, " of the window", " of the brightest")


@dataclass(frozen=True)
class Difference:
    """One thing in which an image is unlike the training images."""

    subject: str
    value: float | str
    training: str
    """What the training images had."""
    unit: str = ""

    def __str__(self) -> str:
        value = self.value if isinstance(self.value, str) else _number(self.value)
        return f"{self.subject} {value}{self.unit}, training {self.training}{self.unit}"


def differences(domain: Domain, facts: BreastFacts, manufacturer: str | None = None) -> tuple[Difference, ...]:
    """In what an image is unlike the training images; nothing where either is unknown."""
    found = [
        _pixel_size(domain, facts.pixel_mm),
        _beyond("area of the breast", facts.area_mm2, domain.area_mm2, _AREA_FACTOR, " cm2", 0.01),
        _beyond("brightest stored values", facts.levels[-1], domain.brightest, _BRIGHT_FACTOR),
        _look(domain, facts),
        _maker(domain, manufacturer),
    ]
    return tuple(difference for difference in found if difference is not None)


def as_notes(found: Sequence[Difference]) -> tuple[str, ...]:
    """As one remark on an image, or none."""
    return (WORDS + "; ".join(map(str, found)),) if found else ()


def summary(domain: Domain | None, facts: Sequence[BreastFacts], found: Sequence[Sequence[Difference]]) -> str | None:
    """One line about a set of images and their differences, each as often as it was found; None: nothing to say."""
    if domain is None:
        return _NOTHING_KNOWN
    unlike = sum(map(bool, found))
    subjects = dict.fromkeys(difference.subject for each in found for difference in each)
    parts = [_together([d for each in found for d in each if d.subject == subject]) for subject in subjects]
    if unlike < len(facts) and unlike_as_a_set(domain, facts):
        parts.append("the mean look of all of them is outside, too, so that they come from another source")
    return f"{unlike} of {len(facts)} images are {WORDS}{'; '.join(parts)}" if parts else None


def unlike_as_a_set(domain: Domain, facts: Sequence[BreastFacts]) -> bool:
    """Whether the mean of some images is far from that of the training images."""
    if not domain.knows_features or len(facts) < _FEWEST_OF_A_SET:
        return False
    mean_1F = features_of(facts).mean(axis=0, keepdims=True)
    return float(domain.distances(mean_1F)[0]) > _SET_DISTANCE + math.sqrt(len(FEATURES) / len(facts))


def _pixel_size(domain: Domain, pixel_mm: float | None) -> Difference | None:
    """An unknown size counts where those of the training images are known: the model may see another scale."""
    if pixel_mm is None and domain.pixel_mm and domain.sized > _NEARLY_ALL * domain.images:
        return Difference("pixel size", "unknown", f"{_range(domain.pixel_mm)} mm")
    return _beyond("pixel size", pixel_mm, domain.pixel_mm, _PIXEL_FACTOR, " mm")


def _beyond(
    subject: str, value: float | None, known: Range | None, factor: float, unit: str = "", scale: float = 1
) -> Difference | None:
    """`scale` brings the values to the `unit`."""
    if value is None or known is None or known[0] / factor <= value <= known[1] * factor:
        return None
    return Difference(subject, value * scale, _range((known[0] * scale, known[1] * scale)), unit)


def _look(domain: Domain, facts: BreastFacts) -> Difference | None:
    """By all features together; the one that is farthest out is named."""
    if not domain.knows_features:
        return None
    features_F = features_of([facts])[0]
    spare = domain.images - len(FEATURES) - 2
    limit = domain.farthest * _DISTANCE_FACTOR * math.sqrt((domain.images + 1) / spare)  # few images: a wider guess
    if domain.distances(features_F[None])[0] <= limit:
        return None
    away_F = np.abs(features_F - np.array(domain.mean)) / np.sqrt(np.diag(domain.covariance))
    worst = int(np.argmax(away_F))
    value, low, high = (
        math.exp(number) if worst in _LOGARITHMS else number
        for number in (float(features_F[worst]), *domain.features[worst])
    )
    return Difference(f"look of the breast, above all {FEATURES[worst]}", value, _range((low, high)), _UNITS[worst])


def _maker(domain: Domain, manufacturer: str | None) -> Difference | None:
    maker = maker_of(manufacturer or "")
    if not maker or not domain.manufacturers or maker in domain.manufacturers:
        return None
    return Difference("manufacturer", maker, ", ".join(domain.manufacturers))


def _together(found: Sequence[Difference]) -> str:
    values = [d.value for d in found]
    numbers = [value for value in values if not isinstance(value, str)]
    shown = _range((min(numbers), max(numbers))) if numbers else ", ".join(sorted({str(value) for value in values}))
    return f"{found[0].subject} {shown}{found[0].unit}, training {found[0].training}{found[0].unit} ({len(found)})"


def _range(values: Range) -> str:
    low, high = map(_number, values)
    return low if low == high else f"{low} to {high}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
