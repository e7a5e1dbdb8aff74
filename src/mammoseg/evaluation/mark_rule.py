"""Which places of a map are marks, and when a mark hits a lesion."""

from pydantic import Field

from mammoseg.config import Config
from mammoseg.records.saliency import DISTANCE, LOWEST, MOST


class MarkRule(Config):
    """The defaults are those of the findings in the records, with a distance in millimetres."""

    floor: float = Field(LOWEST, gt=0, le=1)
    """Value of the lowest peak that is a mark."""
    apart_mm: float = Field(5.0, ge=0)
    """Least distance of two marks, where the pixel size is known."""
    apart_share: float = Field(DISTANCE, ge=0)
    """The same where it is unknown, as a share of the longer side of the image."""
    most: int = Field(MOST, ge=1)
    """Marks of a class in an image, the highest ones."""
    overlap: float | None = Field(None, gt=0, le=1)
    """None: a mark hits a lesion that its place lies in. A number: a mark with a box hits a lesion whose box it overlaps with at
    least this intersection over union; one without a box, as before."""
