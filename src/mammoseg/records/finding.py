"""One place in an image that a model points at, on the pixels of the file."""

from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Top, left, bottom, right in original pixels; continuous, pixel i covers [i, i + 1)."""
Point = tuple[float, float]
"""(row, column) in original pixels."""


@dataclass(frozen=True)
class Finding:
    """A class, where it is, and how sure the model is. The peak lies in the region, if there is one."""

    label: str
    """Class name."""
    score: float
    """In [0, 1]: for a finding of a saliency map its highest value, for one of a detector the detection's score."""
    peak: Point
    box: Box | None = None
    polygon: tuple[Point, ...] = ()
    """Corners of an outline, at least three; empty: none."""
