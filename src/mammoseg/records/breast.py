"""What was measured on the breast of one image while it was prepared: the numbers that tell whether a model can see it."""

from dataclasses import dataclass

PERCENTILES = (1, 25, 50, 75, 99)
"""Those of `BreastFacts.levels`."""


@dataclass(frozen=True)
class BreastFacts:
    """Measured on the breast that was found, with the model window where it lies without displacement."""

    in_window: float
    """Share of the breast's pixels that lie inside the window, 0 to 1."""
    fills_window: float
    """Share of the window that these pixels fill, 0 to 1."""
    area_mm2: float | None
    """Area of the breast in the image; None if the pixel size is unknown."""
    pixel_mm: float | None
    """Side of a pixel of the file; None if it is unknown."""
    levels: tuple[float, ...]
    """The `PERCENTILES` of the stored values inside the breast."""
    grain: float
    """Mean difference of a working pixel of the breast from the mean of its four neighbours, as a share of the last of
    `levels`: noise and fine structure at the size at which a model sees them."""
