"""The two findings that GLAM and GMIC, the data sets and the published table are about, in their fixed order."""

from collections.abc import Iterable

CLASSES = ("benign", "malignant")
"""0 benign, 1 malignant. Both can be present in one breast."""


def reported(predicted: Iterable[str]) -> tuple[str, ...]:
    """The classes that tables and results are about: of this pair both, though a model may predict one of them; of any others
    those that it predicts."""
    names = tuple(predicted)
    return CLASSES if set(names) <= set(CLASSES) else names
