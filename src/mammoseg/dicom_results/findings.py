"""Which findings go into objects, and the options that all exporters of outlines share."""

from collections.abc import Iterator, Sequence

from pydantic import Field

from mammoseg.config import Config
from mammoseg.dicom_results.exam import View
from mammoseg.records.finding import Finding

Corner = tuple[float, float]


class FindingOptions(Config):
    """What of predictions is written."""

    least_score: float = Field(0.1, ge=0, le=1)
    """Findings with less are left out: predictions list faint ones, too."""
    make_source: bool = False
    """Whether mammography objects are made of images that are no DICOM files, for these objects to refer to."""

    @property
    def decisive(self) -> dict[str, float]:
        """What decides the content."""
        return {"least_score": self.least_score}


def findings(view: View, options: FindingOptions) -> Iterator[tuple[int, Finding]]:
    """Number in the record, from 1, and finding, the highest score first; those with an outline alone."""
    for number, finding in enumerate(view.prediction.findings, start=1):
        if finding.score >= options.least_score and finding.polygon:
            yield number, finding


def corners(view: View, finding: Finding) -> list[Corner]:
    """The outline as DICOM has it: (column, row), 0 at the corner of the first pixel, closed, in the image.

    Source   PS3.3, C.18.6 (SR) and C.10.5 (presentation states): both count in this way.
    """
    points = [_placed(view, point) for point in finding.polygon]
    return [*points, points[0]]


def peak(view: View, finding: Finding) -> Corner:
    """Where the map is highest, as `corners`."""
    return _placed(view, finding.peak)


def _placed(view: View, point: Sequence[float]) -> Corner:
    (row, col), (rows, cols) = point, view.prediction.grid.original_shape
    return min(max(col, 0.0), float(cols)), min(max(row, 0.0), float(rows))
