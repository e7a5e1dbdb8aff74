"""How images are prepared."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mammoseg.config import Config
from mammoseg.prep.projection import PROJECTIONS, Projection, check_each, projection_of
from mammoseg.records.image import DicomMode

Side = Annotated[int, Field(ge=1, le=16_384)]
"""Of a window, in pixels: more than any detector has."""
Window = tuple[Side, Side]
"""Rows and columns."""
Fit = Literal["cut", "resize"]
Intensity = Literal["standardize", "unit"]


class PrepConfig(Config):
    """Preparation of one image. Defaults: the pipeline of the published NYU models (GMIC, GLAM).

    `fit` = `resize` with `intensity` = `unit` is what GMIC (Shen et al. 2021, arXiv:2002.07613) did with CBIS-DDSM, as far
    as it says.
    """

    dicom: DicomMode = "nyu"
    """Pixels of DICOM files. `nyu`: stored values without window or LUT, as the published weights saw them; `presentation`:
    what a viewer shows (modality LUT, VOI LUT or window), in 16 bits. Other files are taken as they are."""

    window: Window = (2944, 1920)
    """Rows and columns the model sees, in working pixels. Source: GMIC, section 4.1."""

    windows: dict[Projection, Window] = Field(default_factory=dict, exclude_if=lambda windows: not windows)
    """In the place of `window` one for CC and one for MLO, of models that see them in windows of their own. Source: Wu et al.
    2019 (arXiv:1903.08297). Where it is empty it is not stored, so that a preparation without it is what it was before."""

    fit: Fit = "cut"
    """How the breast comes into the window. `cut`: a window is cut out at the pixels' own size, padded with zeros; source:
    released NYU pipeline. `resize`: the whole box around the breast, with its buffer, is resized to the window, its
    proportions are not kept; source: GMIC for CBIS-DDSM. Random displacement moves the borders of the box then, by the
    rules and in the pixels of a window that has the box's shape; beside the box are zeros."""

    intensity: Intensity = "standardize"
    """`standardize`: mean 0 and deviation 1 over the window, padding included; source: released NYU pipeline. `unit`: divided
    by the largest value of the window, for values from 0 to 1; source: GMIC for CBIS-DDSM, which says "[0, 1]" and not
    how: the division is our reading."""

    pixel_mm: float | None = Field(None, ge=0.01, le=100)
    """Resample to this pixel side in mm before anything else. None keeps the pixels as they are, and so are those of an
    image of unknown pixel size."""

    least_in_window: float = Field(0.8, ge=0, le=1)
    """Share of the breast that has to be inside the window. An image with less has a remark; images of which the median has
    less are no data for this window, and are refused."""

    least_filled: float = Field(0.1, ge=0, le=1)
    """Share of the window that the breast has to fill, in the same way: with less, the pixels are far larger than those that
    the window is made for."""

    background: Literal["zero", "film"] = "zero"
    """What surrounds the breast: `zero`, exact zeros (digital mammography); `film`, a digitised film with a grey
    background, labels, tape and a scanner frame, all of which are removed. For films an opening of 7 mm and a buffer of
    5 mm work well: `opening_px` 35 and `buffer_px` 25 at 0.2 mm a pixel."""

    opening_px: int = Field(100, ge=0, le=2000)
    """Radius of the opening that cuts thin structures off the breast, in working pixels (diamond).
    Source: released NYU pipeline."""

    buffer_px: int = Field(50, ge=0, le=16_384)
    """Margin left around the breast above, below and on the nipple side, in working pixels. Source: released NYU
    pipeline."""

    ignore_top: float = Field(1 / 3, ge=0, lt=1)
    """Fraction of the rows, from the top, in which the nipple side is not looked for (the arm in MLO views).
    Source: released NYU pipeline."""

    @model_validator(mode="after")
    def _one_or_each(self) -> Self:
        if self.windows:
            check_each(self.windows)
        if self.windows and self.window != type(self).model_fields["window"].default:
            raise ValueError("window and windows are both given; windows are in the place of window: leave it out")
        return self

    def window_of(self, view: str) -> Window:
        """The window of an image of this view."""
        return self.windows.get(projection_of(view), self.window)

    @property
    def shapes(self) -> tuple[Window, ...]:
        """All windows that images have."""
        return tuple(self.windows[name] for name in PROJECTIONS) if self.windows else (self.window,)

    @property
    def canvas(self) -> Window:
        """What holds every window in its upper left corner: the size of the images of a batch."""
        rows, cols = zip(*self.shapes, strict=True)
        return max(rows), max(cols)

    @property
    def shown(self) -> str:
        """The windows in a message."""
        each = [f"{rows} x {cols} ({name})" for name, (rows, cols) in sorted(self.windows.items())]
        return " or ".join(each) or f"{self.window[0]} x {self.window[1]}"
