"""What a model looks at, of the images of an exam."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sees:
    """What is given to a model at once."""

    heatmaps: tuple[str, ...] = ()
    """Classes whose heatmaps follow the mammogram as channels of the window."""
    views: tuple[str, ...] = ()
    """Views that are looked at together, a unit: ("CC", "MLO") of a breast, ("L-CC", "R-CC", "L-MLO", "R-MLO") of an exam.
    Empty: every image is looked at alone."""

    @property
    def channels(self) -> int:
        """C of the windows."""
        return 1 + len(self.heatmaps)
