"""What a model looks at, of the images of an exam."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sees:
    """What is given to a model at once."""

    heatmaps: tuple[str, ...] = ()
    """Classes whose heatmaps follow the mammogram as channels of the window."""
    views: tuple[str, ...] = ()
    """Views that are looked at together, a unit: ("CC", "MLO") of a breast, ("L-CC", "R-CC", "L-MLO", "R-MLO") of an exam.
    Empty: every image is looked at alone."""
    windows: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """CC, MLO -> (rows, columns) of their windows, of a model that sees them in windows of their own: each lies in the upper left
    corner of images of one size, with zeros below it and on its right, and the model cuts it out. Empty: all are of one size."""

    @property
    def canvas(self) -> tuple[int, int] | None:
        """(rows, columns) of the images that hold windows of several sizes; None: all windows are of one size."""
        if not self.windows:
            return None
        rows, cols = zip(*self.windows.values(), strict=True)
        return max(rows), max(cols)

    @property
    def channels(self) -> int:
        """C of the windows."""
        return 1 + len(self.heatmaps)
